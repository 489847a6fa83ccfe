#include "server/rollout/rollout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "policy/portable/testing/random_policy.h"
#include "server/pool/testing/faulty_task.h"
#include "server/rollout/test_pool.h"

namespace hivewire {
namespace {

template <typename T>
T Number(const std::string& bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

// A fragment's slab, row by row.
class Rows {
 public:
  explicit Rows(const v1::Fragment& fragment) : fragment_(fragment), layout_(fragment.layout()) {}

  size_t lanes() const { return static_cast<size_t>(fragment_.env_ids_size()); }
  size_t size() const { return fragment_.length() * lanes(); }
  std::string Bytes(absl::string_view leaf, size_t row) const {
    for (size_t k = 0; k < layout_.num_leaves(); ++k) {
      if (fragment_.layout().leaves(static_cast<int>(k)).name() != leaf) continue;
      return fragment_.payload().substr(layout_.Offset(k, size()) + row * layout_.row_bytes(k),
                                        layout_.row_bytes(k));
    }
    ADD_FAILURE() << "no leaf " << leaf;
    return std::string(8, '\0');
  }
  template <typename T>
  T Get(absl::string_view leaf, size_t row) const {
    return Number<T>(Bytes(leaf, row), 0);
  }
  uint8_t Flags(size_t row) const { return Get<uint8_t>("flags", row); }

 private:
  const v1::Fragment& fragment_;
  const PayloadLayout layout_;
};

// What takes time is nobody's promise.
std::string Timeless(v1::Fragment fragment) {
  for (v1::Episode& episode : *fragment.mutable_episodes()) episode.clear_seconds();
  return fragment.SerializeAsString();
}

struct Kind {
  const char* env_id;
  v1::AutoresetMode mode;
};

class RolloutOf : public testing::TestWithParam<Kind> {};

TEST_P(RolloutOf, EqualsSteppingTheSamePoolByHand) {
  constexpr uint32_t kLanes = 13;
  constexpr uint32_t kLength = 25;
  constexpr uint64_t kFragments = 3;
  TestPool rolled(TaskOf(GetParam().env_id), kLanes, GetParam().mode, 2);
  TestPool stepped(TaskOf(GetParam().env_id), kLanes, GetParam().mode, 2);
  rolled.Reset();
  stepped.Reset();
  const v1::Policy proto = rolled.MakePolicy({});
  ASSERT_EQ(rolled.Publish(proto), absl::OkStatus());
  const std::vector<v1::Fragment> fragments = rolled.Collect(kLength, kFragments);
  ASSERT_EQ(fragments.size(), kFragments);

  const auto policy = *PortablePolicy::Create(proto);
  const auto fitted = *RolloutPolicy::Fit(policy, stepped.pool().spec());
  const PoolSpec& spec = stepped.pool().spec();
  const std::string seen = stepped.spec().observation(0).name();
  PolicyScratch scratch;
  policy->Reserve(1, scratch);
  // The observations that the lanes have, from their kept results.
  v1::Batch batch;
  v1::ResetLanes again;
  again.add_op_nos(1);
  ASSERT_EQ(stepped.pool().Reset(again), absl::OkStatus());
  ASSERT_EQ(stepped.pool().Next(absl::Now() + kPatience, 2, batch), absl::OkStatus());
  const auto leaf_of = [&](const PayloadLayout& layout, const std::string& payload, size_t leaf,
                           size_t row, size_t rows) {
    return payload.substr(layout.Offset(leaf, rows) + row * layout.row_bytes(leaf),
                          layout.row_bytes(leaf));
  };
  const size_t reward = spec.observation().size();
  const size_t episode_leaf = reward + 4;
  uint64_t op_no = 1;
  std::vector<uint64_t> elapsed(kLanes);  // steps of the lane's episode
  size_t ends = 0;
  for (const v1::Fragment& fragment : fragments) {
    const Rows rows(fragment);
    ASSERT_EQ(rows.size(), kLanes * kLength);
    int final = 0;
    int episode = 0;
    for (uint32_t t = 0; t < kLength; ++t) {
      ++op_no;
      v1::StepLanes step;
      step.add_op_nos(op_no);
      step.mutable_actions()->resize(spec.action_layout().PayloadBytes(kLanes));
      std::vector<std::string> observations;
      for (uint32_t lane = 0; lane < kLanes; ++lane) {
        const size_t row = t * kLanes + lane;
        observations.push_back(leaf_of(spec.result_layout(), batch.payload(), 0, lane, kLanes));
        std::string packed(spec.row_bytes(), '\0');
        packed.replace(spec.observation()[0].offset, observations.back().size(),
                       observations.back());
        fitted->Observe(packed.data(), scratch.observations.data());
        const uint64_t number = Number<uint64_t>(
            leaf_of(spec.result_layout(), batch.payload(), episode_leaf, lane, kLanes), 0);
        policy->Act({Draw{kSeed, lane, number << 32 | elapsed[lane]}}, false, scratch);
        const size_t bytes = spec.action_layout().row_bytes(0);
        fitted->WriteAction(scratch.sent.data(), step.mutable_actions()->data() + lane * bytes);
        EXPECT_EQ(rows.Bytes(seen, row), observations.back());
        std::string chosen(bytes, '\0');
        fitted->WriteAction(scratch.chosen.data(), chosen.data());
        EXPECT_EQ(rows.Bytes("action", row), chosen);
        EXPECT_EQ(rows.Get<float>("log_prob", row), scratch.log_probs[0]);
        EXPECT_EQ(rows.Get<float>("value", row), scratch.values[0]);
        EXPECT_EQ(rows.Get<uint64_t>("policy_version", row), proto.version());
      }
      ASSERT_EQ(stepped.pool().Step(std::move(step)), absl::OkStatus());
      ASSERT_EQ(stepped.pool().Next(absl::Now() + kPatience, op_no + 1, batch), absl::OkStatus());
      for (uint32_t lane = 0; lane < kLanes; ++lane) {
        const size_t row = t * kLanes + lane;
        EXPECT_EQ(rows.Bytes("reward", row),
                  leaf_of(spec.result_layout(), batch.payload(), reward, lane, kLanes));
        EXPECT_EQ(rows.Bytes("flags", row),
                  leaf_of(spec.result_layout(), batch.payload(), reward + 1, lane, kLanes));
        const bool first = (rows.Flags(row) & v1::LANE_FLAG_FIRST) != 0;
        elapsed[lane] = first ? 0 : elapsed[lane] + 1;
      }
      for (int k = 0; k < batch.finals().rows_size(); ++k, ++final) {
        ASSERT_LT(final, fragment.finals().rows_size());
        EXPECT_EQ(fragment.finals().rows(final), t * kLanes + batch.finals().rows(k));
        const std::string expected =
            leaf_of(spec.final_layout(), batch.finals().payload(), 0, static_cast<size_t>(k),
                    static_cast<size_t>(batch.finals().rows_size()));
        EXPECT_EQ(
            leaf_of(spec.final_layout(), fragment.finals().payload(), 0, static_cast<size_t>(final),
                    static_cast<size_t>(fragment.finals().rows_size())),
            expected);
        std::string packed(spec.row_bytes(), '\0');
        packed.replace(spec.observation()[0].offset, expected.size(), expected);
        fitted->Observe(packed.data(), scratch.observations.data());
        policy->Value(1, scratch);
        EXPECT_EQ(Number<float>(fragment.bootstrap_values(),
                                (kLanes + static_cast<size_t>(final)) * sizeof(float)),
                  scratch.values[0]);
      }
      for (int k = 0; k < batch.episodes_size(); ++k, ++episode) {
        ASSERT_LT(episode, fragment.episodes_size());
        v1::Episode ours = fragment.episodes(episode), theirs = batch.episodes(k);
        ours.clear_seconds();
        theirs.clear_seconds();
        EXPECT_EQ(ours.SerializeAsString(), theirs.SerializeAsString());
        ++ends;
      }
    }
    EXPECT_EQ(final, fragment.finals().rows_size());
    EXPECT_EQ(episode, fragment.episodes_size());
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      const std::string last = leaf_of(spec.result_layout(), batch.payload(), 0, lane, kLanes);
      EXPECT_EQ(leaf_of(spec.final_layout(), fragment.last_observation(), 0, lane, kLanes), last);
      std::string packed(spec.row_bytes(), '\0');
      packed.replace(spec.observation()[0].offset, last.size(), last);
      fitted->Observe(packed.data(), scratch.observations.data());
      policy->Value(1, scratch);
      EXPECT_EQ(Number<float>(fragment.bootstrap_values(), lane * sizeof(float)),
                scratch.values[0]);
    }
  }
  EXPECT_GT(ends, 0u);  // or nothing of an episode's end was looked at

  // The lanes stand where those of the other pool do, and take the same next operation.
  v1::Attached one, other;
  rolled.pool().DescribeLanes(one);
  stepped.pool().DescribeLanes(other);
  EXPECT_EQ(one.SerializeAsString(), other.SerializeAsString());
  rolled.pool().Redeliver(0);
  v1::Batch kept;
  ASSERT_EQ(rolled.pool().Next(absl::Now() + kPatience, 1, kept), absl::OkStatus());
  EXPECT_EQ(kept.payload(), batch.payload());
}

INSTANTIATE_TEST_SUITE_P(Envs, RolloutOf,
                         testing::Values(Kind{"Hopper-v5", v1::AUTORESET_MODE_NEXT_STEP},
                                         Kind{"Hopper-v5", v1::AUTORESET_MODE_SAME_STEP},
                                         Kind{"CartPole-v1", v1::AUTORESET_MODE_NEXT_STEP},
                                         Kind{"CartPole-v1", v1::AUTORESET_MODE_SAME_STEP}));

TEST(Rollout, GivesTheSameFragmentsForOneTwoAndSevenWorkers) {
  std::vector<std::string> expected;
  for (const int workers : {1, 2, 7}) {
    TestPool pool(TaskOf("Hopper-v5"), 21, v1::AUTORESET_MODE_SAME_STEP, workers);
    pool.Reset();
    ASSERT_EQ(pool.Publish(pool.MakePolicy({})), absl::OkStatus());
    std::vector<std::string> got;
    for (const v1::Fragment& fragment : pool.Collect(40, 4)) got.push_back(Timeless(fragment));
    ASSERT_EQ(got.size(), 4u);
    if (expected.empty()) expected = got;
    EXPECT_EQ(got, expected) << workers << " workers";
  }
}

TEST(Rollout, GoesOnWhereTheOneBeforeEnded) {
  std::vector<std::string> expected;
  for (const std::vector<uint64_t>& collects :
       {std::vector<uint64_t>{3}, std::vector<uint64_t>{1, 2}, std::vector<uint64_t>{1, 1, 1}}) {
    TestPool pool(TaskOf("CartPole-v1"), 5, v1::AUTORESET_MODE_NEXT_STEP, 2);
    pool.Reset();
    ASSERT_EQ(pool.Publish(pool.MakePolicy({})), absl::OkStatus());
    std::vector<std::string> got;
    for (const uint64_t fragments : collects) {
      for (const v1::Fragment& fragment : pool.Collect(30, fragments))
        got.push_back(Timeless(fragment));
    }
    if (expected.empty()) expected = got;
    EXPECT_EQ(got, expected);
  }
}

TEST(Rollout, RepeatsWhatItCollectedWhenASnapshotIsLoadedIntoAnotherPool) {
  TestPool first(TaskOf("Hopper-v5"), 5, v1::AUTORESET_MODE_NEXT_STEP, 2);
  TestPool second(TaskOf("Hopper-v5"), 5, v1::AUTORESET_MODE_NEXT_STEP, 1);
  first.Reset();
  for (TestPool* pool : {&first, &second})
    ASSERT_EQ(pool->Publish(pool->MakePolicy({})), absl::OkStatus());
  first.Collect(37, 1);
  v1::LoadLanes load;
  load.add_op_nos(1);
  const auto snapshots = first.pool().Save({});
  ASSERT_TRUE(snapshots.ok()) << snapshots.status();
  for (const std::string& snapshot : *snapshots) load.add_snapshots(snapshot);
  const std::string expected = Timeless(first.Collect(60, 1)[0]);
  ASSERT_EQ(second.pool().Load(load), absl::OkStatus());
  EXPECT_EQ(Timeless(second.Collect(60, 1)[0]), expected);
}

TEST(Rollout, CutsLanesIntoPartsWhereOneMessageCannotHoldThem) {
  TestPool whole(TaskOf("CartPole-v1"), 24, v1::AUTORESET_MODE_NEXT_STEP, 2);
  TestPool cut(TaskOf("CartPole-v1"), 24, v1::AUTORESET_MODE_NEXT_STEP, 2);
  for (TestPool* pool : {&whole, &cut}) {
    pool->Reset();
    ASSERT_EQ(pool->Publish(pool->MakePolicy({})), absl::OkStatus());
  }
  const v1::Fragment expected = whole.Collect(100, 1)[0];
  constexpr size_t kMaxBytes = 130'000;
  const std::vector<v1::Fragment> parts = cut.Collect(100, 2, kMaxBytes);
  ASSERT_GT(parts.size(), 2u);
  std::map<uint32_t, int> fragments_of_lane;
  for (const v1::Fragment& part : parts) {
    EXPECT_LE(part.ByteSizeLong(), kMaxBytes);
    const bool first = fragments_of_lane[part.env_ids(0)] == 0;
    for (const uint32_t lane : part.env_ids()) ++fragments_of_lane[lane];
    if (!first) continue;
    const Rows ours(part), all(expected);
    for (size_t row = 0; row < ours.size(); ++row) {
      const size_t lane = part.env_ids(static_cast<int>(row % ours.lanes()));
      EXPECT_EQ(ours.Bytes("observation", row),
                all.Bytes("observation", row / ours.lanes() * 24 + lane));
    }
  }
  ASSERT_EQ(fragments_of_lane.size(), 24u);
  for (const auto& [lane, count] : fragments_of_lane) EXPECT_EQ(count, 2) << lane;
}

TEST(Rollout, ResetsLanesThatNobodyHasReset) {
  TestPool pool(TaskOf("CartPole-v1"), 3, v1::AUTORESET_MODE_NEXT_STEP, 1);
  ASSERT_EQ(pool.Publish(pool.MakePolicy({})), absl::OkStatus());
  const v1::Fragment fragment = pool.Collect(5, 1)[0];
  EXPECT_EQ(fragment.faults_size(), 0);
  for (size_t row = 0; row < 3; ++row) {
    EXPECT_EQ(Rows(fragment).Flags(row), 0);
    EXPECT_NE(Rows(fragment).Bytes("observation", row), std::string(16, '\0'));
  }
  EXPECT_EQ(pool.pool().statistics().resets, 3u);
  EXPECT_EQ(pool.pool().statistics().steps, 15u);
}

TEST(Rollout, HandsOverToANewPolicyBetweenTwoStepsOfALane) {
  TestPool pool(TaskOf("CartPole-v1"), 16, v1::AUTORESET_MODE_NEXT_STEP, 2);
  pool.Reset();
  ASSERT_EQ(pool.Publish(pool.MakePolicy({.version = 3})), absl::OkStatus());
  v1::CollectRequest request;
  request.set_fragment_length(10);
  request.set_max_in_flight(1);
  const auto rollout = pool.Start(request);
  ASSERT_TRUE(rollout.ok()) << rollout.status();
  std::set<uint64_t> versions;
  std::map<size_t, uint64_t> last;
  // What was published is in force in all that begins later; two fragments are under way.
  for (int k = 0; k < 12; ++k) {
    const auto response = (*rollout)->Next(absl::Now() + kPatience);
    ASSERT_TRUE(response.ok()) << response.status();
    const Rows rows((*response)->fragment());
    for (size_t row = 0; row < rows.size(); ++row) {
      const uint64_t version = rows.Get<uint64_t>("policy_version", row);
      versions.insert(version);
      EXPECT_GE(version, last[row % 16]);
      last[row % 16] = version;
      if (k >= 8) {
        EXPECT_EQ(version, 9u);
      }
    }
    (*rollout)->Release();
    if (k == 4) {
      ASSERT_EQ(pool.Publish(pool.MakePolicy({.version = 9})), absl::OkStatus());
    }
  }
  EXPECT_EQ(versions, (std::set<uint64_t>{3, 9}));
  const absl::Status older = pool.Publish(pool.MakePolicy({.version = 8}));
  EXPECT_EQ(ReasonOf(older), v1::ERROR_REASON_BAD_POLICY);
  EXPECT_TRUE(absl::StrContains(older.message(), "version: 8 where 9 is in force")) << older;
  EXPECT_EQ(FieldOf(pool.Publish(pool.MakePolicy({.version = 10, .critic = false}))), "critic");
}

TEST(Rollout, StopsInTheMiddleAndLeavesThePoolWhole) {
  TestPool pool(TaskOf("CartPole-v1"), 9, v1::AUTORESET_MODE_NEXT_STEP, 2);
  pool.Reset();
  ASSERT_EQ(pool.Publish(pool.MakePolicy({})), absl::OkStatus());
  v1::CollectRequest request;
  request.set_fragment_length(50);
  {
    const auto rollout = pool.Start(request);
    ASSERT_TRUE(rollout.ok()) << rollout.status();
    ASSERT_TRUE((*rollout)->Next(absl::Now() + kPatience).ok());
    EXPECT_EQ(ReasonOf(pool.pool().Save({}).status()), v1::ERROR_REASON_LANE_BUSY);
  }
  EXPECT_TRUE(pool.pool().Save({}).ok());
  v1::Attached attached;
  pool.pool().DescribeLanes(attached);
  EXPECT_EQ(attached.outstanding_size(), 0);
  v1::StepLanes step;
  for (const uint64_t op_no : attached.accepted_op_no()) {
    EXPECT_GE(op_no, 51u);
    step.add_op_nos(op_no + 1);
  }
  step.set_actions(std::string(9 * 8, '\0'));
  ASSERT_EQ(pool.pool().Step(std::move(step)), absl::OkStatus());
  v1::Batch batch;
  ASSERT_EQ(pool.pool().Next(absl::Now() + kPatience, 2, batch), absl::OkStatus());
  EXPECT_EQ(batch.faults_size(), 0);
}

TEST(Rollout, PausesWhileNobodyTakesFragments) {
  TestPool pool(TaskOf("CartPole-v1"), 4, v1::AUTORESET_MODE_NEXT_STEP, 1);
  pool.Reset();
  ASSERT_EQ(pool.Publish(pool.MakePolicy({})), absl::OkStatus());
  v1::CollectRequest request;
  request.set_fragment_length(10);
  request.set_max_in_flight(2);
  const auto rollout = pool.Start(request);
  ASSERT_TRUE(rollout.ok()) << rollout.status();
  const absl::Time patience = absl::Now() + kPatience;
  while (pool.pool().statistics().steps < 3 * 10 * 4 && absl::Now() < patience)
    absl::SleepFor(absl::Milliseconds(1));
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_EQ(pool.pool().statistics().steps, 3u * 10 * 4);
}

TEST(Rollout, FaultsTheLanesOfAPolicyThatGivesNumbersThatAreNotFinite) {
  for (const v1::AutoresetMode mode :
       {v1::AUTORESET_MODE_NEXT_STEP, v1::AUTORESET_MODE_SAME_STEP}) {
    TestPool pool(TaskOf("Hopper-v5"), 6, mode, 2);
    pool.Reset();
    ASSERT_EQ(pool.Publish(pool.MakePolicy(
                  {.version = 1, .activation = v1::ACTIVATION_RELU, .scale = 1e30})),
              absl::OkStatus());
    const v1::Fragment fragment = pool.Collect(20, 1)[0];
    EXPECT_EQ(ReasonOf(FromProto(fragment.status())), v1::ERROR_REASON_BAD_POLICY);
    EXPECT_TRUE(absl::StrContains(fragment.status().message(), "policy version 1"));
    ASSERT_EQ(fragment.faults_size(), 6);
    EXPECT_EQ(ReasonOf(FromProto(fragment.faults(5).status())), v1::ERROR_REASON_BAD_POLICY);
    const Rows rows(fragment);
    for (size_t row = 0; row < rows.size(); ++row) {
      // A fault, then the reset that cures it, then a fault again.
      const bool even = row / 6 % 2 == 0;
      EXPECT_EQ(rows.Flags(row), even ? v1::LANE_FLAG_FAULT : v1::LANE_FLAG_FIRST);
      for (const char* leaf : {"action", "log_prob", "value"}) {
        const std::string bytes = rows.Bytes(leaf, row);
        EXPECT_EQ(bytes, std::string(bytes.size(), '\0')) << leaf;
      }
    }
    // None of it is the lanes' fault: a better policy runs on all of them.
    ASSERT_EQ(pool.Publish(pool.MakePolicy({.version = 2})), absl::OkStatus());
    const v1::Fragment better = pool.Collect(5, 1)[0];
    EXPECT_EQ(better.faults_size(), 0);
    EXPECT_FALSE(better.has_status());
  }
}

TEST(Rollout, FaultsALaneWhoseStepHangsAndGoesOnWithTheOthers) {
  const auto hang = std::make_shared<std::atomic<bool>>(true);
  TestPool pool(MakeFaultyTask(0, hang), 6, v1::AUTORESET_MODE_NEXT_STEP, 2,
                absl::Milliseconds(300));
  pool.Reset();
  // The action is 1 + 104 · counter: each lane counts to 1, and hangs at its second step.
  v1::Policy policy = pool.MakePolicy({.hidden = {}, .normalizer = false});
  policy.mutable_head()->set_log_std(FloatBytes({-60}));
  v1::DenseLayer& layer = *policy.mutable_actor(0);
  layer.set_activation(v1::ACTIVATION_RELU);
  layer.set_weight(FloatBytes({104, 0, 0}));
  layer.set_bias(FloatBytes({1}));
  ASSERT_EQ(pool.Publish(policy), absl::OkStatus());
  v1::CollectRequest request;
  request.set_fragment_length(8);
  request.set_max_fragments(1);
  request.set_deterministic(true);
  const auto rollout = pool.Start(request);
  ASSERT_TRUE(rollout.ok()) << rollout.status();
  // One lane fails; then the hanging ends.
  const absl::Time patience = absl::Now() + kPatience;
  while (pool.pool().statistics().faults < 1 && absl::Now() < patience)
    absl::SleepFor(absl::Milliseconds(1));
  hang->store(false);
  const auto response = (*rollout)->Next(absl::Now() + kPatience);
  ASSERT_TRUE(response.ok()) << response.status();
  const v1::Fragment& fragment = (*response)->fragment();
  ASSERT_GE(fragment.faults_size(), 1);
  const Rows rows(fragment);
  for (const v1::LaneFault& fault : fragment.faults()) {
    EXPECT_EQ(ReasonOf(FromProto(fault.status())), v1::ERROR_REASON_STEP_TIMEOUT);
    const size_t lane = fault.env_id();
    EXPECT_EQ(rows.Flags(0 * 6 + lane), 0);
    EXPECT_EQ(rows.Flags(1 * 6 + lane), v1::LANE_FLAG_FAULT);
    EXPECT_EQ(rows.Flags(2 * 6 + lane), v1::LANE_FLAG_FIRST);
    EXPECT_EQ(rows.Get<double>("reward", 3 * 6 + lane), 1);
  }
  for (size_t lane = 0; lane < 6; ++lane) {
    EXPECT_EQ(rows.Get<double>("reward", lane), 1) << "lane " << lane;
    if (rows.Flags(6 + lane) == 0) {
      EXPECT_EQ(rows.Get<double>("reward", 6 + lane), 105);
    }
  }
}

TEST(Rollout, RefusesWhatCannotBeCollected) {
  TestPool pool(TaskOf("CartPole-v1"), 4, v1::AUTORESET_MODE_NEXT_STEP, 1);
  v1::CollectRequest request;
  request.set_fragment_length(8);
  EXPECT_EQ(ReasonOf(pool.Start(request).status()), v1::ERROR_REASON_NEEDS_POLICY);
  ASSERT_EQ(pool.Publish(pool.MakePolicy({})), absl::OkStatus());
  request.set_fragment_length(0);
  EXPECT_EQ(FieldOf(pool.Start(request).status()), "fragment_length");
  request.set_fragment_length(8);
  request.set_max_message_bytes(100);
  EXPECT_EQ(ReasonOf(pool.Start(request).status()), v1::ERROR_REASON_LIMIT);
  request.set_max_message_bytes(0);
  EXPECT_EQ(ReasonOf(pool.Start(request, {.max_buffer_bytes = 1000}).status()),
            v1::ERROR_REASON_LIMIT);
  request.set_max_in_flight(1000);
  EXPECT_EQ(FieldOf(pool.Start(request).status()), "max_in_flight");
  TestPool disabled(TaskOf("CartPole-v1"), 4, v1::AUTORESET_MODE_DISABLED, 1);
  ASSERT_EQ(disabled.Publish(disabled.MakePolicy({})), absl::OkStatus());
  const absl::Status refused = disabled.Start(request).status();
  EXPECT_TRUE(absl::StrContains(refused.message(), "AUTORESET_MODE_DISABLED")) << refused;
}

TEST(Rollout, ConcludedEndsWithAllLanesAtTheEndOfTheSameFragment) {
  constexpr uint32_t kLength = 7;
  for (const bool in_parts : {false, true}) {
    TestPool pool(TaskOf("CartPole-v1"), 24, v1::AUTORESET_MODE_NEXT_STEP, 2);
    TestPool undisturbed(TaskOf("CartPole-v1"), 24, v1::AUTORESET_MODE_NEXT_STEP, 1);
    for (TestPool* each : {&pool, &undisturbed}) {
      each->Reset();
      ASSERT_EQ(each->Publish(each->MakePolicy({})), absl::OkStatus());
    }
    v1::CollectRequest request;
    request.set_fragment_length(kLength);
    request.set_policy_seed(kSeed);
    if (in_parts) request.set_max_message_bytes(20'000);
    std::map<uint32_t, size_t> fragments;  // by first lane
    {
      const auto rollout = pool.Start(request);
      ASSERT_TRUE(rollout.ok()) << rollout.status();
      for (int k = 0;; ++k) {
        if (k == 5) {
          EXPECT_TRUE((*rollout)->Conclude());
        }
        const auto fragment = (*rollout)->Next(absl::Now() + kPatience);
        if (absl::IsOutOfRange(fragment.status())) break;
        ASSERT_TRUE(fragment.ok()) << fragment.status();
        ++fragments[(*fragment)->fragment().env_ids(0)];
        (*rollout)->Release();
      }
      EXPECT_FALSE((*rollout)->Conclude());
    }
    ASSERT_EQ(fragments.size() > 1, in_parts);
    for (const auto& [lane, count] : fragments) EXPECT_EQ(count, fragments[0]) << "lane " << lane;
    // The next one begins where it ended: between two fragments of every lane.
    const auto expected = undisturbed.Collect(kLength, fragments[0] + 1);
    EXPECT_EQ(Timeless(pool.Collect(kLength, 1)[0]), Timeless(expected.back()));
  }
}

TEST(Rollout, ConcludedAtItsEndAnywayEndsThere) {
  TestPool pool(TaskOf("CartPole-v1"), 4, v1::AUTORESET_MODE_NEXT_STEP, 1);
  ASSERT_EQ(pool.Publish(pool.MakePolicy({})), absl::OkStatus());
  v1::CollectRequest request;
  request.set_fragment_length(8);
  request.set_max_fragments(1);
  const auto rollout = pool.Start(request);
  ASSERT_TRUE(rollout.ok()) << rollout.status();
  EXPECT_FALSE((*rollout)->Conclude());
}

TEST(RolloutPolicy, IsRefusedWhereItDoesNotFitThePool) {
  TestPool pool(TaskOf("Hopper-v5"), 1, v1::AUTORESET_MODE_NEXT_STEP, 1);
  const v1::Policy good = pool.MakePolicy({});
  const auto error_of = [&](auto change) {
    v1::Policy policy = good;
    change(policy);
    return pool.Publish(policy);
  };
  const auto expect = [](const absl::Status& status, absl::string_view field,
                         absl::string_view text) {
    EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_BAD_POLICY) << status;
    EXPECT_EQ(FieldOf(status), field);
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
  };
  expect(error_of([](v1::Policy& policy) { policy.set_observation_leaves(0, "pixels"); }),
         "observation_leaves", "there are: observation");
  expect(error_of([](v1::Policy& policy) { policy.mutable_action(0)->set_low(0, -2); }),
         "action[0]", "where the pool has");
  RandomPolicyOptions wide;
  wide.observation_dim = 12;
  expect(pool.Publish(RandomPolicy(wide, pool.spec().action())), "actor[0].inputs", "have 11");
}

}  // namespace
}  // namespace hivewire
