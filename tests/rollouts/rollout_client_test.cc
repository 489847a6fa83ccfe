// What a client of rollouts relies on: fragments of the version that was published, lanes that stop
// where it says, randomness by its seed, and a connection that may break.
#include "client/rollout_client.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "client/vector_env.h"
#include "server/rpc/env_server.h"
#include "tests/faults/proxy.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

constexpr uint32_t kLanes = 5;
constexpr uint32_t kLength = 20;

class RolloutClientTest : public testing::Test {
 protected:
  void SetUp() override { server_ = Serve(/*rollouts=*/true); }

  std::unique_ptr<EnvServer> Serve(bool rollouts) {
    EnvServerOptions options = TestServerOptions(folder_.Socket("env.sock"));
    options.rollouts.allow = rollouts;
    return StartTestServer(BuiltinEnvs(), options);
  }

  // CartPole-v1, its lanes reset by seeds 0, 1, 2, …
  std::unique_ptr<RolloutClient> Make(const std::string& address) {
    VectorEnvOptions options;
    options.env_id = "CartPole-v1";
    options.with_info = false;
    options.observation_dtype = v1::DTYPE_FLOAT32;
    auto client = RolloutClient::Create(address, connection_, PoolRequest(options, kLanes));
    EXPECT_TRUE(client.ok()) << client.status();
    if (!client.ok()) return nullptr;
    std::vector<uint64_t> seeds;
    for (uint64_t lane = 0; lane < kLanes; ++lane) seeds.push_back(lane);
    const auto rows = (*client)->Reset(seeds);
    EXPECT_TRUE(rows.ok()) << rows.status();
    return *std::move(client);
  }
  std::unique_ptr<RolloutClient> Make() { return Make(folder_.Socket("env.sock")); }

  // Pushes against the pole's lean with probability 1 / (1 + exp(−gain · lean)).
  static v1::Policy Policy(const RolloutClient& client, uint64_t version, float gain = 50) {
    v1::Policy policy;
    policy.set_version(version);
    policy.add_observation_leaves(client.pool().spec().observation(0).name());
    *policy.add_action() = client.pool().spec().action(0);
    policy.mutable_head()->set_kind(v1::ActionHead::KIND_CATEGORICAL);
    const auto layer = [](v1::DenseLayer& out, std::vector<float> weights, uint32_t outputs) {
      out.set_inputs(4);
      out.set_outputs(outputs);
      out.set_weight(weights.data(), weights.size() * sizeof(float));
      out.set_bias(std::string(outputs * sizeof(float), '\0'));
    };
    layer(*policy.add_actor(), {0, 0, 0, 0, 0, 0, gain, gain}, 2);
    layer(*policy.add_critic(), {1, 2, 3, 4}, 1);
    return policy;
  }

  static absl::StatusOr<Fragment> Next(RolloutClient& client) {
    return client.Next(absl::Now() + absl::Seconds(30));
  }

  // One fragment of all lanes.
  static Fragment CollectOne(RolloutClient& client, uint64_t policy_seed) {
    client.Collect({.fragment_length = kLength, .max_fragments = 1, .policy_seed = policy_seed});
    auto fragment = Next(client);
    EXPECT_TRUE(fragment.ok()) << fragment.status();
    EXPECT_TRUE(absl::IsOutOfRange(Next(client).status()));
    return *std::move(fragment);
  }

  static std::string Bytes(const LeafView& leaf) {
    return {leaf.data, leaf.num_rows * leaf.row_bytes};
  }

  ShortFolder folder_;
  ConnectionOptions connection_;
  std::unique_ptr<EnvServer> server_;
};

TEST_F(RolloutClientTest, AFragmentIsOfThePolicyThatWasPublished) {
  const auto client = Make();
  const auto version = client->Publish(Policy(*client, 7));
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(*version, 7u);
  const Fragment fragment = CollectOne(*client, 1);
  EXPECT_EQ(fragment.length(), kLength);
  ASSERT_EQ(fragment.lanes(), kLanes);
  EXPECT_FALSE(fragment.after_gap());
  for (const uint64_t step_version : fragment.policy_versions()) EXPECT_EQ(step_version, 7u);
  // The critic of Policy(), by hand.
  const auto* observations = fragment.observations()[0].as<float>();
  for (size_t row = 0; row < fragment.values().size(); ++row) {
    const float* o = observations + 4 * row;
    EXPECT_NEAR(fragment.values()[row], o[0] + 2 * o[1] + 3 * o[2] + 4 * o[3], 1e-4);
    EXPECT_LE(fragment.log_probs()[row], 0);
  }
  const auto* last = fragment.last_observations()[0].as<float>();
  for (size_t lane = 0; lane < kLanes; ++lane) {
    const float* o = last + 4 * lane;
    EXPECT_NEAR(fragment.last_values()[lane], o[0] + 2 * o[1] + 3 * o[2] + 4 * o[3], 1e-4);
  }
}

TEST_F(RolloutClientTest, TheNextCollectionGoesOnWhereTheLanesStopped) {
  const auto client = Make();
  ASSERT_TRUE(client->Publish(Policy(*client, 1)).ok());
  const Fragment first = CollectOne(*client, 1);
  ASSERT_TRUE(client->Publish(Policy(*client, 2)).ok());
  const Fragment second = CollectOne(*client, 2);
  EXPECT_EQ(second.policy_versions()[0], 2u);
  EXPECT_EQ(Bytes(first.last_observations()[0]),
            Bytes(second.observations()[0]).substr(0, kLanes * 4 * sizeof(float)));
}

TEST_F(RolloutClientTest, TheSameSeedGivesTheSameSteps) {
  std::vector<std::string> observations;
  for (const uint64_t seed : {5, 5, 6}) {
    const auto client = Make();
    ASSERT_TRUE(client->Publish(Policy(*client, 1, /*gain=*/1)).ok());
    observations.push_back(Bytes(CollectOne(*client, seed).observations()[0]));
  }
  EXPECT_EQ(observations[0], observations[1]);
  EXPECT_NE(observations[0], observations[2]);
}

TEST_F(RolloutClientTest, SnapshotsBetweenCollectionsRepeatWhatFollowed) {
  const auto client = Make();
  ASSERT_TRUE(client->Publish(Policy(*client, 1, /*gain=*/1)).ok());
  CollectOne(*client, 1);
  const auto snapshots = client->SaveState();
  ASSERT_TRUE(snapshots.ok()) << snapshots.status();
  const std::string followed = Bytes(CollectOne(*client, 2).observations()[0]);
  const auto other = Make();
  const auto loaded = other->LoadState(*snapshots);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_TRUE(other->Publish(Policy(*other, 1, /*gain=*/1)).ok());
  EXPECT_EQ(followed, Bytes(CollectOne(*other, 2).observations()[0]));
}

TEST_F(RolloutClientTest, ANewVersionTakesOverWhileFragmentsCome) {
  const auto client = Make();
  ASSERT_TRUE(client->Publish(Policy(*client, 1)).ok());
  client->Collect({.fragment_length = 4, .policy_seed = 1, .max_in_flight = 1});
  ASSERT_TRUE(Next(*client).ok());
  ASSERT_TRUE(client->Publish(Policy(*client, 2)).ok());
  std::vector<uint64_t> versions(kLanes, 1);  // of each lane's last step
  const std::vector<uint64_t> all_new(kLanes, 2);
  for (int fragments = 0; versions != all_new && fragments < 1000; ++fragments) {
    const auto fragment = Next(*client);
    ASSERT_TRUE(fragment.ok()) << fragment.status();
    for (size_t row = 0; row < fragment->policy_versions().size(); ++row) {
      const uint64_t version = fragment->policy_versions()[row];
      EXPECT_GE(version, versions[row % kLanes]);
      versions[row % kLanes] = version;
    }
  }
  EXPECT_EQ(versions, all_new);
}

TEST_F(RolloutClientTest, CancelEndsACollectionThatHasNoEnd) {
  const auto client = Make();
  ASSERT_TRUE(client->Publish(Policy(*client, 1)).ok());
  client->Collect({.fragment_length = kLength, .policy_seed = 1});
  ASSERT_TRUE(Next(*client).ok());
  client->Cancel();
  EXPECT_TRUE(absl::IsCancelled(Next(*client).status()));
  // The pool is free again, and the lanes go on.
  EXPECT_TRUE(client->SaveState().ok());
  EXPECT_EQ(CollectOne(*client, 2).length(), kLength);
}

TEST_F(RolloutClientTest, NextSaysWhenNothingCameInTime) {
  const auto client = Make();
  EXPECT_EQ(Next(*client).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(client->Publish(Policy(*client, 1)).ok());
  client->Collect({.fragment_length = kLength, .max_fragments = 1, .policy_seed = 1});
  auto fragment = client->Next(absl::InfinitePast());
  if (absl::IsDeadlineExceeded(fragment.status())) fragment = Next(*client);
  EXPECT_TRUE(fragment.ok()) << fragment.status();
}

TEST_F(RolloutClientTest, APolicyThatDoesNotFitIsRefusedByName) {
  const auto client = Make();
  v1::Policy policy = Policy(*client, 1);
  policy.mutable_actor(0)->set_inputs(5);
  policy.mutable_actor(0)->set_weight(std::string(40, '\0'));
  const auto published = client->Publish(policy);
  EXPECT_EQ(published.status().code(), absl::StatusCode::kInvalidArgument) << published.status();
  EXPECT_TRUE(absl::StrContains(published.status().message(), "actor")) << published.status();
}

TEST_F(RolloutClientTest, NoCollectionWithoutAPolicy) {
  const auto client = Make();
  client->Collect({.fragment_length = kLength, .max_fragments = 1});
  const absl::Status status = Next(*client).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

TEST_F(RolloutClientTest, AServerThatDoesNotAllowItSaysSo) {
  server_.reset();
  server_ = Serve(/*rollouts=*/false);
  VectorEnvOptions options;
  options.env_id = "CartPole-v1";
  const auto client =
      RolloutClient::Create(folder_.Socket("env.sock"), connection_, PoolRequest(options, 1));
  EXPECT_EQ(ReasonOf(client.status()), v1::ERROR_REASON_NOT_SUPPORTED) << client.status();
}

TEST_F(RolloutClientTest, ABrokenConnectionIsMendedAndToldOf) {
  auto proxy = *CuttingProxy::Start(folder_.Socket("env.sock"));
  const auto client = Make(proxy->address());
  ASSERT_TRUE(client->Publish(Policy(*client, 1)).ok());
  client->Collect({.fragment_length = 4, .policy_seed = 1, .max_in_flight = 1});
  ASSERT_TRUE(Next(*client).ok());
  proxy->Cut();
  bool after_gap = false;
  for (int fragments = 0; !after_gap && fragments < 100000; ++fragments) {
    const auto fragment = Next(*client);
    ASSERT_TRUE(fragment.ok()) << fragment.status();
    after_gap = fragment->after_gap();
  }
  EXPECT_TRUE(after_gap);
  EXPECT_TRUE(client->Publish(Policy(*client, 2)).ok());
}

TEST_F(RolloutClientTest, AServerThatLostThePoolIsKnownByItsReason) {
  connection_.reconnect_timeout = absl::Seconds(20);
  const auto client = Make();
  ASSERT_TRUE(client->Publish(Policy(*client, 1)).ok());
  server_.reset();
  server_ = Serve(/*rollouts=*/true);
  EXPECT_TRUE(PoolsAreGone(client->Publish(Policy(*client, 2)).status()));
  client->Collect({.fragment_length = kLength, .max_fragments = 1});
  EXPECT_TRUE(PoolsAreGone(Next(*client).status()));
}

TEST_F(RolloutClientTest, TheLeaseHoldsWhileNothingIsCollected) {
  VectorEnvOptions options;
  options.env_id = "CartPole-v1";
  options.lease_ttl = absl::Milliseconds(1000);
  auto client =
      *RolloutClient::Create(folder_.Socket("env.sock"), connection_, PoolRequest(options, kLanes));
  absl::SleepFor(absl::Seconds(3));  // a long update
  EXPECT_TRUE(client->Reset({}).ok());
}

}  // namespace
}  // namespace hivewire
