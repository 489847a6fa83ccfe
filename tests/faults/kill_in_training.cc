#include <signal.h>

#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/step_collector.h"
#include "tests/faults/checking_algorithm.h"
#include "tests/faults/child.h"
#include "tests/faults/kill_matrix.h"

namespace hivewire {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(300);
constexpr int kLanes = 8;
constexpr int kFramesAnUpdate = 32 * kLanes;  // of the preset cartpole

absl::Duration UpTo(int milliseconds, std::mt19937& random) {
  return absl::Microseconds(std::uniform_int_distribution<int>(0, 1000 * milliseconds)(random));
}

// Kills the server at random moments, mostly while it is being used (`progress` rises), and starts
// it again, now and then after a pause.
absl::Status KillAndRestart(ServerChild& server, int kills, std::mt19937& random,
                            const std::function<int64_t()>& progress) {
  for (int kill = 0; kill < kills; ++kill) {
    const absl::Time deadline = absl::Now() + kPatience;
    const int64_t before = progress();
    const bool in_use = random() % 4 != 0;
    while (in_use && progress() == before) {
      if (absl::Now() > deadline) return absl::DeadlineExceededError("it does not go on");
      absl::SleepFor(absl::Milliseconds(5));
    }
    absl::SleepFor(UpTo(100, random));
    server.Kill();
    if (random() % 4 == 0) absl::SleepFor(UpTo(300, random));
    const absl::Status status = server.Start();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// A run of `learner` in a folder of its own.
struct Run {
  const KillOptions& options;
  std::string server;
  std::string folder;
  std::string log = folder + ".log";

  absl::StatusOr<std::unique_ptr<Child>> Start(bool resume, int64_t frames) const {
    std::vector<std::string> words = {options.learner, "train", absl::StrCat("--server=", server)};
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

  // Frames of the last line of the run's progress.csv; 0 where there is none.
  int64_t Frames() const {
    int64_t frames = 0;
    const std::string csv = ReadFile(absl::StrCat(folder, "/progress.csv")).value_or("");
    for (const absl::string_view line : absl::StrSplit(csv, '\n', absl::SkipEmpty())) {
      int64_t value = 0;
      if (absl::SimpleAtoi(line.substr(0, line.find(',')), &value)) frames = value;
    }
    return frames;
  }

  // Every update stands once in progress.csv, in order.
  absl::Status CheckProgress() const {
    int64_t expected = 0;
    const auto csv = ReadFile(absl::StrCat(folder, "/progress.csv"));
    if (!csv.ok()) return csv.status();
    for (const absl::string_view line : absl::StrSplit(*csv, '\n', absl::SkipEmpty())) {
      int64_t frames = 0;
      if (!absl::SimpleAtoi(line.substr(0, line.find(',')), &frames)) continue;
      expected += kFramesAnUpdate;
      if (frames == expected) continue;
      return absl::DataLossError(
          absl::StrCat("progress.csv has ", frames, " frames where ", expected, " should stand"));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Checkpoint> Last() const {
    const auto path = CheckpointFolder(absl::StrCat(folder, "/checkpoints")).Find("last");
    if (!path.ok()) return path.status();
    return ReadCheckpoint(*path);
  }

  absl::Status Failed(absl::string_view what) const {
    return absl::InternalError(
        absl::StrCat("the learner ", what, ": ", ReadFile(log).value_or("no log")));
  }

  // Until it has done `frames`.
  absl::Status Await(Child& child, int64_t frames) const {
    const absl::Time deadline = absl::Now() + kPatience;
    while (Frames() < frames) {
      if (!child.Running()) return Failed("ended");
      if (absl::Now() > deadline) return Failed("gets nowhere");
      absl::SleepFor(absl::Milliseconds(10));
    }
    return absl::OkStatus();
  }
};

}  // namespace

absl::StatusOr<std::string> KillServersUnderCollector(const KillOptions& options) {
  std::mt19937 random(options.seed);
  ServerChild server(options.env_server, options.folder,
                     absl::StrCat("unix:", options.folder, "/socket"), {});
  absl::Status status = server.Start();
  if (!status.ok()) return status;
  VectorEnvOptions env_options;
  env_options.server = server.address();
  env_options.env_id = "MountainCar-v0";
  env_options.num_envs = kLanes;
  env_options.observation_dtype = v1::DTYPE_FLOAT32;
  const auto env = VectorEnv::Make(env_options);
  if (!env.ok()) return env.status();
  const auto action = ActionSpace::FromSpec((*env)->spec(), (*env)->action_leaves()[0].dtype());
  if (!action.ok()) return action.status();
  v1::LearnerConfig config;
  config.mutable_normalization()->set_observation(false);
  config.mutable_normalization()->set_reward(false);
  config.mutable_collection()->set_groups(2);
  CheckingAlgorithm algorithm(kLanes, 16);
  StepCollector collector(**env, algorithm, *action, config);
  status = collector.Start(1);

  std::atomic<bool> done{false};
  std::atomic<int64_t> transitions{0};
  absl::Status killed;
  std::thread killer([&] {
    killed = KillAndRestart(server, options.kills, random, [&] { return transitions.load(); });
    done.store(true);
  });
  int after = 0;
  while (status.ok() && after < 20) {
    if (done.load()) ++after;
    status = collector.Collect(INT64_MAX).status();
    if (status.ok()) status = algorithm.Update(0).status();
    transitions.store(algorithm.valid());
  }
  killer.join();
  if (!killed.ok()) return killed;
  if (!status.ok()) return status;
  return absl::StrFormat(
      "%d kills, %d seen as a loss of the pools; %d transitions recomputed, 0 wrong, 0 doubled; "
      "%d rows were none",
      options.kills, collector.losses(), algorithm.valid(), algorithm.invalid());
}

absl::StatusOr<std::string> KillServersUnderLearner(const KillOptions& options) {
  std::mt19937 random(options.seed);
  ServerChild server(options.env_server, options.folder,
                     absl::StrCat("unix:", options.folder, "/socket"), {});
  absl::Status status = server.Start();
  if (!status.ok()) return status;
  const Run run{options, server.address(), absl::StrCat(options.folder, "/run")};
  auto child = run.Start(/*resume=*/false, int64_t{1} << 40);
  if (!child.ok()) return child.status();
  status = run.Await(**child, kFramesAnUpdate);
  if (status.ok()) {
    status = KillAndRestart(server, options.kills, random, [&] { return run.Frames(); });
  }
  // It goes on after the last kill too, and ends when it is asked to.
  if (status.ok()) status = run.Await(**child, run.Frames() + 3 * kFramesAnUpdate);
  if (!status.ok()) return status;
  (*child)->Signal(SIGTERM);
  if ((*child)->Wait(absl::Now() + kPatience) != 0) return run.Failed("did not end well");
  status = run.CheckProgress();
  if (!status.ok()) return status;
  const auto last = run.Last();
  if (!last.ok()) return last.status();
  return absl::StrFormat(
      "%d kills; the learner went on each time, %d frames in %d updates, each once", options.kills,
      last->state.frames(), last->state.updates());
}

absl::StatusOr<std::string> KillLearners(const KillOptions& options) {
  std::mt19937 random(options.seed);
  ServerChild server(options.env_server, options.folder,
                     absl::StrCat("unix:", options.folder, "/socket"), {"--lease_ttl=5s"});
  absl::Status status = server.Start();
  if (!status.ok()) return status;
  const int64_t frames = int64_t{kFramesAnUpdate} * (40 + 12 * options.kills);
  const Run run{options, server.address(), absl::StrCat(options.folder, "/run")};
  auto child = run.Start(/*resume=*/false, frames);
  if (!child.ok()) return child.status();
  // The first checkpoint is what a killed learner comes back to.
  status = run.Await(**child, 2 * kFramesAnUpdate);
  if (!status.ok()) return status;
  int kills = 0;
  while (kills < options.kills && (*child)->Running()) {
    // Now and then while it starts; else in the middle of training.
    if (random() % 4 != 0) status = run.Await(**child, run.Frames() + kFramesAnUpdate);
    if (!status.ok()) return status;
    absl::SleepFor(UpTo(60, random));
    if (!(*child)->Running()) break;
    (*child)->Kill();
    ++kills;
    child = run.Start(/*resume=*/true, frames);
    if (!child.ok()) return child.status();
  }
  if ((*child)->Wait(absl::Now() + kPatience) != 0) return run.Failed("did not end well");
  if (kills < options.kills) return absl::InternalError(absl::StrCat("only ", kills, " kills"));
  status = run.CheckProgress();
  if (!status.ok()) return status;

  const Run undisturbed{options, server.address(), absl::StrCat(options.folder, "/undisturbed")};
  auto reference = undisturbed.Start(/*resume=*/false, frames);
  if (!reference.ok()) return reference.status();
  if ((*reference)->Wait(absl::Now() + kPatience) != 0)
    return undisturbed.Failed("did not end well");
  const auto killed_end = run.Last();
  if (!killed_end.ok()) return killed_end.status();
  const auto end = undisturbed.Last();
  if (!end.ok()) return end.status();
  if (killed_end->state.frames() != frames || end->state.frames() != frames ||
      killed_end->state.episodes() != end->state.episodes()) {
    return absl::DataLossError(absl::StrCat(killed_end->state.frames(), " frames and ",
                                            killed_end->state.episodes(), " episodes, undisturbed ",
                                            end->state.frames(), " and ", end->state.episodes()));
  }
  int64_t tensors = 0;
  for (const auto& [name, tensor] : end->tensors.tensors()) {
    if (absl::StartsWith(name, "env_state.")) continue;  // these count a pool's own operations
    const auto other = killed_end->tensors.Get(name);
    if (!other.ok()) return other.status();
    if ((*other)->bytes != tensor.bytes)
      return absl::DataLossError(absl::StrCat("tensor ", name, " differs"));
    ++tensors;
  }
  return absl::StrFormat(
      "%d kills, resumed each time; after %d frames all %d tensors equal those of an undisturbed "
      "run",
      kills, frames, tensors);
}

}  // namespace hivewire
