// What `learner eval` evaluates, and what it keeps of it.
#include "policy/evaluation.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "policy/checkpoint/checkpoint.h"
#include "policy/checkpoint_choice.h"
#include "policy/trained_policy.h"
#include "policy/trajectory_keeper.h"
#include "tests/learning/inproc_training.h"
#include "tests/parity/npz.h"

namespace hivewire {
namespace {

constexpr int kUpdate = InprocTraining::kUpdate;
constexpr int kEpisodes = 7;

class EvaluationTest : public testing::Test {
 protected:
  // Three checkpoints of CartPole, and a best one.
  RunFolder Train(const std::string& name) {
    training_.Set({"checkpoint.interval=" + std::to_string(kUpdate), "checkpoint.keep=3",
                   "evaluation.num_envs=3"});
    const RunFolder folder = training_.Train(name, 4 * kUpdate);
    EXPECT_TRUE(CheckpointFolder(folder.checkpoints()).MarkBest(3 * kUpdate).ok());
    return folder;
  }

  TrainedPolicy Load(const RunFolder& folder) {
    const auto path = CheckpointFolder(folder.checkpoints()).Find("last");
    auto policy = LoadTrainedPolicy(*path, {}, kEpisodes, training_.reach());
    EXPECT_TRUE(policy.ok()) << policy.status();
    return *std::move(policy);
  }

  static Evaluation Play(TrainedPolicy& policy, EvaluationOptions options) {
    options.episodes = kEpisodes;
    auto evaluation = Evaluate(*policy.env, *policy.observations,
                               {*policy.algorithm, policy.action, policy.normalizer.get()}, options,
                               [] { return false; });
    EXPECT_TRUE(evaluation.ok()) << evaluation.status();
    return *std::move(evaluation);
  }

  InprocTraining training_{"CartPole-v1"};
};

TEST_F(EvaluationTest, TakesTheMostLikelyActionsOrDrawsThemBySeed) {
  TrainedPolicy policy = Load(Train("actions"));
  const Evaluation greedy = Play(policy, {.seed = 5});
  EXPECT_EQ(greedy.returns.size(), kEpisodes);
  EXPECT_EQ(Play(policy, {.seed = 5}).returns, greedy.returns);

  const Evaluation drawn = Play(policy, {.seed = 5, .stochastic = true});
  EXPECT_NE(drawn.returns, greedy.returns);
  EXPECT_EQ(Play(policy, {.seed = 5, .stochastic = true}).returns, drawn.returns);
}

TEST_F(EvaluationTest, OfMoreServersThanLanesTheFirstOnesAreAsked) {
  training_.config().mutable_env()->set_server("unix:/a,unix:/b,unix:/c");
  for (const int lanes : {1, 2, 3}) {
    const auto env = MakeEvaluationEnv(training_.config(), lanes, training_.reach());
    ASSERT_TRUE(env.ok()) << env.status();
    EXPECT_EQ((*env)->num_envs(), lanes);
  }
}

TEST_F(EvaluationTest, AnEpisodeIsASuccessByItsReturnWhereTheEnvSaysNothing) {
  TrainedPolicy policy = Load(Train("success"));
  const Evaluation all = Play(policy, {.seed = 5});
  EXPECT_FALSE(all.env_tells_success);
  EXPECT_EQ(SpreadOf(all.successes).mean, 1);
  const double threshold = SpreadOf(all.returns).low;
  const Evaluation some = Play(policy, {.seed = 5, .success_return = threshold});
  for (size_t i = 0; i < some.returns.size(); ++i) {
    EXPECT_EQ(some.successes[i], some.returns[i] > threshold ? 1 : 0);
  }
  EXPECT_LT(SpreadOf(some.successes).mean, 1);
}

TEST_F(EvaluationTest, KeptTrajectoriesAreTheEpisodesStepByStep) {
  TrainedPolicy policy = Load(Train("trajectories"));
  TrajectoryKeeper keeper(policy.env->num_envs(), ActionLeaf(*policy.env));
  const Evaluation evaluation =
      Play(policy, {.seed = 5, .stochastic = true, .spectators = {&keeper}});
  const std::string path = testing::TempDir() + "/trajectories.npz";
  ASSERT_TRUE(keeper.Write(path).ok());

  auto arrays = ReadNpz(path);
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  EXPECT_EQ((*arrays)["episode_returns"].Numbers(), evaluation.returns);
  EXPECT_EQ((*arrays)["episode_lengths"].Numbers(), evaluation.lengths);
  double sum = 0;
  for (const double length : evaluation.lengths) sum += length;
  const auto steps = static_cast<int64_t>(sum);
  const std::string leaf = "observations/" + policy.env->observation_leaves()[0].name();
  EXPECT_EQ((*arrays)[leaf].shape, (std::vector<int64_t>{steps + kEpisodes, 4}));
  EXPECT_EQ((*arrays)["actions"].shape, (std::vector<int64_t>{steps}));
  EXPECT_EQ((*arrays)["terminated"].dtype, "|b1");

  // The first lane's first episode, played again by what was kept of it.
  const NumpyArray& observations = (*arrays)[leaf];
  const NumpyArray& actions = (*arrays)["actions"];
  const size_t row_bytes = observations.row_size() * sizeof(float);
  const size_t action_bytes = actions.bytes.size() / static_cast<size_t>(steps);
  StepResult result;
  const std::vector<uint32_t> lane = {0};
  ASSERT_TRUE(policy.env->Reset((*arrays)["episode_seeds"].Uint64()[0], result).ok());
  for (size_t step = 0;; ++step) {
    ASSERT_EQ(std::string(result.observations[0].row(0), row_bytes),
              observations.bytes.substr(step * row_bytes, row_bytes))
        << step;
    if (step == static_cast<size_t>(evaluation.lengths[0])) break;
    const std::string action = actions.bytes.substr(step * action_bytes, action_bytes);
    ASSERT_TRUE(policy.env->SendStep(lane, action).ok());
    ASSERT_TRUE(policy.env->Receive(result).ok());
    EXPECT_EQ(result.rewards[0], (*arrays)["rewards"].Numbers()[step]);
  }
  EXPECT_TRUE(result.terminated[0] || result.truncated[0]);
}

TEST_F(EvaluationTest, ARunAFileAFolderOrNothingAtAllNamesCheckpoints) {
  const std::string runs = testing::TempDir() + "/runs";
  std::filesystem::remove_all(runs);
  std::filesystem::create_directories(runs);
  EXPECT_EQ(ChooseCheckpoints("", "best", runs).status().code(), absl::StatusCode::kNotFound);
  Train("runs/older");
  const RunFolder newer = Train("runs/newer");

  const auto of = [&](const std::string& target, const std::string& which) {
    auto choice = ChooseCheckpoints(target, which, runs);
    EXPECT_TRUE(choice.ok()) << choice.status();
    EXPECT_TRUE(choice->folder.has_value());
    EXPECT_TRUE(std::filesystem::equivalent(choice->folder->path(), newer.path()));
    return choice->paths;
  };
  const std::vector<std::string> all = CheckpointFolder(newer.checkpoints()).All();
  ASSERT_EQ(all.size(), 3u);  // "best" is another name of one of them
  EXPECT_EQ(of("", "best"), std::vector<std::string>{newer.checkpoints() + "/best.safetensors"});
  EXPECT_EQ(of("", "all"), all);
  EXPECT_EQ(of(newer.path() + "/", "last"), std::vector<std::string>{all[2]});
  EXPECT_EQ(of(newer.path(), std::to_string(2 * kUpdate)), std::vector<std::string>{all[0]});
  EXPECT_EQ(of(newer.checkpoints(), "best"), all);
  EXPECT_EQ(of(all[1], "best"), std::vector<std::string>{all[1]});
  const absl::Status missing = ChooseCheckpoints(newer.path(), "5", runs).status();
  EXPECT_NE(missing.message().find("best, last, "), std::string::npos) << missing;
}

}  // namespace
}  // namespace hivewire
