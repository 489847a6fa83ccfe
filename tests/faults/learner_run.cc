#include "tests/faults/learner_run.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file.h"

namespace hivewire {

absl::Duration UpTo(int milliseconds, std::mt19937& random) {
  return absl::Microseconds(std::uniform_int_distribution<int>(0, 1000 * milliseconds)(random));
}

absl::Status KillAndRestart(const std::function<void()>& kill,
                            const std::function<absl::Status()>& start, int kills,
                            std::mt19937& random, const std::function<int64_t()>& progress) {
  for (int k = 0; k < kills; ++k) {
    const absl::Time deadline = absl::Now() + kPatience;
    const int64_t before = progress();
    const bool in_use = random() % 4 != 0;
    while (in_use && progress() == before) {
      if (absl::Now() > deadline) return absl::DeadlineExceededError("it does not go on");
      absl::SleepFor(absl::Milliseconds(5));
    }
    absl::SleepFor(UpTo(100, random));
    kill();
    if (random() % 4 == 0) absl::SleepFor(UpTo(300, random));
    if (absl::Status status = start(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Child>> LearnerRun::Start(bool resume, int64_t frames) const {
  std::vector<std::string> words = {learner, "train", reach};
  if (resume) {
    words.push_back(absl::StrCat("--resume=", folder));
  } else {
    words.insert(words.end(), {"--preset=cartpole", absl::StrCat("--run_folder=", folder),
                               absl::StrCat("--set=collection.total_frames=", frames),
                               absl::StrCat("--set=checkpoint.interval=", kFramesAnUpdate),
                               "--set=evaluation.interval=0", "--set=evaluation.episodes=0",
                               "--set=ppo.epochs=2", "--set=output.tensorboard=false"});
  }
  return Child::Start(words, log);
}

int64_t LearnerRun::Frames() const {
  int64_t frames = 0;
  const std::string csv = ReadFile(absl::StrCat(folder, "/progress.csv")).value_or("");
  for (const absl::string_view line : absl::StrSplit(csv, '\n', absl::SkipEmpty())) {
    int64_t value = 0;
    if (absl::SimpleAtoi(line.substr(0, line.find(',')), &value)) frames = value;
  }
  return frames;
}

absl::Status LearnerRun::CheckProgress(const std::vector<int64_t>& frames) const {
  int64_t before = 0;
  const auto csv = ReadFile(absl::StrCat(folder, "/progress.csv"));
  if (!csv.ok()) return csv.status();
  for (const absl::string_view line : absl::StrSplit(*csv, '\n', absl::SkipEmpty())) {
    int64_t now = 0;
    if (!absl::SimpleAtoi(line.substr(0, line.find(',')), &now)) continue;
    if (std::find(frames.begin(), frames.end(), now - before) == frames.end()) {
      return absl::DataLossError(absl::StrCat("progress.csv has ", now, " frames after ", before));
    }
    before = now;
  }
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> LearnerRun::Last() const {
  const auto path = CheckpointFolder(absl::StrCat(folder, "/checkpoints")).Find("last");
  if (!path.ok()) return path.status();
  return ReadCheckpoint(*path);
}

absl::Status LearnerRun::Failed(absl::string_view what) const {
  return absl::InternalError(
      absl::StrCat("the learner ", what, ": ", ReadFile(log).value_or("no log")));
}

absl::Status LearnerRun::Await(Child& child, int64_t frames) const {
  const absl::Time deadline = absl::Now() + kPatience;
  while (Frames() < frames) {
    if (!child.Running()) return Failed("ended");
    if (absl::Now() > deadline) return Failed("gets nowhere");
    absl::SleepFor(absl::Milliseconds(10));
  }
  return absl::OkStatus();
}

}  // namespace hivewire
