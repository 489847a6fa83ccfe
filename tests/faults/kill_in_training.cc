#include <signal.h>

#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "policy/step_collector.h"
#include "tests/faults/checking_algorithm.h"
#include "tests/faults/child.h"
#include "tests/faults/kill_matrix.h"
#include "tests/faults/learner_run.h"

namespace hivewire {
namespace {

absl::Status KillServer(ServerChild& server, int kills, std::mt19937& random,
                        const std::function<int64_t()>& progress) {
  return KillAndRestart([&] { server.Kill(); }, [&] { return server.Start(); }, kills, random,
                        progress);
}

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
  auto observations = Observations::Make(config, (*env)->observation_leaves(), (*env)->num_envs());
  if (!observations.ok()) return observations.status();
  StepCollector collector(**env, algorithm, *action, config, *std::move(observations));
  status = collector.Start(1);

  std::atomic<bool> done{false};
  std::atomic<int64_t> transitions{0};
  absl::Status killed;
  std::thread killer([&] {
    killed = KillServer(server, options.kills, random, [&] { return transitions.load(); });
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
  const LearnerRun run{options.learner, absl::StrCat("--server=", server.address()),
                       absl::StrCat(options.folder, "/run")};
  auto child = run.Start(/*resume=*/false, int64_t{1} << 40);
  if (!child.ok()) return child.status();
  status = run.Await(**child, kFramesAnUpdate);
  if (status.ok()) {
    status = KillServer(server, options.kills, random, [&] { return run.Frames(); });
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
  const LearnerRun run{options.learner, absl::StrCat("--server=", server.address()),
                       absl::StrCat(options.folder, "/run")};
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

  const LearnerRun undisturbed{options.learner, absl::StrCat("--server=", server.address()),
                               absl::StrCat(options.folder, "/undisturbed")};
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
