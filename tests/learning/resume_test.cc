// Training on real envs, in process: what a run needs to go on exactly where it stopped.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "client/inproc.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/config/config.h"
#include "policy/trainer.h"
#include "server/pool/workers.h"
#include "server/tasks/registry.h"

namespace hivewire {
namespace {

// Frames of one update, and of a whole run.
constexpr int kLanes = 6;
constexpr int kUpdate = 32 * kLanes;
constexpr int kTotal = 4 * kUpdate;

const Registry& Envs() {
  static const Registry* registry = [] {
    auto built = Registry::Builtin();
    if (!built.ok()) std::abort();
    return new Registry(*std::move(built));
  }();
  return *registry;
}

class ResumeTest : public testing::TestWithParam<const char*> {
 protected:
  ResumeTest() : workers_(2) {
    reach_.carriers = InprocCarriers(Envs(), workers_);
    ConfigSources sources;
    sources.overrides = {"env.server=inproc:",
                         std::string("env.id=") + GetParam(),
                         "env.num_envs=" + std::to_string(kLanes),
                         "collection.total_frames=" + std::to_string(kTotal),
                         "checkpoint.interval=0",
                         "evaluation.episodes=0",
                         "ppo.rollout_steps=32",
                         "ppo.minibatch_size=48",
                         "ppo.epochs=3"};
    config_ = *LoadConfig(sources);
  }

  // Trains until `frames`, from `from` where it is not null, in a folder of this name; what it
  // leaves.
  Checkpoint Train(const std::string& name, int64_t frames, const Checkpoint* from = nullptr) {
    const std::string path = testing::TempDir() + "/" + name;
    if (from == nullptr) std::filesystem::remove_all(path);
    auto trainer = Trainer::Create(config_, reach_, from);
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    auto folder = from == nullptr ? RunFolder::Create(config_, path) : RunFolder::Open(path);
    EXPECT_TRUE(folder.ok()) << folder.status();
    const auto stop = [&] { return (*trainer)->frames() >= frames && frames < kTotal; };
    const absl::Status status = (*trainer)->Run(*folder, stop);
    EXPECT_TRUE(status.ok()) << status;
    const auto last = CheckpointFolder(folder->checkpoints()).Find("last");
    EXPECT_TRUE(last.ok()) << last.status();
    return *ReadCheckpoint(*last);
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

  Workers workers_;
  Reach reach_;
  v1::LearnerConfig config_;
};

TEST_P(ResumeTest, TwoHalvesAreTheWholeBitForBit) {
  const Checkpoint whole = Train("whole", kTotal);
  const Checkpoint half = Train("halves", 2 * kUpdate);
  EXPECT_EQ(half.state.frames(), 2 * kUpdate);
  const Checkpoint halves = Train("halves", kTotal, &half);

  ExpectSameBits(whole, halves);
}

TEST_P(ResumeTest, SoTheyAreWithTransformsThatRemember) {
  v1::TransformConfig& stack = *config_.add_transforms();
  stack.set_type("frame_stack");
  stack.set_frames(3);
  const Checkpoint whole = Train("whole", kTotal);
  const Checkpoint half = Train("halves", 2 * kUpdate);
  const Checkpoint halves = Train("halves", kTotal, &half);
  ExpectSameBits(whole, halves);
  EXPECT_TRUE(whole.tensors.contains("transform.0.0"));
}

TEST_P(ResumeTest, TheRunEndsAtExactlyTheFramesAskedFor) {
  config_.mutable_collection()->set_total_frames(kUpdate + 2 * kLanes + 5);
  EXPECT_EQ(Train("exact", kTotal).state.frames(), kUpdate + 2 * kLanes + 5);
}

TEST_P(ResumeTest, ACheckpointOfAnotherEnvIsRefused) {
  const Checkpoint checkpoint = Train("first", kUpdate);
  config_.mutable_env()->set_id("Pendulum-v1");
  const absl::Status status = Trainer::Create(config_, reach_, &checkpoint).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("Pendulum-v1 has 3"), std::string::npos) << status;
}

INSTANTIATE_TEST_SUITE_P(Envs, ResumeTest,
                         testing::Values("CartPole-v1", "InvertedDoublePendulum-v5"));

}  // namespace
}  // namespace hivewire
