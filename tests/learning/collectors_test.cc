// Training whose envs are stepped by collectors (collection.mode collectors), through real servers:
// that it is the training that a learner does alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/collecting.h"
#include "policy/config/config.h"
#include "policy/random_policy.h"
#include "policy/rpc/training_server.h"
#include "policy/trainer.h"
#include "server/rpc/env_server.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

constexpr int kLanes = 8;
constexpr int kSteps = 32;
// Not a whole number of updates, nor of steps.
constexpr int kTotal = 3 * kSteps * kLanes + 5 * kLanes + 3;

absl::StatusOr<std::unique_ptr<FragmentSource>> Listen(const v1::LearnerConfig& config,
                                                       int64_t frames, const std::string& address) {
  ListenOptions options;
  options.listen = address;
  options.stop = [] { return false; };
  return TrainingServer::Start(config, frames, options);
}

class CollectorsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    server_ = Serve("env.sock");
    ConfigSources sources;
    sources.overrides = {absl::StrCat("env.server=", folder_.Socket("env.sock")),
                         absl::StrCat("env.id=", GetParam()),
                         absl::StrCat("env.num_envs=", kLanes),
                         absl::StrCat("collection.total_frames=", kTotal),
                         "collection.max_frames_per_traj=20",
                         "checkpoint.interval=0",
                         "evaluation.episodes=0",
                         absl::StrCat("ppo.rollout_steps=", kSteps),
                         "ppo.minibatch_size=48",
                         "ppo.epochs=3"};
    config_ = *LoadConfig(sources);
  }

  std::unique_ptr<EnvServer> Serve(const std::string& socket) {
    return StartTestServer(BuiltinEnvs(), TestServerOptions(folder_.Socket(socket)));
  }

  // Trains to the end in a folder of this name, in the learner alone or with collectors of so many
  // lanes each; what it leaves.
  Checkpoint Train(const std::string& name, const std::vector<int>& lanes) {
    const RunFolder folder = TrainWith(
        name, lanes, [](const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; });
    const auto last = CheckpointFolder(folder.checkpoints()).Find("last");
    EXPECT_TRUE(last.ok()) << last.status();
    return *ReadCheckpoint(*last);
  }

  // `check` sees how the learner and each collector ended.
  RunFolder TrainWith(const std::string& name, const std::vector<int>& lanes,
                      const std::function<void(const absl::Status&)>& check) {
    v1::LearnerConfig config = config_;
    Reach reach;
    over_ = false;
    std::vector<std::thread> collectors;
    if (!lanes.empty()) {
      config.mutable_collection()->set_mode(kCollectors);
      const std::string listen = folder_.Socket(absl::StrCat(name, ".sock"));
      reach.collectors = [listen](const v1::LearnerConfig& run, int64_t frames) {
        return Listen(run, frames, listen);
      };
      for (size_t k = 0; k < lanes.size(); ++k) {
        collectors.emplace_back([this, listen, k, num_envs = lanes[k], &check] {
          CollectorOptions options;
          options.learner = listen;
          options.server = folder_.Socket("env.sock");
          options.num_envs = num_envs;
          options.name = absl::StrCat("collector-", k);
          // One that comes after the end finds nobody.
          check(RunCollector(options, [this] { return over_.load(); }));
        });
      }
    }
    auto folder = RunFolder::Create(config, folder_.path() + "/" + name);
    EXPECT_TRUE(folder.ok()) << folder.status();
    {
      auto trainer = Trainer::Create(config, reach, nullptr);
      EXPECT_TRUE(trainer.ok()) << trainer.status();
      if (trainer.ok()) check((*trainer)->Run(*folder, [] { return false; }));
    }
    over_ = true;
    for (std::thread& collector : collectors) collector.join();
    return *std::move(folder);
  }

  // All that a learner with collectors keeps: weights, moments, normalisers, random state.
  static void ExpectSameBits(const Checkpoint& collected, const Checkpoint& embedded) {
    EXPECT_EQ(collected.state.frames(), embedded.state.frames());
    EXPECT_EQ(collected.state.episodes(), embedded.state.episodes());
    EXPECT_GT(collected.tensors.tensors().size(), 10u);
    for (const auto& [name, tensor] : collected.tensors.tensors()) {
      ASSERT_TRUE(embedded.tensors.contains(name)) << name;
      EXPECT_TRUE(tensor.bytes == (*embedded.tensors.Get(name))->bytes) << name;
    }
  }

  ShortFolder folder_;
  std::unique_ptr<EnvServer> server_;
  v1::LearnerConfig config_;
  std::atomic<bool> over_{false};
};

TEST_P(CollectorsTest, APolicyThatNobodyCanActByEndsTheRun) {
  // Beyond all numbers within one update.
  config_.mutable_ppo()->set_learning_rate(1e39);
  std::atomic<int> failures{0};
  TrainWith("diverged", {8}, [&failures](const absl::Status& status) {
    if (status.ok()) return;
    ++failures;
    EXPECT_TRUE(absl::StrContains(status.message(), "is not finite")) << status;
  });
  EXPECT_EQ(failures, 1);
}

TEST_P(CollectorsTest, OneTwoAndFourGiveTheLearnerTheBitsOfTheEmbeddedOne) {
  const Checkpoint embedded = Train("embedded", {});
  EXPECT_EQ(embedded.state.frames(), kTotal);
  EXPECT_GT(embedded.state.episodes(), 0);
  ExpectSameBits(Train("one", {8}), embedded);
  ExpectSameBits(Train("two", {4, 4}), embedded);
  ExpectSameBits(Train("four", {2, 1, 2, 3}), embedded);
}

TEST_P(CollectorsTest, GroupsInFlightDoNotChangeWhatIsLearned) {
  config_.mutable_collection()->set_groups(1);
  const Checkpoint one = Train("one", {});
  config_.mutable_collection()->set_groups(2);
  const Checkpoint two = Train("two", {});
  for (const auto& [name, tensor] : one.tensors.tensors()) {
    if (absl::StartsWith(name, "env_state.")) continue;
    EXPECT_TRUE(tensor.bytes == (*two.tensors.Get(name))->bytes) << name;
  }
}

TEST_P(CollectorsTest, RandomFramesCountAndTeachTheNormaliserAlone) {
  config_.mutable_collection()->set_init_random_frames(100);
  const Checkpoint embedded = Train("embedded", {});
  EXPECT_EQ(embedded.state.frames(), kTotal);
  ExpectSameBits(Train("two", {4, 4}), embedded);
}

TEST_P(CollectorsTest, TransformsAndFixedMomentsAreTheSameWhereverTheyRun) {
  config_.mutable_normalization()->set_init_stats(200);
  v1::TransformConfig& stack = *config_.add_transforms();
  stack.set_type("frame_stack");
  stack.set_frames(3);
  const Checkpoint embedded = Train("embedded", {});
  ExpectSameBits(Train("three", {3, 3, 2}), embedded);
  // The moments are those of the random steps alone.
  const std::string count = "normalizer.observation.count";
  double rows = 0;
  ASSERT_TRUE(embedded.tensors.GetDoubles(count, {&rows, 1}).ok());
  EXPECT_EQ(rows, kSteps * kLanes);
}

TEST_P(CollectorsTest, APolicyThatRemembersDoesSoWhereverItRuns) {
  for (const char* type : {"gru", "lstm"}) {
    v1::ModelConfig& model = *config_.mutable_model();
    model.set_type(type);
    model.clear_hidden();
    model.add_hidden(16);
    model.set_recurrent_width(8);
    config_.mutable_ppo()->set_tbptt_steps(8);
    config_.set_threads(1);
    const Checkpoint embedded = Train(absl::StrCat(type, "-embedded"), {});
    ExpectSameBits(Train(absl::StrCat(type, "-one"), {8}), embedded);
    ExpectSameBits(Train(absl::StrCat(type, "-two"), {4, 4}), embedded);
    ExpectSameBits(Train(absl::StrCat(type, "-four"), {2, 1, 2, 3}), embedded);
  }
  config_.mutable_collection()->set_synchronous(false);
  EXPECT_EQ(Train("async", {3, 3, 2}).state.frames(), kTotal);
}

TEST_P(CollectorsTest, AsynchronousOnesEndAtExactlyTheFramesAskedFor) {
  config_.mutable_collection()->set_synchronous(false);
  const Checkpoint end = Train("async", {3, 3, 2});
  EXPECT_EQ(end.state.frames(), kTotal);
  EXPECT_GT(end.state.episodes(), 0);
}

INSTANTIATE_TEST_SUITE_P(Envs, CollectorsTest,
                         testing::Values("CartPole-v1", "InvertedDoublePendulum-v5"));

// The learner's part is played here.
TEST(ManyCollectors, ThreeHundredAndEightyFourLanesOverThirtyTwoFeedOneLearner) {
  constexpr int kCollectors32 = 32, kLanesEach = 12, kRounds = 8;
  ShortFolder folder;
  const auto server = StartTestServer(BuiltinEnvs(), TestServerOptions(folder.Socket("env.sock")));
  for (const bool synchronous : {true, false}) {
    const std::string listen = folder.Socket(synchronous ? "sync.sock" : "async.sock");
    ConfigSources sources;
    sources.overrides = {"env.id=CartPole-v1", "env.num_envs=384", "ppo.rollout_steps=16",
                         absl::StrCat("collection.synchronous=", synchronous ? "true" : "false")};
    const v1::LearnerConfig config = *LoadConfig(sources);
    std::vector<std::thread> collectors;
    for (int k = 0; k < kCollectors32; ++k) {
      collectors.emplace_back([&, k] {
        CollectorOptions options;
        options.learner = listen;
        options.server = folder.Socket("env.sock");
        options.num_envs = kLanesEach;
        options.name = absl::StrCat("collector-", k);
        options.reach.connection.connect_timeout = absl::Seconds(60);
        EXPECT_TRUE(RunCollector(options, [] { return false; }).ok());
      });
    }
    auto source = Listen(config, 0, listen);
    ASSERT_TRUE(source.ok()) << source.status();
    std::vector<int> fragments(kCollectors32 * kLanesEach);
    int rounds = 0;
    const auto starved = [&] { return std::count(fragments.begin(), fragments.end(), 0) > 0; };
    // Asynchronous ones come as they are quick; each must come, however quick the others are.
    for (; rounds < kRounds || (!synchronous && starved() && rounds < 50 * kRounds); ++rounds) {
      v1::Policy policy =
          RandomPolicy((*source)->action_leaf(), (*source)->problem().observation_dim);
      policy.set_version(static_cast<uint64_t>(rounds) + 1);
      policy.add_observation_leaves("observation");
      *policy.add_action() = (*source)->action_leaf();
      const auto parts = (*source)->Gather(policy, 16);
      ASSERT_TRUE(parts.ok()) << parts.status();
      for (const Experience& part : *parts) {
        for (const int lane : part.lanes) ++fragments[static_cast<size_t>(lane)];
      }
    }
    (*source)->Finish();
    for (std::thread& collector : collectors) collector.join();
    EXPECT_FALSE(starved());
    if (synchronous) {
      EXPECT_EQ(fragments, std::vector<int>(fragments.size(), kRounds));
    }
    EXPECT_EQ((*source)->losses(), 0);
  }
}

}  // namespace
}  // namespace hivewire
