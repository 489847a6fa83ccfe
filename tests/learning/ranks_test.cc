// Training in several ranks, through a real env server: that it ends where it should, goes on where
// it stopped, and leaves a checkpoint where a rank is lost.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/config/config.h"
#include "policy/ranks/testing/joined_ranks.h"
#include "policy/trainer.h"
#include "server/rpc/env_server.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

constexpr int kLanes = 8;
constexpr int kSteps = 16;
constexpr int kUpdate = kLanes * kSteps;

// By collection.mode.
class RanksTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    EnvServerOptions options = TestServerOptions(folder_.Socket("env.sock"));
    options.rollouts.allow = true;
    server_ = StartTestServer(BuiltinEnvs(), options);
    ConfigSources sources;
    sources.overrides = {
        absl::StrCat("env.server=", folder_.Socket("env.sock")), "env.id=CartPole-v1",
        absl::StrCat("env.num_envs=", kLanes), absl::StrCat("collection.mode=", GetParam()),
        "checkpoint.interval=0", "evaluation.episodes=2", "threads=1",
        absl::StrCat("ppo.rollout_steps=", kSteps), "ppo.minibatch_size=32", "ppo.epochs=2",
        // Shorter than the whole run, and no whole number of updates.
        absl::StrCat("collection.init_random_frames=", kUpdate + 1)};
    config_ = *LoadConfig(sources);
  }

  v1::LearnerConfig Frames(int64_t frames) const {
    v1::LearnerConfig config = config_;
    config.mutable_collection()->set_total_frames(frames);
    return config;
  }

  // What each rank's training ends with, in the run folder `name`; a rank is asked to stop once
  // `stops` says so.
  std::vector<absl::Status> Train(int size, const std::string& name,
                                  const v1::LearnerConfig& config, const Checkpoint* from,
                                  const std::function<bool(int rank)>& stops = nullptr) {
    std::vector<absl::Status> ends(static_cast<size_t>(size));
    RunRanks(size, [&](Ranks& ranks) {
      ends[static_cast<size_t>(ranks.rank())] = [&] {
        auto trainer = Trainer::Create(config, {}, from, /*weights=*/nullptr, &ranks);
        if (!trainer.ok()) return trainer.status();
        std::optional<RunFolder> folder;
        const std::string path = absl::StrCat(folder_.path(), "/", name);
        if (ranks.rank() == 0) {
          auto opened = from != nullptr ? RunFolder::Open(path) : RunFolder::Create(config, path);
          if (!opened.ok()) return opened.status();
          folder = *std::move(opened);
        }
        return (*trainer)->Run(folder, [&] { return stops && stops(ranks.rank()); });
      }();
    });
    return ends;
  }

  Checkpoint Last(const std::string& name) const {
    const auto path =
        CheckpointFolder(absl::StrCat(folder_.path(), "/", name, "/checkpoints")).Find("last");
    EXPECT_TRUE(path.ok()) << path.status();
    auto checkpoint = path.ok() ? ReadCheckpoint(*path) : path.status();
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    return checkpoint.ok() ? *std::move(checkpoint) : Checkpoint();
  }

  ShortFolder folder_;
  std::unique_ptr<EnvServer> server_;
  v1::LearnerConfig config_;
};

TEST_P(RanksTest, OneTwoAndFourEndAtExactlyTheFramesAskedFor) {
  for (const int size : {1, 2, 4}) {
    // One frame more than whole steps: all ranks but one have none of it.
    const int64_t frames = 4 * kUpdate + kLanes + 1;
    const std::string name = absl::StrCat("run", size);
    for (const absl::Status& end : Train(size, name, Frames(frames), nullptr)) {
      EXPECT_TRUE(end.ok()) << end;
    }
    const Checkpoint last = Last(name);
    EXPECT_EQ(last.state.frames(), frames);
    EXPECT_EQ(last.state.ranks(), size);
    EXPECT_GT(last.state.episodes(), 0);
    EXPECT_TRUE(last.state.has_best_evaluation_return());
    // The normaliser saw every lane's observations.
    double seen = 0;
    ASSERT_TRUE(last.tensors.GetDoubles("normalizer.observation.count", {&seen, 1}).ok());
    EXPECT_GE(seen, static_cast<double>(frames - kLanes));
    // Weights are kept once, lanes and random state for each rank.
    EXPECT_FALSE(last.tensors.contains("rank.1.model.policy.0.weight"));
    EXPECT_EQ(last.tensors.contains("rank.1.env_state.0"), size > 1);
    EXPECT_EQ(last.tensors.contains("rank.3.env_state.1"), size > 3);
  }
}

TEST_P(RanksTest, TwoThatGoOnAreTwoThatNeverStopped) {
  // Else it would follow the frames of the whole run.
  config_.mutable_ppo()->set_learning_rate_schedule("constant");
  const v1::LearnerConfig config = Frames(6 * kUpdate);
  for (const absl::Status& end : Train(2, "whole", config, nullptr)) EXPECT_TRUE(end.ok()) << end;
  for (const absl::Status& end : Train(2, "part", Frames(3 * kUpdate), nullptr)) {
    EXPECT_TRUE(end.ok()) << end;
  }
  const Checkpoint half = Last("part");
  for (const absl::Status& end : Train(2, "part", config, &half)) EXPECT_TRUE(end.ok()) << end;
  const Checkpoint whole = Last("whole"), part = Last("part");
  EXPECT_EQ(part.state.frames(), whole.state.frames());
  for (const auto& [name, tensor] : whole.tensors.tensors()) {
    // A snapshot counts the operations of its pool, which is another one after a resume.
    if (absl::StrContains(name, "env_state.")) continue;
    ASSERT_TRUE(part.tensors.contains(name)) << name;
    EXPECT_TRUE((*part.tensors.Get(name))->bytes == tensor.bytes) << name;
  }
}

TEST_P(RanksTest, OneThatIsAskedToStopStopsAllWithACheckpoint) {
  const absl::Time begin = absl::Now();
  const auto ends = Train(2, "stopped", Frames(100000 * kUpdate), nullptr, [&](int rank) {
    return rank == 1 && absl::Now() > begin + absl::Seconds(1);
  });
  for (const absl::Status& end : ends) EXPECT_TRUE(end.ok()) << end;
  const Checkpoint last = Last("stopped");
  EXPECT_GT(last.state.frames(), 0);
  EXPECT_TRUE(last.tensors.contains("rank.1.env_state.0"));
}

TEST_P(RanksTest, AnotherNumberOfRanksIsRefused) {
  for (const absl::Status& end : Train(2, "two", Frames(2 * kUpdate), nullptr)) {
    EXPECT_TRUE(end.ok()) << end;
  }
  const Checkpoint two = Last("two");
  for (const absl::Status& end : Train(4, "two", Frames(4 * kUpdate), &two)) {
    EXPECT_TRUE(absl::IsFailedPrecondition(end)) << end;
    EXPECT_TRUE(absl::StrContains(end.message(), "ranks is 4; the run has 2")) << end;
  }
  const absl::Status alone = Trainer::Create(Frames(4 * kUpdate), {}, &two).status();
  EXPECT_TRUE(absl::StrContains(alone.message(), "ranks is 1; the run has 2")) << alone;
}

TEST_P(RanksTest, LanesThatCannotBeSharedOutAreRefused) {
  v1::LearnerConfig config = Frames(kUpdate);
  config.mutable_env()->set_num_envs(7);
  for (const absl::Status& end : Train(2, "seven", config, nullptr)) {
    EXPECT_TRUE(absl::IsInvalidArgument(end)) << end;
    EXPECT_TRUE(absl::StrContains(end.message(), "env.num_envs is 7")) << end;
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, RanksTest, testing::Values("steps", "remote-policy"));

}  // namespace
}  // namespace hivewire
