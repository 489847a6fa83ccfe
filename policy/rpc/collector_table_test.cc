#include "policy/rpc/collector_table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"

namespace hivewire {
namespace {

constexpr int kLanes = 8;
constexpr int kSteps = 4;

bool Never() { return false; }

v1::EnvSpec Spec() {
  v1::EnvSpec spec;
  spec.set_id("Two-v0");
  v1::LeafSpec& observation = *spec.add_observation();
  observation.set_name("observation");
  observation.set_dtype(v1::DTYPE_FLOAT64);
  observation.add_shape(2);
  v1::LeafSpec& action = *spec.add_action();
  action.set_name("action");
  action.set_dtype(v1::DTYPE_INT64);
  action.set_cardinality(3);
  return spec;
}

v1::LearnerConfig Config(bool synchronous) {
  v1::LearnerConfig config;
  config.mutable_env()->set_id("Two-v0");
  config.mutable_env()->set_num_envs(kLanes);
  config.mutable_ppo()->set_rollout_steps(kSteps);
  config.mutable_collection()->set_synchronous(synchronous);
  config.mutable_collection()->set_max_staleness(1);
  return config;
}

// A collector, played from the table's own side.
class Player {
 public:
  Player(CollectorTable& table, const std::string& name, int num_lanes)
      : table_(table), num_lanes_(num_lanes) {
    v1::RegisterRequest request;
    request.set_collector_name(name);
    request.set_num_envs(static_cast<uint32_t>(num_lanes));
    *request.mutable_spec() = Spec();
    auto joined = table.Register(request);
    EXPECT_TRUE(joined.ok()) << joined.status();
    if (joined.ok()) joined_ = *joined;
    Attach();
  }

  void Attach() { stream_ = table_.Attach(joined_.collector_id()).value_or(0); }
  void Detach() { table_.Detach(joined_.collector_id(), stream_); }
  const v1::RegisterResponse& joined() const { return joined_; }

  using Answer = std::future<absl::StatusOr<v1::PushFragmentsResponse>>;
  Answer Push(uint64_t fragment_no, uint64_t version) {
    return Push(fragment_no, version, kSteps, /*action=*/0);
  }
  // `steps` steps, each by this action.
  Answer Push(uint64_t fragment_no, uint64_t version, int steps, int64_t action) {
    v1::PushFragmentsRequest request;
    request.set_collector_id(joined_.collector_id());
    request.set_fragment_no(fragment_no);
    Experience experience;
    experience.shape = {2, sizeof(int64_t)};
    experience.lanes.resize(static_cast<size_t>(num_lanes_));
    experience.Resize(steps);
    for (uint64_t& step : experience.versions) step = version;
    for (size_t row = 0; row < experience.versions.size(); ++row) {
      std::memcpy(&experience.actions[row * sizeof(action)], &action, sizeof(action));
    }
    *request.mutable_fragment() = ToFragment(experience);
    return std::async(std::launch::async, [this, request, stream = stream_] {
      return table_.Push(stream, request, Never);
    });
  }

 private:
  CollectorTable& table_;
  const int num_lanes_;
  v1::RegisterResponse joined_;
  uint64_t stream_ = 0;
};

void Publish(CollectorTable& table, uint64_t version) {
  v1::Policy policy;
  policy.set_version(version);
  table.Publish(std::move(policy));
}

std::vector<int> FirstLanes(const absl::StatusOr<std::vector<Experience>>& parts) {
  std::vector<int> lanes;
  EXPECT_TRUE(parts.ok()) << parts.status();
  if (!parts.ok()) return lanes;
  for (const Experience& part : *parts) lanes.push_back(part.lanes[0]);
  return lanes;
}

TEST(CollectorTable, AFragmentThatIsSentTwiceIsTakenOnce) {
  CollectorTable table(Config(/*synchronous=*/false), 0);
  Player one(table, "one", kLanes);
  Publish(table, 1);
  Player::Answer first = one.Push(1, 1);
  EXPECT_EQ(FirstLanes(table.Gather(Never)).size(), 1u);
  EXPECT_TRUE(first.get().ok());
  // The answer was lost with the stream: the fragment comes again, by another one.
  one.Detach();
  one.Attach();
  const auto again = one.Push(1, 1).get();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->fragment_no(), 1u);
  // The next one is taken, not a copy.
  Player::Answer second = one.Push(2, 1);
  const auto parts = table.Gather(Never);
  EXPECT_EQ(FirstLanes(parts).size(), 1u);
  EXPECT_FALSE((*parts)[0].starts_anew);
  EXPECT_TRUE(second.get().ok());
}

TEST(CollectorTable, SynchronouslyAllAreTakenInTheOrderOfTheirLanes) {
  CollectorTable table(Config(/*synchronous=*/true), 0);
  Player one(table, "one", 4), two(table, "two", 4);
  Publish(table, 1);
  Player::Answer late = two.Push(1, 1);
  auto gather = std::async(std::launch::async, [&] { return table.Gather(Never); });
  Player::Answer early = one.Push(1, 1);
  EXPECT_EQ(FirstLanes(gather.get()), (std::vector<int>{0, 4}));
  EXPECT_FALSE(late.get()->dropped_as_stale());
  EXPECT_FALSE(early.get()->dropped_as_stale());
}

TEST(CollectorTable, OneThatIsGoneCostsItsOwnFragmentAndComesBackToItsLanes) {
  CollectorTable table(Config(/*synchronous=*/true), 0);
  Player one(table, "one", 4);
  const uint64_t seed_before = [&] {
    Player two(table, "two", 4);
    two.Detach();
    return two.joined().env_seed();
  }();
  Publish(table, 1);
  {
    // All lanes must be driven once.
    Player two(table, "two", 4);
    Player::Answer a = one.Push(1, 1), b = two.Push(1, 1);
    EXPECT_EQ(FirstLanes(table.Gather(Never)), (std::vector<int>{0, 4}));
    EXPECT_TRUE(a.get().ok() && b.get().ok());
    two.Detach();
  }
  Publish(table, 2);
  Player::Answer alone = one.Push(2, 2);
  EXPECT_EQ(FirstLanes(table.Gather(Never)), (std::vector<int>{0}));
  EXPECT_TRUE(alone.get().ok());
  EXPECT_EQ(table.losses(), 2);

  Player back(table, "two", 4);
  EXPECT_EQ(back.joined().first_lane(), 4u);
  EXPECT_NE(back.joined().env_seed(), seed_before);
  Publish(table, 3);
  Player::Answer a = one.Push(3, 3), b = back.Push(1, 3);
  const auto parts = table.Gather(Never);
  EXPECT_EQ(FirstLanes(parts), (std::vector<int>{0, 4}));
  EXPECT_TRUE((*parts)[1].starts_anew);
}

TEST(CollectorTable, LanesOfOneThatIsGoneAreGivenToAnotherName) {
  CollectorTable table(Config(/*synchronous=*/true), 0);
  Player one(table, "one", 4), two(table, "two", 4);
  v1::RegisterRequest request;
  request.set_collector_name("three");
  request.set_num_envs(4);
  *request.mutable_spec() = Spec();
  EXPECT_EQ(table.Register(request).status().code(), absl::StatusCode::kResourceExhausted);
  one.Detach();
  Player three(table, "three", 4);
  EXPECT_EQ(three.joined().first_lane(), 0u);
  EXPECT_EQ(one.Push(1, 1).get().status().code(), absl::StatusCode::kNotFound);
}

TEST(CollectorTable, WhatIsTooOldIsDroppedAndSaidSo) {
  CollectorTable table(Config(/*synchronous=*/false), 0);
  Player one(table, "one", 4), two(table, "two", 4);
  Publish(table, 5);
  Player::Answer old = one.Push(1, 3), good = two.Push(1, 4);
  auto gather = std::async(std::launch::async, [&] { return table.Gather(Never); });
  EXPECT_TRUE(old.get()->dropped_as_stale());
  EXPECT_FALSE(good.get()->dropped_as_stale());
  Player::Answer fresh = one.Push(2, 5);
  EXPECT_EQ(FirstLanes(gather.get()), (std::vector<int>{4, 0}));
  EXPECT_EQ(table.statistics().max_staleness, 1u);
  EXPECT_EQ(table.statistics().dropped_fragments, 1);
}

TEST(CollectorTable, ACollectorOfAnotherEnvIsRefused) {
  CollectorTable table(Config(/*synchronous=*/true), 0);
  v1::RegisterRequest request;
  request.set_num_envs(4);
  *request.mutable_spec() = Spec();
  request.mutable_spec()->set_id("Three-v0");
  const absl::Status other = table.Register(request).status();
  EXPECT_TRUE(absl::StrContains(other.message(), "Two-v0")) << other;
  request.mutable_spec()->set_id("Two-v0");
  EXPECT_TRUE(table.Register(request).ok());
  request.mutable_spec()->mutable_observation(0)->set_shape(0, 3);
  EXPECT_EQ(table.Register(request).status().code(), absl::StatusCode::kFailedPrecondition);
  request.set_num_envs(kLanes + 1);
  const absl::Status many = table.Register(request).status();
  EXPECT_TRUE(absl::StrContains(many.message(), "1 … 8")) << many;
}

TEST(CollectorTable, AsynchronouslyAQuickOneCountsOnceAndWhatIsUnwantedDoesNotCome) {
  CollectorTable table(Config(/*synchronous=*/false), 0);
  Player quick(table, "quick", 4), slow(table, "slow", 4);
  Publish(table, 1);
  // By random actions, say.
  Player::Answer late = slow.Push(1, 1);
  table.DropUpTo(1);
  Publish(table, 2);
  auto gather = std::async(std::launch::async, [&] { return table.Gather(Never); });
  EXPECT_FALSE(quick.Push(1, 2).get()->dropped_as_stale());
  EXPECT_FALSE(quick.Push(2, 2).get()->dropped_as_stale());
  EXPECT_EQ(FirstLanes(gather.get()), (std::vector<int>{0, 0}));
  EXPECT_TRUE(late.get()->dropped_as_stale());
  EXPECT_EQ(table.statistics().collectors, 1);
  EXPECT_EQ(table.statistics().dropped_fragments, 1);
}

TEST(CollectorTable, AFragmentThatWasNotAskedForCostsItsCollectorAlone) {
  CollectorTable table(Config(/*synchronous=*/true), 0);
  Player one(table, "one", 4), two(table, "two", 4);
  Publish(table, 1);
  const auto longer = two.Push(1, 1, 1000, 0).get();
  EXPECT_EQ(longer.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(longer.status().message(), "1000 steps where 4"))
      << longer.status();
  const auto wild = two.Push(1, 1, kSteps, 99).get();
  EXPECT_EQ(wild.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(wild.status().message(), "is 99; it can be 0 … 2"))
      << wild.status();
  Player::Answer good = two.Push(1, 1), other = one.Push(1, 1);
  EXPECT_EQ(FirstLanes(table.Gather(Never)), (std::vector<int>{0, 4}));
  EXPECT_TRUE(good.get().ok());
  EXPECT_TRUE(other.get().ok());
}

TEST(CollectorTable, WhoeverWaitsHearsThatTheRunIsOver) {
  CollectorTable table(Config(/*synchronous=*/true), 0);
  Player one(table, "one", kLanes);
  Publish(table, 1);
  auto weights = std::async(
      std::launch::async, [&] { return table.NextWeights(one.joined().collector_id(), 1, Never); });
  Player::Answer answer = one.Push(1, 1);
  table.Finish();
  EXPECT_EQ(*weights.get(), nullptr);
  EXPECT_TRUE(answer.get()->done());
  EXPECT_TRUE(table.Describe().done());
}

}  // namespace
}  // namespace hivewire
