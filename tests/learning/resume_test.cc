// Training on real envs, in process: what a run needs to go on exactly where it stopped.
#include <gtest/gtest.h>

#include <string>

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
