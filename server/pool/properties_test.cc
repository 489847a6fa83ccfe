#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "server/pool/pool.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {
namespace {

using Values = google::protobuf::RepeatedPtrField<v1::LaneProperties>;

class PropertiesTest : public testing::Test {
 protected:
  void Make(const std::string& env_id, uint32_t lanes, int workers = 2) {
    v1::CreatePoolRequest request;
    request.set_num_envs(lanes);
    request.set_autoreset_mode(v1::AUTORESET_MODE_SAME_STEP);
    pool_.reset();
    workers_ = std::make_unique<Workers>(workers);
    auto task = BuiltinEnvs().Make(env_id, {});
    ASSERT_TRUE(task.ok()) << task.status();
    auto spec = PoolSpec::Make(*task, request);
    ASSERT_TRUE(spec.ok()) << spec.status();
    pool_ = *Pool::Create(*std::move(spec), *workers_);
    op_no_ = 0;
  }

  void Reset() {
    v1::ResetLanes frame;
    frame.add_op_nos(++op_no_);
    for (uint64_t lane = 0; lane < pool_->spec().num_lanes(); ++lane) frame.add_seeds(lane % 3);
    ASSERT_TRUE(pool_->Reset(frame).ok());
    Next();
  }

  // Actions that differ by step, lane and element; lanes of equal number modulo 3 act alike.
  void Step(int step) {
    v1::StepLanes frame;
    frame.add_op_nos(++op_no_);
    const size_t lanes = pool_->spec().num_lanes();
    const size_t elements = pool_->spec().action_elements();
    std::vector<float> actions;
    for (size_t lane = 0; lane < lanes; ++lane) {
      for (size_t k = 0; k < elements; ++k) {
        const double phase =
            step * (0.3 + 0.1 * static_cast<double>(k)) + static_cast<double>(lane % 3);
        actions.push_back(static_cast<float>(0.5 * std::sin(phase)));
      }
    }
    frame.set_actions(
        std::string(reinterpret_cast<const char*>(actions.data()), 4 * actions.size()));
    const absl::Status status = pool_->Step(std::move(frame));
    ASSERT_TRUE(status.ok()) << status;
    Next();
  }

  void Next() {
    const absl::Status status = pool_->Next(absl::Now() + absl::Seconds(30), ++seq_, batch_);
    ASSERT_TRUE(status.ok()) << status;
  }

  std::string Run(int steps) {
    std::string all;
    for (int step = 0; step < steps; ++step) {
      Step(step);
      all += batch_.payload();
    }
    return all;
  }

  // The bytes of one lane's observation in the last batch.
  std::string Observation(uint32_t lane) const {
    const size_t bytes = pool_->spec().result_layout().row_bytes(0);
    return batch_.payload().substr(lane * bytes, bytes);
  }

  static v1::LaneProperties Of(uint32_t lane, const std::string& name,
                               const std::vector<double>& values) {
    v1::LaneProperties properties;
    properties.set_env_id(lane);
    (*properties.mutable_values())[name].mutable_double_list()->mutable_values()->Assign(
        values.begin(), values.end());
    return properties;
  }

  absl::Status Set(const std::vector<v1::LaneProperties>& lanes) {
    return pool_->SetProperties(Values(lanes.begin(), lanes.end()));
  }

  std::vector<double> Get(uint32_t lane, const std::string& name) {
    google::protobuf::RepeatedField<uint32_t> env_ids;
    env_ids.Add(lane);
    google::protobuf::RepeatedPtrField<std::string> names;
    *names.Add() = name;
    Values lanes;
    const absl::Status status = pool_->GetProperties(env_ids, names, lanes);
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok()) return {};
    const v1::Value& value = lanes[0].values().at(name);
    if (value.kind_case() == v1::Value::kDoubleValue) return {value.double_value()};
    return {value.double_list().values().begin(), value.double_list().values().end()};
  }

  // As a Set of one value of lane 0.
  absl::Status SetOne(const std::string& name, const v1::Value& value) {
    v1::LaneProperties properties;
    (*properties.mutable_values())[name] = value;
    return Set({properties});
  }

  std::unique_ptr<Workers> workers_;
  std::unique_ptr<Pool> pool_;
  uint64_t op_no_ = 0;
  uint64_t seq_ = 0;
  v1::Batch batch_;
};

TEST_F(PropertiesTest, ALaneWithOtherGravityMovesOtherwiseAndItsNeighboursDoNot) {
  Make("Hopper-v5", 6);
  Reset();
  ASSERT_TRUE(Set({Of(1, "gravity", {0, 0, -1.62}), Of(2, "body_mass", {0, 4, 4, 3, 6})}).ok());
  EXPECT_EQ(Get(1, "gravity"), (std::vector<double>{0, 0, -1.62}));
  EXPECT_EQ(Get(0, "gravity"), (std::vector<double>{0, 0, -9.81}));
  EXPECT_EQ(Get(2, "body_mass")[4], 6);
  Run(20);
  EXPECT_EQ(Observation(0), Observation(3));  // same seed, same actions
  EXPECT_NE(Observation(1), Observation(4));
  EXPECT_NE(Observation(2), Observation(5));
}

TEST_F(PropertiesTest, OverridesOfManyLanesDoNotDependOnTheNumberOfWorkers) {
  const auto run = [&](int workers) {
    Make("Hopper-v5", 24, workers);
    std::vector<v1::LaneProperties> lanes;
    for (uint32_t lane = 0; lane < 24; ++lane) {
      if (lane % 4 == 1) lanes.push_back(Of(lane, "gravity", {0.1 * lane, 0, -9}));
      if (lane % 4 == 2)
        lanes.push_back(Of(lane, "dof_damping", std::vector<double>(6, 0.1 * lane)));
      if (lane % 4 == 3) lanes.push_back(Of(lane, "body_mass", {0, 3, 4, 3, 1.0 + lane}));
    }
    EXPECT_TRUE(Set(lanes).ok());
    Reset();
    return Run(100);
  };
  const std::string one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(7), one);
}

TEST_F(PropertiesTest, ModelValuesStayOverResetsAndStateValuesDoNot) {
  Make("HalfCheetah-v5", 1);
  Reset();
  const std::vector<double> start = Get(0, "qpos");
  std::vector<double> moved = start;
  moved[1] = 2;
  ASSERT_TRUE(Set({Of(0, "gravity", {0, 0, -3})}).ok());
  ASSERT_TRUE(Set({Of(0, "qpos", moved)}).ok());
  EXPECT_EQ(Get(0, "qpos"), moved);
  Reset();
  EXPECT_EQ(Get(0, "qpos"), start);
  EXPECT_EQ(Get(0, "gravity")[2], -3);
}

TEST_F(PropertiesTest, ALaneThatWasMovedIsNotRewardedForTheWay) {
  Make("HalfCheetah-v5", 1);
  Reset();
  std::vector<double> moved = Get(0, "qpos");
  moved[0] += 1000;
  ASSERT_TRUE(Set({Of(0, "qpos", moved)}).ok());
  Step(0);
  double reward;
  const size_t offset = pool_->spec().result_layout().Offset(1, 1);
  std::memcpy(&reward, batch_.payload().data() + offset, sizeof(reward));
  EXPECT_LT(std::abs(reward), 100);
}

TEST_F(PropertiesTest, TasksWithoutAnEngineHaveTheirOwn) {
  Make("CartPole-v1", 2);
  Reset();
  ASSERT_TRUE(Set({Of(1, "state", {0.1, 0.2, 0.3, 0.4})}).ok());
  EXPECT_EQ(Get(1, "state"), (std::vector<double>{0.1, 0.2, 0.3, 0.4}));
  EXPECT_NE(Get(0, "state")[0], 0.1);
}

TEST_F(PropertiesTest, EveryDeclaredPropertyCanBeReadAndWrittenBack) {
  for (const char* env_id :
       {"Ant-v5", "Humanoid-v5", "Pendulum-v1", "Acrobot-v1", "MountainCarContinuous-v0"}) {
    Make(env_id, 2);
    Reset();
    Values all;
    ASSERT_TRUE(pool_->GetProperties({}, {}, all).ok());
    const auto& declared = pool_->spec().description().spec().properties();
    EXPECT_EQ(all[0].values().size(), static_cast<size_t>(declared.size()));
    EXPECT_GT(declared.size(), 0);
    for (v1::LaneProperties& lane : all) {
      for (const v1::PropertySpec& property : declared) {
        if (!property.writable()) lane.mutable_values()->erase(property.name());
      }
    }
    const absl::Status status = pool_->SetProperties(all);
    EXPECT_TRUE(status.ok()) << env_id << ": " << status;
  }
}

TEST_F(PropertiesTest, WhatIsWrongIsNamedAndNothingChanges) {
  Make("Hopper-v5", 2);
  v1::Value value;
  value.mutable_double_list()->add_values(1);
  EXPECT_EQ(ReasonOf(Set({Of(0, "qpos", std::vector<double>(6, 0))})),
            v1::ERROR_REASON_NEEDS_RESET);
  Reset();
  absl::Status status = SetOne("body_mas", value);
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UNKNOWN_PROPERTY);
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "body_mass")) << status;
  status = SetOne("time", value);
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UNKNOWN_PROPERTY);
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_EQ(ReasonOf(SetOne("gravity", value)), v1::ERROR_REASON_BAD_SHAPE);
  status = Set({Of(0, "body_mass", {0, 1, -1, 1, 1})});
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_BAD_OPTION);
  EXPECT_TRUE(absl::StrContains(status.message(), "element 2 is -1")) << status;
  EXPECT_EQ(FieldOf(status), "values[\"body_mass\"]");
  EXPECT_EQ(ReasonOf(Set({Of(0, "gravity", {0, 0, NAN})})), v1::ERROR_REASON_BAD_OPTION);
  value.set_string_value("heavy");
  EXPECT_EQ(ReasonOf(SetOne("density", value)), v1::ERROR_REASON_BAD_OPTION);
  value.mutable_tensor_value()->add_shape(2);
  EXPECT_EQ(ReasonOf(SetOne("gravity", value)), v1::ERROR_REASON_BAD_SHAPE);
  EXPECT_EQ(ReasonOf(Set({Of(2, "gravity", {0, 0, 0})})), v1::ERROR_REASON_BAD_ENV_ID);
  EXPECT_EQ(ReasonOf(Set({Of(1, "gravity", {0, 0, 0}), Of(1, "gravity", {0, 0, 0})})),
            v1::ERROR_REASON_BAD_ENV_ID);
  // The first lane of the list is fine, the second is not.
  EXPECT_FALSE(Set({Of(0, "gravity", {0, 0, -1}), Of(1, "gravity", {1})}).ok());
  EXPECT_EQ(Get(0, "gravity")[2], -9.81);
  Step(0);  // and the lanes go on
}

TEST_F(PropertiesTest, AModelThatTheEngineCannotComputeIsRefused) {
  Make("Hopper-v5", 1);
  Reset();
  // Finite each, but not their sum.
  const absl::Status status = Set({Of(0, "body_mass", std::vector<double>(5, 1e308))});
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_BAD_OPTION) << status;
  Step(0);
}

TEST_F(PropertiesTest, ARunningLaneIsLeftAlone) {
  Make("Hopper-v5", 1);
  v1::ResetLanes frame;
  frame.add_op_nos(++op_no_);
  ASSERT_TRUE(pool_->Reset(frame).ok());
  EXPECT_EQ(ReasonOf(Set({Of(0, "gravity", {0, 0, 0})})), v1::ERROR_REASON_LANE_BUSY);
  Next();
  EXPECT_TRUE(Set({Of(0, "gravity", {0, 0, 0})}).ok());
}

TEST_F(PropertiesTest, SnapshotsCarryOverridesBitForBit) {
  Make("Hopper-v5", 6);
  Reset();
  ASSERT_TRUE(
      Set({Of(1, "gravity", {0, 0, -2}), Of(2, "geom_friction", std::vector<double>(15, 0.5)),
           Of(4, "body_mass", {0, 2, 2, 2, 2})})
          .ok());
  Run(10);
  const auto snapshots = pool_->Save({});
  ASSERT_TRUE(snapshots.ok()) << snapshots.status();
  const auto tail = [&](const std::string& payload) {
    // Observations and rewards: op_nos differ between the pools.
    return payload.substr(0, pool_->spec().result_layout().Offset(2, 6));
  };
  std::vector<std::string> expected;
  for (int step = 10; step < 40; ++step) {
    Step(step);
    expected.push_back(tail(batch_.payload()));
  }
  Make("Hopper-v5", 6, 1);
  v1::LoadLanes load;
  load.add_op_nos(++op_no_);
  for (const std::string& snapshot : *snapshots) load.add_snapshots(snapshot);
  const absl::Status loaded = pool_->Load(load);
  ASSERT_TRUE(loaded.ok()) << loaded;
  Next();
  EXPECT_EQ(Get(4, "body_mass"), (std::vector<double>{0, 2, 2, 2, 2}));
  for (int step = 10; step < 40; ++step) {
    Step(step);
    EXPECT_EQ(tail(batch_.payload()), expected[static_cast<size_t>(step - 10)]) << step;
  }
}

}  // namespace
}  // namespace hivewire
