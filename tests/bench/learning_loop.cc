#include "tests/bench/learning_loop.h"

#include <utility>

#include "policy/embedded_source.h"
#include "policy/fragment_collector.h"
#include "policy/remote_policy_source.h"
#include "policy/session.h"
#include "policy/step_collector.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<LearningLoop>> LearningLoop::Make(const v1::LearnerConfig& config,
                                                                 Chooser chooser) {
  std::unique_ptr<LearningLoop> loop(new LearningLoop());
  absl::StatusOr<Problem> problem;
  if (chooser == Chooser::kServer) {
    auto rollout = MakeRollout(config, {});
    if (!rollout.ok()) return rollout.status();
    loop->rollout_ = *std::move(rollout);
    problem = MakeProblem(*loop->rollout_);
  } else {
    auto env = MakeEnv(config, config.env().num_envs(), {});
    if (!env.ok()) return env.status();
    loop->env_ = *std::move(env);
    problem = MakeProblem(*loop->env_, config);
  }
  if (!problem.ok()) return problem.status();
  auto algorithm = MakeAlgorithm(config, *problem);
  if (!algorithm.ok()) return algorithm.status();
  loop->algorithm_ = *std::move(algorithm);

  if (chooser == Chooser::kServer) {
    loop->source_ = std::make_unique<RemotePolicySource>(*loop->rollout_, *problem, config);
  } else {
    auto observations = MakeObservations(*loop->env_, config);
    if (!observations.ok()) return observations.status();
    if (chooser == Chooser::kLibTorch) {
      loop->collector_ = std::make_unique<StepCollector>(
          *loop->env_, *loop->algorithm_, problem->action, config, *std::move(observations));
    } else {
      loop->source_ =
          std::make_unique<EmbeddedSource>(*loop->env_, *problem, config, *std::move(observations));
    }
  }
  if (loop->source_ != nullptr) {
    loop->collector_ =
        std::make_unique<FragmentCollector>(*loop->source_, *loop->algorithm_, config);
  }
  if (absl::Status status = loop->collector_->Start(config.seed()); !status.ok()) return status;
  return loop;
}

absl::StatusOr<int64_t> LearningLoop::Collect() {
  auto collected = collector_->Collect(INT64_MAX);
  collector_->TakeEpisodes();
  return collected;
}

absl::Status LearningLoop::Update() { return algorithm_->Update(/*progress=*/0).status(); }

}  // namespace hivewire
