// Training whose policy runs in the env server (collection.mode remote-policy), through real
// servers: that it repeats, resumes and ends as training that steps its envs does.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/config/config.h"
#include "policy/trainer.h"
#include "server/rpc/env_server.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

// Frames of one update, and of a whole run.
constexpr int kLanes = 6;
constexpr int kUpdate = 32 * kLanes;
constexpr int kTotal = 4 * kUpdate;

class RemotePolicyTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    server_ = Serve("env.sock", /*rollouts=*/true);
    config_ = Config(GetParam(), folder_.Socket("env.sock"));
  }

  std::unique_ptr<EnvServer> Serve(const std::string& socket, bool rollouts) {
    EnvServerOptions options = TestServerOptions(folder_.Socket(socket));
    options.rollouts.allow = rollouts;
    return StartTestServer(BuiltinEnvs(), options);
  }

  static v1::LearnerConfig Config(const std::string& env_id, const std::string& server) {
    ConfigSources sources;
    sources.overrides = {absl::StrCat("env.server=", server),
                         absl::StrCat("env.id=", env_id),
                         absl::StrCat("env.num_envs=", kLanes),
                         absl::StrCat("collection.total_frames=", kTotal),
                         "collection.mode=remote-policy",
                         "checkpoint.interval=0",
                         "evaluation.episodes=2",
                         "evaluation.num_envs=2",
                         "ppo.rollout_steps=32",
                         "ppo.minibatch_size=48",
                         "ppo.epochs=3"};
    return *LoadConfig(sources);
  }

  // Trains until `frames`, from `from` where it is not null, in a folder of this name; what it
  // leaves.
  Checkpoint Train(const std::string& name, int64_t frames, const Checkpoint* from = nullptr,
                   const std::function<void(int64_t)>& meanwhile = {}) {
    const std::string path = folder_.path() + "/" + name;
    auto trainer = Trainer::Create(config_, {}, from);
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    if (!trainer.ok()) return {};
    auto folder = from == nullptr ? RunFolder::Create(config_, path) : RunFolder::Open(path);
    EXPECT_TRUE(folder.ok()) << folder.status();
    const auto stop = [&] {
      if (meanwhile) meanwhile((*trainer)->frames());
      return (*trainer)->frames() >= frames && frames < kTotal;
    };
    const absl::Status status = (*trainer)->Run(*folder, stop);
    EXPECT_TRUE(status.ok()) << status;
    const auto last = CheckpointFolder(folder->checkpoints()).Find("last");
    EXPECT_TRUE(last.ok()) << last.status();
    return *ReadCheckpoint(*last);
  }

  static void ExpectSameBits(const Checkpoint& a, const Checkpoint& b) {
    EXPECT_EQ(a.state.frames(), b.state.frames());
    EXPECT_EQ(a.state.episodes(), b.state.episodes());
    EXPECT_EQ(a.tensors.tensors().size(), b.tensors.tensors().size());
    for (const auto& [name, tensor] : a.tensors.tensors()) {
      // An env's snapshot counts the operations of its pool.
      if (absl::StartsWith(name, "env_state.")) continue;
      ASSERT_TRUE(b.tensors.contains(name)) << name;
      EXPECT_TRUE(tensor.bytes == (*b.tensors.Get(name))->bytes) << name;
    }
  }

  ShortFolder folder_;
  std::unique_ptr<EnvServer> server_;
  v1::LearnerConfig config_;
};

TEST_P(RemotePolicyTest, TheSameRunGivesTheSameBits) {
  ExpectSameBits(Train("first", kTotal), Train("second", kTotal));
}

TEST_P(RemotePolicyTest, TwoHalvesAreTheWholeBitForBit) {
  const Checkpoint whole = Train("whole", kTotal);
  const Checkpoint half = Train("halves", 2 * kUpdate);
  EXPECT_EQ(half.state.frames(), 2 * kUpdate);
  ExpectSameBits(whole, Train("halves", kTotal, &half));
}

TEST_P(RemotePolicyTest, TheRunEndsAtExactlyTheFramesAskedFor) {
  config_.mutable_collection()->set_total_frames(kUpdate + 2 * kLanes + 5);
  EXPECT_EQ(Train("exact", kTotal).state.frames(), kUpdate + 2 * kLanes + 5);
}

TEST_P(RemotePolicyTest, LanesOfTwoServersLearnTogether) {
  const auto other = Serve("other.sock", /*rollouts=*/true);
  config_.mutable_env()->set_server(
      absl::StrCat(folder_.Socket("env.sock"), ",", folder_.Socket("other.sock")));
  ExpectSameBits(Train("first", kTotal), Train("second", kTotal));
}

TEST_P(RemotePolicyTest, ARestartedServerCostsEpisodesAndNothingElse) {
  bool restarted = false;
  const Checkpoint end = Train("restart", kTotal, nullptr, [&](int64_t frames) {
    if (frames < kUpdate || restarted) return;
    restarted = true;
    server_.reset();
    server_ = Serve("env.sock", /*rollouts=*/true);
  });
  EXPECT_TRUE(restarted);
  EXPECT_EQ(end.state.frames(), kTotal);
}

TEST_P(RemotePolicyTest, AServerThatDoesNotAllowItIsNamed) {
  const auto other = Serve("other.sock", /*rollouts=*/false);
  config_.mutable_env()->set_server(folder_.Socket("other.sock"));
  const absl::Status status = Trainer::Create(config_, {}, nullptr).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_TRUE(absl::StrContains(status.message(), "remote-policy")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "other.sock")) << status;
}

INSTANTIATE_TEST_SUITE_P(Envs, RemotePolicyTest,
                         testing::Values("CartPole-v1", "InvertedDoublePendulum-v5"));

}  // namespace
}  // namespace hivewire
