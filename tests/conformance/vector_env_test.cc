// What a VectorEnv promises, over every way to a pool: in process, a Unix socket, loopback TCP,
// TLS, and two servers as one.
#include "client/vector_env.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "client/inproc.h"
#include "server/rpc/env_server.h"
#include "server/tasks/registry.h"
#include "tests/conformance/certificates.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

enum class Way { kInproc, kUnix, kTcp, kTls, kTwoServers };

std::string NameOf(Way way) {
  switch (way) {
    case Way::kInproc:
      return "Inproc";
    case Way::kUnix:
      return "Unix";
    case Way::kTcp:
      return "Tcp";
    case Way::kTls:
      return "Tls";
    default:
      return "TwoServers";
  }
}

const Registry& Envs() {
  static const Registry* registry = [] {
    auto built = Registry::Builtin();
    if (!built.ok()) std::abort();
    return new Registry(*std::move(built));
  }();
  return *registry;
}

class VectorEnvTest : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    switch (GetParam()) {
      case Way::kInproc:
        workers_ = std::make_unique<Workers>(2);
        options_.server = "inproc:";
        break;
      case Way::kUnix:
        StartServer(folder_.Socket("env.sock"));
        break;
      case Way::kTcp:
        StartServer("tcp:127.0.0.1:0");
        break;
      case Way::kTls: {
        const auto certificates = TestCertificates::Make(folder_.path());
        ASSERT_TRUE(certificates.ok()) << certificates.status();
        security_.tls_cert = certificates->server_cert;
        security_.tls_key = certificates->server_key;
        security_.tls_client_ca = certificates->ca;
        security_.token_file = certificates->token_file;
        options_.connection.tls_ca = certificates->ca;
        options_.connection.tls_cert = certificates->client_cert;
        options_.connection.tls_key = certificates->client_key;
        options_.connection.token_file = certificates->token_file;
        StartServer("tcp:localhost:0");
        break;
      }
      case Way::kTwoServers:
        StartServer(folder_.Socket("a.sock"));
        StartServer(folder_.Socket("b.sock"));
        break;
    }
  }

  void StartServer(const std::string& listen) {
    EnvServerOptions options;
    options.listen = *ParseListenAddresses(listen);
    options.security = security_;
    options.num_workers = 2;
    options.render = false;
    auto server = EnvServer::Start(Envs(), options);
    ASSERT_TRUE(server.ok()) << server.status();
    absl::StrAppend(&options_.server, options_.server.empty() ? "" : ",",
                    (*server)->addresses()[0]);
    servers_.push_back(*std::move(server));
  }

  absl::StatusOr<std::unique_ptr<VectorEnv>> TryMake() {
    return workers_ != nullptr ? VectorEnv::Make(options_, InprocCarriers(Envs(), *workers_))
                               : VectorEnv::Make(options_);
  }

  std::unique_ptr<VectorEnv> Make(const std::string& env_id, int num_envs) {
    options_.env_id = env_id;
    options_.num_envs = num_envs;
    auto env = TryMake();
    EXPECT_TRUE(env.ok()) << env.status();
    return env.ok() ? *std::move(env) : nullptr;
  }

  ShortFolder folder_;
  SecurityOptions security_;
  VectorEnvOptions options_;
  std::unique_ptr<Workers> workers_;
  std::vector<std::unique_ptr<EnvServer>> servers_;
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
    const auto reference = VectorEnv::Make(reference_options, InprocCarriers(Envs(), workers));
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
