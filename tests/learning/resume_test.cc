// Training on real envs, in process: what a run needs to go on exactly where it stopped.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/trainer.h"
#include "tests/learning/inproc_training.h"

namespace hivewire {
namespace {

constexpr int kLanes = InprocTraining::kLanes;
constexpr int kUpdate = InprocTraining::kUpdate;
constexpr int kTotal = 4 * kUpdate;

class ResumeTest : public testing::TestWithParam<const char*> {
 protected:
  Checkpoint Train(const std::string& name, int64_t frames, const Checkpoint* from = nullptr) {
    return training_.TrainTo(name, frames, from);
  }

  static void ExpectSameBits(const Checkpoint& whole, const Checkpoint& halves) {
    EXPECT_EQ(halves.state.frames(), whole.state.frames());
    EXPECT_EQ(halves.state.episodes(), whole.state.episodes());
    EXPECT_GT(whole.state.latest_returns_size(), 0);
    const auto& latest = whole.state.latest_returns();
    EXPECT_TRUE(std::equal(latest.begin(), latest.end(), halves.state.latest_returns().begin(),
                           halves.state.latest_returns().end()));
    EXPECT_EQ(halves.tensors.tensors().size(), whole.tensors.tensors().size());
    for (const auto& [name, tensor] : whole.tensors.tensors()) {
      // An env's snapshot counts the operations of its pool, which is another one after a resume.
      if (name.rfind("env_state.", 0) == 0) continue;
      ASSERT_TRUE(halves.tensors.contains(name)) << name;
      EXPECT_TRUE(tensor.bytes == (*halves.tensors.Get(name))->bytes) << name;
    }
  }

  InprocTraining training_{GetParam()};
};

TEST_P(ResumeTest, TwoHalvesAreTheWholeBitForBit) {
  const Checkpoint whole = Train("whole", kTotal);
  const Checkpoint half = Train("halves", 2 * kUpdate);
  EXPECT_EQ(half.state.frames(), 2 * kUpdate);
  const Checkpoint halves = Train("halves", kTotal, &half);

  ExpectSameBits(whole, halves);
}

TEST_P(ResumeTest, SoTheyAreWithTransformsThatRemember) {
  v1::TransformConfig& stack = *training_.config().add_transforms();
  stack.set_type("frame_stack");
  stack.set_frames(3);
  const Checkpoint whole = Train("whole", kTotal);
  const Checkpoint half = Train("halves", 2 * kUpdate);
  const Checkpoint halves = Train("halves", kTotal, &half);
  ExpectSameBits(whole, halves);
  EXPECT_TRUE(whole.tensors.contains("transform.0.0"));
}

TEST_P(ResumeTest, TheRunEndsAtExactlyTheFramesAskedFor) {
  training_.config().mutable_collection()->set_total_frames(kUpdate + 2 * kLanes + 5);
  EXPECT_EQ(Train("exact", kTotal).state.frames(), kUpdate + 2 * kLanes + 5);
}

TEST_P(ResumeTest, AnEvaluationThatWasCutShortIsMadeAfterwards) {
  training_.Set({absl::StrCat("evaluation.interval=", kUpdate), "evaluation.episodes=3"});
  const RunFolder whole = training_.Train("whole", kTotal);
  // The run is asked to stop before the evaluation after the second update.
  const Checkpoint half = Train("halves", 2 * kUpdate);
  EXPECT_EQ(half.state.evaluated(), kUpdate);
  const RunFolder halves = training_.Train("halves", kTotal, &half);
  const auto expected = ReadFile(whole.path() + "/evaluations.csv");
  const auto got = ReadFile(halves.path() + "/evaluations.csv");
  ASSERT_TRUE(expected.ok()) << expected.status();
  EXPECT_EQ(std::count(expected->begin(), expected->end(), '\n'), 1 + kTotal / kUpdate);
  EXPECT_EQ(*got, *expected);
}

TEST_P(ResumeTest, ARunWhoseEvaluationFailsKeepsWhatItLearned) {
  training_.Set({"evaluation.episodes=3"});
  Reach reach = training_.reach();
  int pools = 0;
  reach.carriers =
      [&pools, make = reach.carriers](
          const std::string& address, const ConnectionOptions& connection,
          const v1::CreatePoolRequest& request) -> absl::StatusOr<std::unique_ptr<Carrier>> {
    if (pools++ > 0) return absl::ResourceExhaustedError("no second pool");
    return make(address, connection, request);
  };
  const std::string path = testing::TempDir() + "/failed";
  std::filesystem::remove_all(path);
  auto trainer = Trainer::Create(training_.config(), reach, nullptr);
  ASSERT_TRUE(trainer.ok()) << trainer.status();
  const auto folder = RunFolder::Create(training_.config(), path);
  const absl::Status status = (*trainer)->Run(*folder, [] { return false; });
  EXPECT_NE(status.message().find("evaluation: no second pool"), std::string::npos) << status;
  const auto last = CheckpointFolder(folder->checkpoints()).Find("last");
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_EQ(ReadCheckpoint(*last)->state.frames(), kTotal);
}

TEST_P(ResumeTest, ACheckpointOfAnotherEnvIsRefused) {
  const Checkpoint checkpoint = Train("first", kUpdate);
  training_.config().mutable_env()->set_id("Pendulum-v1");
  const absl::Status status =
      Trainer::Create(training_.config(), training_.reach(), &checkpoint).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("Pendulum-v1 has 3"), std::string::npos) << status;
}

INSTANTIATE_TEST_SUITE_P(Envs, ResumeTest,
                         testing::Values("CartPole-v1", "InvertedDoublePendulum-v5"));

}  // namespace
}  // namespace hivewire
