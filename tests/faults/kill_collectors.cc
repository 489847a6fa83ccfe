#include <signal.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/faults/child.h"
#include "tests/faults/kill_matrix.h"
#include "tests/faults/learner_run.h"

namespace hivewire {
namespace {

// A learner in step with two collectors of half the lanes each, every one with an env server of its
// own.
class Cluster {
 public:
  explicit Cluster(const KillOptions& options)
      : options_(options),
        listen_(absl::StrCat("unix:", options.folder, "/learner")),
        run_{options.learner, absl::StrCat("--listen=", listen_),
             absl::StrCat(options.folder, "/run")} {}

  absl::Status Start(int64_t frames) {
    auto learner = run_.Start(/*resume=*/false, frames);
    if (!learner.ok()) return learner.status();
    learner_ = *std::move(learner);
    for (int k = 0; k < 2; ++k) {
      servers_.push_back(std::make_unique<ServerChild>(
          options_.env_server, options_.folder, absl::StrCat("unix:", options_.folder, "/env", k),
          std::vector<std::string>{}));
      absl::Status status = servers_.back()->Start();
      if (status.ok()) status = StartCollector(k);
      if (!status.ok()) return status;
    }
    return run_.Await(*learner_, kFramesAnUpdate);
  }

  // With patience for a server that comes back soon, not for the whole of the default.
  absl::Status StartCollector(int k) {
    auto collector = Child::Start(
        {options_.collector, absl::StrCat("--learner=", listen_),
         absl::StrCat("--server=", servers_[static_cast<size_t>(k)]->address()),
         absl::StrCat("--num_envs=", kLanes / 2), absl::StrCat("--name=collector-", k)},
        absl::StrCat(options_.folder, "/collector", k, ".log"));
    if (!collector.ok()) return collector.status();
    collectors_[k] = *std::move(collector);
    return absl::OkStatus();
  }

  absl::Status ResumeLearner() {
    auto learner = run_.Start(/*resume=*/true, 0);
    if (learner.ok()) learner_ = *std::move(learner);
    return learner.status();
  }

  // All lanes bring something again: an update of all of them.
  absl::Status AwaitWhole() {
    const absl::Time deadline = absl::Now() + kPatience;
    int64_t before = run_.Frames();
    while (true) {
      absl::Status status = run_.Await(*learner_, before + 1);
      if (!status.ok()) return status;
      const int64_t now = run_.Frames();
      if (now - before >= kFramesAnUpdate && (now - before) % kFramesAnUpdate == 0) {
        return absl::OkStatus();
      }
      if (absl::Now() > deadline) return run_.Failed("does not get its lanes back");
      before = now;
    }
  }

  const LearnerRun& run() const { return run_; }
  Child& learner() { return *learner_; }
  Child& collector(int k) { return *collectors_[k]; }
  ServerChild& server(int k) { return *servers_[static_cast<size_t>(k)]; }

 private:
  const KillOptions options_;
  const std::string listen_;
  const LearnerRun run_;
  std::vector<std::unique_ptr<ServerChild>> servers_;
  std::unique_ptr<Child> collectors_[2];
  std::unique_ptr<Child> learner_;
};

// Kills beside a learner that never ends by itself, which must go on, and get its lanes back.
absl::StatusOr<std::string> KillBeside(const KillOptions& options,
                                       const std::function<void(Cluster&)>& kill,
                                       const std::function<absl::Status(Cluster&)>& start) {
  std::mt19937 random(options.seed);
  Cluster cluster(options);
  absl::Status status = cluster.Start(int64_t{1} << 40);
  if (!status.ok()) return status;
  const LearnerRun& run = cluster.run();
  for (int k = 0; status.ok() && k < options.kills; ++k) {
    absl::SleepFor(UpTo(100, random));
    kill(cluster);
    // The other half goes on meanwhile.
    status = run.Await(cluster.learner(), run.Frames() + kFramesAnUpdate);
    if (status.ok()) status = start(cluster);
    if (status.ok()) status = cluster.AwaitWhole();
  }
  if (!status.ok()) return status;
  cluster.learner().Signal(SIGTERM);
  if (cluster.learner().Wait(absl::Now() + kPatience) != 0) return run.Failed("did not end well");
  status = run.CheckProgress({kFramesAnUpdate, kFramesAnUpdate / 2});
  if (!status.ok()) return status;
  const auto last = run.Last();
  if (!last.ok()) return last.status();
  return absl::StrFormat(
      "%d kills; the learner went on with the others each time and got the lanes back; %d frames "
      "in %d updates",
      options.kills, last->state.frames(), last->state.updates());
}

}  // namespace

absl::StatusOr<std::string> KillCollectors(const KillOptions& options) {
  return KillBeside(
      options, [](Cluster& cluster) { cluster.collector(1).Kill(); },
      [](Cluster& cluster) { return cluster.StartCollector(1); });
}

absl::StatusOr<std::string> KillLearnersUnderCollectors(const KillOptions& options) {
  std::mt19937 random(options.seed);
  const int64_t frames = int64_t{kFramesAnUpdate} * (30 + 6 * options.kills) + 5;
  Cluster cluster(options);
  absl::Status status = cluster.Start(frames);
  if (!status.ok()) return status;
  const LearnerRun& run = cluster.run();
  int kills = 0;
  while (kills < options.kills && cluster.learner().Running()) {
    status = run.Await(cluster.learner(), run.Frames() + kFramesAnUpdate);
    if (!status.ok()) return status;
    absl::SleepFor(UpTo(60, random));
    if (!cluster.learner().Running()) break;
    cluster.learner().Kill();
    ++kills;
    if (status = cluster.ResumeLearner(); !status.ok()) return status;
  }
  if (cluster.learner().Wait(absl::Now() + kPatience) != 0) return run.Failed("did not end well");
  if (kills < options.kills) return absl::InternalError(absl::StrCat("only ", kills, " kills"));
  for (int k = 0; k < 2; ++k) {
    if (cluster.collector(k).Wait(absl::Now() + kPatience) == 0) continue;
    return absl::InternalError(absl::StrCat("collector ", k, " did not end with the run"));
  }
  status = run.CheckProgress({kFramesAnUpdate, kFramesAnUpdate / 2, 5});
  if (!status.ok()) return status;
  const auto last = run.Last();
  if (!last.ok()) return last.status();
  if (last->state.frames() != frames) {
    return absl::DataLossError(absl::StrCat(last->state.frames(), " frames, not ", frames));
  }
  return absl::StrFormat(
      "%d kills, resumed each time; the collectors came back and ended with it, "
      "after exactly %d frames",
      kills, frames);
}

absl::StatusOr<std::string> KillServersUnderCollectors(const KillOptions& options) {
  return KillBeside(
      options, [](Cluster& cluster) { cluster.server(1).Kill(); },
      [](Cluster& cluster) { return cluster.server(1).Start(); });
}

}  // namespace hivewire
