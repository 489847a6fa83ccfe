// A server that drains: its lanes go on elsewhere, in the middle of a collection or between two.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "client/control_client.h"
#include "client/vector_rollout.h"
#include "policy/portable/testing/random_policy.h"
#include "server/rpc/env_server.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

constexpr uint32_t kLength = 6;
constexpr int kLanes = 3;  // on each server

class DrainingTest : public testing::Test {
 protected:
  std::unique_ptr<EnvServer> Serve(const std::string& socket) {
    EnvServerOptions options = TestServerOptions(folder_.Socket(socket));
    options.rollouts.allow = true;
    return StartTestServer(BuiltinEnvs(), options);
  }

  // Hopper-v5, whose lanes on the first server are reset by seeds 0, 1, ….
  std::unique_ptr<VectorRollout> Make(const std::string& servers, const std::string& standby) {
    VectorEnvOptions options;
    options.server = servers;
    options.env_id = "Hopper-v5";
    options.num_envs = kLanes * (absl::StrContains(servers, ',') ? 2 : 1);
    options.connection.standby = standby;
    auto rollout = VectorRollout::Make(options);
    EXPECT_TRUE(rollout.ok()) << rollout.status();
    EXPECT_EQ((*rollout)->Reset(0, 0), absl::OkStatus());
    Publish(**rollout, 1);
    return *std::move(rollout);
  }

  static void Publish(VectorRollout& rollout, uint64_t version) {
    RandomPolicyOptions options;
    options.version = version;
    options.observation_dim = 11;
    options.leaves = {rollout.spec().observation(0).name()};
    const auto published =
        rollout.client(0).Publish(RandomPolicy(options, rollout.spec().action()));
    EXPECT_TRUE(published.ok()) << published.status();
  }

  // All that the first server's next fragment holds.
  static std::string NextOf(VectorRollout& rollout) {
    const auto fragment = rollout.client(0).Next(absl::Now() + absl::Seconds(60));
    EXPECT_TRUE(fragment.ok()) << fragment.status();
    if (!fragment.ok()) return "";
    EXPECT_FALSE(fragment->after_gap());
    std::string bytes;
    const auto add = [&](const auto* data, size_t count) {
      bytes.append(reinterpret_cast<const char*>(data), count * sizeof(*data));
    };
    for (const auto* leaves :
         {&fragment->observations(), &fragment->actions(), &fragment->last_observations()}) {
      for (const LeafView& leaf : *leaves) add(leaf.data, leaf.num_rows * leaf.row_bytes);
    }
    add(fragment->log_probs().data(), fragment->log_probs().size());
    add(fragment->values().data(), fragment->values().size());
    add(fragment->rewards().data(), fragment->rewards().size());
    add(fragment->flags().data(), fragment->flags().size());
    add(fragment->policy_versions().data(), fragment->policy_versions().size());
    for (const v1::Episode& episode : fragment->episodes())
      absl::StrAppend(&bytes, episode.env_id(), " ", episode.episode(), " ", episode.length());
    return bytes;
  }

  static int NumPools(const EnvServer& server) {
    const auto control = *ControlClient::Connect(server.addresses()[0], {});
    return control->ListPools()->pools_size();
  }

  ShortFolder folder_;
};

TEST_F(DrainingTest, ACollectionGoesOnElsewhereBitForBit) {
  // Many more than are ever on their way at once.
  constexpr uint64_t kFragments = 1000;
  for (const bool by_standby : {true, false}) {
    const auto leaving = Serve(absl::StrCat("leaving-", by_standby));
    const auto staying = Serve(absl::StrCat("staying-", by_standby));
    const std::string& other = staying->addresses()[0];
    const auto rollout = by_standby ? Make(leaving->addresses()[0], other)
                                    : Make(absl::StrCat(leaving->addresses()[0], ",", other), "");
    const auto reference = Make(other, "");
    const CollectOptions options{.fragment_length = kLength,
                                 .max_fragments = kFragments,
                                 .policy_seed = 3,
                                 .max_in_flight = 1};
    rollout->client(0).Collect(options);
    reference->client(0).Collect(options);
    std::thread draining;
    for (uint64_t k = 0; k < kFragments; ++k) {
      if (k == 3) draining = std::thread([&] { leaving->Drain(); });
      ASSERT_EQ(NextOf(*rollout), NextOf(*reference)) << "fragment " << k;
    }
    EXPECT_TRUE(absl::IsOutOfRange(rollout->client(0).Next(absl::InfiniteFuture()).status()));
    EXPECT_EQ(NumPools(*leaving), 0);
    draining.join();
  }
}

TEST_F(DrainingTest, LanesThatStandBetweenCollectionsGoOnElsewhere) {
  const auto leaving = Serve("leaving");
  const auto staying = Serve("staying");
  const auto rollout = Make(leaving->addresses()[0], staying->addresses()[0]);
  const auto reference = Make(staying->addresses()[0], "");
  std::atomic<bool> drained{false};
  std::thread draining;
  int after = 0;
  for (uint64_t version = 2; after < 3 && version < 100000; ++version) {
    if (version == 4) {
      draining = std::thread([&] {
        leaving->Drain();  // ends when the pool has moved
        drained = true;
      });
    }
    for (VectorRollout* each : {rollout.get(), reference.get()}) {
      Publish(*each, version);
      each->client(0).Collect(
          {.fragment_length = kLength, .max_fragments = 1, .policy_seed = version});
    }
    ASSERT_EQ(NextOf(*rollout), NextOf(*reference)) << "version " << version;
    if (drained) ++after;
  }
  EXPECT_EQ(after, 3);
  draining.join();
}

TEST_F(DrainingTest, WithNoOtherServerTheCollectionEndsWithTheReason) {
  const auto server = Serve("only");
  const auto rollout = Make(server->addresses()[0], "");
  RolloutClient& client = rollout->client(0);
  client.Collect({.fragment_length = kLength, .max_in_flight = 1});
  ASSERT_NE(NextOf(*rollout), "");
  std::thread draining([&] { server->Drain(); });
  absl::StatusOr<Fragment> fragment = client.Next(absl::InfiniteFuture());
  while (fragment.ok()) fragment = client.Next(absl::InfiniteFuture());
  EXPECT_EQ(ReasonOf(fragment.status()), v1::ERROR_REASON_DRAINING) << fragment.status();
  EXPECT_TRUE(absl::StrContains(fragment.status().message(), "no other server"))
      << fragment.status();
  EXPECT_TRUE(PoolsAreGone(fragment.status()));
  // A checkpoint can still be made.
  EXPECT_TRUE(client.SaveState().ok());
  client.Release();
  draining.join();
}

}  // namespace
}  // namespace hivewire
