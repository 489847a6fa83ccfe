// What a VectorEnv promises, over every way to a pool: in process, a Unix socket, loopback TCP,
// TLS, and two servers as one.
#include "client/vector_env.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "client/inproc.h"
#include "tests/conformance/ways.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {
namespace {

class VectorEnvTest : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    auto host = Host::Start(GetParam());
    ASSERT_TRUE(host.ok()) << host.status();
    host_ = *std::move(host);
    options_.server = host_->server();
    options_.connection = host_->connection();
  }

  absl::StatusOr<std::unique_ptr<VectorEnv>> TryMake() {
    return VectorEnv::Make(options_, host_->carriers());
  }

  std::unique_ptr<VectorEnv> Make(const std::string& env_id, int num_envs) {
    options_.env_id = env_id;
    options_.num_envs = num_envs;
    auto env = TryMake();
    EXPECT_TRUE(env.ok()) << env.status();
    return env.ok() ? *std::move(env) : nullptr;
  }

  std::unique_ptr<Host> host_;
  VectorEnvOptions options_;
};

// Actions that differ by lane and step, within ±1.
std::vector<float> ActionsFor(const VectorEnv& env, int step, const std::vector<uint32_t>& lanes) {
  const size_t width = env.action_bytes() / sizeof(float);
  std::vector<float> actions;
  for (const uint32_t lane : lanes) {
    for (size_t k = 0; k < width; ++k) {
      actions.push_back(
          static_cast<float>(std::sin(0.37 * step + 1.7 * lane + static_cast<double>(k))));
    }
  }
  return actions;
}

std::vector<uint32_t> AllLanes(int num_envs) {
  std::vector<uint32_t> lanes(static_cast<size_t>(num_envs));
  std::iota(lanes.begin(), lanes.end(), 0);
  return lanes;
}

absl::Span<const char> Bytes(const std::vector<float>& actions) {
  return {reinterpret_cast<const char*>(actions.data()), actions.size() * sizeof(float)};
}

// Everything of a result that a learner sees, for comparing runs.
std::string Digest(const StepResult& result) {
  std::string all;
  for (const auto* leaves : {&result.observations, &result.infos, &result.final_observations}) {
    for (const LeafBuffer& leaf : *leaves)
      all.append(leaf.data(), leaf.num_rows() * leaf.row_bytes());
  }
  for (const auto* flags :
       {&result.terminated, &result.truncated, &result.first, &result.autoreset, &result.fault}) {
    all.append(flags->begin(), flags->end());
  }
  all.append(reinterpret_cast<const char*>(result.rewards.data()),
             result.rewards.size() * sizeof(double));
  all.append(reinterpret_cast<const char*>(result.seeds.data()),
             result.seeds.size() * sizeof(uint64_t));
  return all;
}

std::string RunHopper(VectorEnv& env, int steps) {
  StepResult result;
  EXPECT_TRUE(env.Reset(7, result).ok());
  std::string all = Digest(result);
  const std::vector<uint32_t> lanes = AllLanes(env.num_envs());
  for (int step = 0; step < steps; ++step) {
    const absl::Status status = env.Step(Bytes(ActionsFor(env, step, lanes)), result);
    EXPECT_TRUE(status.ok()) << status;
    all += Digest(result);
  }
  return all;
}

TEST_P(VectorEnvTest, GivesTheResultsOfOneInProcessPoolBitForBit) {
  for (const v1::AutoresetMode mode :
       {v1::AUTORESET_MODE_NEXT_STEP, v1::AUTORESET_MODE_SAME_STEP}) {
    options_.autoreset_mode = mode;
    const auto env = Make("Hopper-v5", 5);
    ASSERT_NE(env, nullptr);
    Workers workers(1);
    VectorEnvOptions reference_options = options_;
    reference_options.server = "inproc:";
    const auto reference =
        VectorEnv::Make(reference_options, InprocCarriers(BuiltinEnvs(), workers));
    ASSERT_TRUE(reference.ok());
    EXPECT_EQ(RunHopper(*env, 200), RunHopper(**reference, 200));
  }
}

TEST_P(VectorEnvTest, LaneIGetsSeedPlusI) {
  const auto env = Make("Hopper-v5", 4);
  ASSERT_NE(env, nullptr);
  StepResult result;
  ASSERT_TRUE(env->Reset(100, result).ok());
  EXPECT_EQ(result.seeds, (std::vector<uint64_t>{100, 101, 102, 103}));
  EXPECT_EQ(result.first, (std::vector<uint8_t>{1, 1, 1, 1}));
}

TEST_P(VectorEnvTest, GroupsInFlightComeBackWholeWithTheirRowsInOrder) {
  const auto env = Make("Hopper-v5", 6);
  ASSERT_NE(env, nullptr);
  StepResult result;
  ASSERT_TRUE(env->Reset(1, result).ok());
  const std::vector<uint32_t> groups[2] = {{4, 0, 2}, {1, 5, 3}};
  for (const auto& group : groups)
    ASSERT_TRUE(env->SendStep(group, Bytes(ActionsFor(*env, 0, group))).ok());
  for (int step = 1; step < 50; ++step) {
    ASSERT_TRUE(env->Receive(result).ok());
    const auto& group = result.env_ids == groups[0] ? groups[0] : groups[1];
    ASSERT_EQ(result.env_ids, group);
    ASSERT_TRUE(env->SendStep(group, Bytes(ActionsFor(*env, step, group))).ok());
  }
}

TEST_P(VectorEnvTest, ABadCallIsAClearErrorAndTheNextOneWorks) {
  const auto env = Make("Hopper-v5", 3);
  ASSERT_NE(env, nullptr);
  StepResult result;
  std::vector<float> actions = ActionsFor(*env, 0, AllLanes(3));
  EXPECT_EQ(ReasonOf(env->Step(Bytes(actions), result)), v1::ERROR_REASON_NEEDS_RESET);
  ASSERT_TRUE(env->Reset(1, result).ok());
  EXPECT_EQ(ReasonOf(env->Step(Bytes({1, 2}), result)), v1::ERROR_REASON_BAD_SHAPE);
  std::vector<float> nan = actions;
  nan[4] = NAN;
  EXPECT_EQ(ReasonOf(env->Step(Bytes(nan), result)), v1::ERROR_REASON_BAD_ACTION);
  EXPECT_EQ(ReasonOf(env->SendStep({3}, Bytes({0, 0, 0}))), v1::ERROR_REASON_BAD_ENV_ID);
  EXPECT_EQ(ReasonOf(env->SendStep({1, 1}, Bytes({0, 0, 0, 0, 0, 0}))),
            v1::ERROR_REASON_BAD_ENV_ID);
  EXPECT_FALSE(env->Receive(result).ok());  // nothing is in flight
  const absl::Status good = env->Step(Bytes(actions), result);
  EXPECT_TRUE(good.ok()) << good;
}

TEST_P(VectorEnvTest, AnUnknownEnvIsAnsweredWithTheNearest) {
  options_.env_id = "Hoper-v5";
  options_.num_envs = 2;
  const auto env = TryMake();
  EXPECT_EQ(env.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(env.status().message().find("Hopper-v5"), absl::string_view::npos) << env.status();
  options_.env_id = "Hopper-v5";
  options_.env_options["reset_noise_scal"].set_double_value(1);
  const auto option = TryMake();
  EXPECT_EQ(ReasonOf(option.status()), v1::ERROR_REASON_BAD_OPTION);
  EXPECT_NE(option.status().message().find("reset_noise_scale"), absl::string_view::npos)
      << option.status();
}

TEST_P(VectorEnvTest, ARestoredStateGoesOnBitForBit) {
  const auto env = Make("Hopper-v5", 3);
  ASSERT_NE(env, nullptr);
  StepResult result;
  ASSERT_TRUE(env->Reset(3, result).ok());
  const std::vector<uint32_t> lanes = AllLanes(3);
  for (int step = 0; step < 40; ++step)
    ASSERT_TRUE(env->Step(Bytes(ActionsFor(*env, step, lanes)), result).ok());
  const std::string before = Digest(result);
  const auto snapshots = env->SaveState();
  ASSERT_TRUE(snapshots.ok()) << snapshots.status();
  const auto run_on = [&] {
    std::string all;
    for (int step = 40; step < 120; ++step) {
      EXPECT_TRUE(env->Step(Bytes(ActionsFor(*env, step, lanes)), result).ok());
      all += Digest(result);
    }
    return all;
  };
  const std::string first = run_on();
  const absl::Status loaded = env->LoadState(*snapshots, result);
  ASSERT_TRUE(loaded.ok()) << loaded;
  EXPECT_EQ(Digest(result), before);
  EXPECT_EQ(run_on(), first);
}

TEST_P(VectorEnvTest, PropertiesAreReadAndSetByLane) {
  const auto env = Make("Hopper-v5", 4);
  ASSERT_NE(env, nullptr);
  StepResult result;
  ASSERT_TRUE(env->Reset(1, result).ok());
  const auto all = env->GetProperties({}, {});
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 4u);
  EXPECT_EQ(all->at(3).env_id(), 3u);
  EXPECT_EQ(all->at(0).values_size(), env->spec().properties_size());
  ASSERT_EQ(all->at(0).values().count("gravity"), 1u);

  v1::LaneProperties moon;
  moon.set_env_id(3);
  for (const double g : {0.0, 0.0, -1.6})
    (*moon.mutable_values())["gravity"].mutable_double_list()->add_values(g);
  absl::Status status = env->SetProperties({moon});
  ASSERT_TRUE(status.ok()) << status;
  const auto some = env->GetProperties({3, 1}, {"gravity"});
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_EQ(some->at(0).values().at("gravity").double_list().values(2), -1.6);
  EXPECT_EQ(some->at(1).values().at("gravity").double_list().values(2), -9.81);

  v1::Value ten;
  ten.set_double_value(10);
  EXPECT_EQ(ReasonOf(env->SetProperty("gravitas", ten)), v1::ERROR_REASON_UNKNOWN_PROPERTY);
  EXPECT_EQ(ReasonOf(env->GetProperties({4}, {}).status()), v1::ERROR_REASON_BAD_ENV_ID);
}

TEST_P(VectorEnvTest, ObservationsComeInTheDtypeAskedFor) {
  options_.observation_dtype = v1::DTYPE_FLOAT32;
  const auto env = Make("Hopper-v5", 2);
  ASSERT_NE(env, nullptr);
  options_.observation_dtype = v1::DTYPE_FLOAT64;
  const auto exact = Make("Hopper-v5", 2);
  StepResult narrow, wide;
  ASSERT_TRUE(env->Reset(1, narrow).ok());
  ASSERT_TRUE(exact->Reset(1, wide).ok());
  ASSERT_EQ(narrow.observations[0].dtype(), v1::DTYPE_FLOAT32);
  for (size_t k = 0; k < 2 * wide.observations[0].row_elements(); ++k) {
    EXPECT_EQ(narrow.observations[0].as<float>()[k],
              static_cast<float>(wide.observations[0].as<double>()[k]));
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, VectorEnvTest,
                         testing::Values(Way::kInproc, Way::kUnix, Way::kTcp, Way::kTls,
                                         Way::kTwoServers),
                         [](const auto& info) { return NameOf(info.param); });

}  // namespace
}  // namespace hivewire
