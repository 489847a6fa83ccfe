// What a client notices of a connection that breaks, a server that goes, and a process that dies:
// a delay, or a clear error.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <random>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "client/session_ticket.h"
#include "client/vector_env.h"
#include "server/rpc/env_server.h"
#include "tests/faults/proxy.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

constexpr int kLanes = 6;

class ConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.env_id = "Hopper-v5";
    options_.num_envs = kLanes;
  }

  std::unique_ptr<EnvServer> Serve(const std::string& socket) {
    EnvServerOptions options = TestServerOptions(folder_.Socket(socket));
    options.drain_grace = drain_grace_;
    return StartTestServer(BuiltinEnvs(), options);
  }

  std::unique_ptr<VectorEnv> Make(const std::string& server) {
    options_.server = server;
    auto env = VectorEnv::Make(options_);
    EXPECT_TRUE(env.ok()) << env.status();
    return *std::move(env);
  }

  ShortFolder folder_;
  VectorEnvOptions options_;
  absl::Duration drain_grace_ = absl::Seconds(30);
};

std::vector<float> ActionsAt(uint64_t step, absl::Span<const uint32_t> lanes) {
  std::vector<float> actions;
  for (const uint32_t lane : lanes) {
    for (int k = 0; k < 3; ++k) {
      actions.push_back(
          static_cast<float>(std::sin(0.37 * static_cast<double>(step) + 1.7 * lane + k)));
    }
  }
  return actions;
}

absl::Status SendStep(VectorEnv& env, uint64_t step, absl::Span<const uint32_t> lanes) {
  const std::vector<float> actions = ActionsAt(step, lanes);
  return env.SendStep(
      lanes, {reinterpret_cast<const char*>(actions.data()), actions.size() * sizeof(float)});
}

std::string Digest(const StepResult& result) {
  std::string all(result.observations[0].data(),
                  result.observations[0].num_rows() * result.observations[0].row_bytes());
  all.append(reinterpret_cast<const char*>(result.rewards.data()),
             result.rewards.size() * sizeof(double));
  all.append(reinterpret_cast<const char*>(result.op_nos.data()),
             result.op_nos.size() * sizeof(uint64_t));
  return all;
}

const std::vector<uint32_t> kGroups[2] = {{0, 2, 4}, {5, 3, 1}};

// Steps from `begin` to `end` in two groups, both in flight; by group, all that came.
std::vector<std::string> Steps(VectorEnv& env, uint64_t begin, uint64_t end) {
  std::vector<std::string> digests(2);
  StepResult result;
  for (uint64_t step = begin; step < end; ++step) {
    for (const auto& lanes : kGroups) {
      const absl::Status status = SendStep(env, step, lanes);
      EXPECT_TRUE(status.ok()) << status;
    }
    for (int k = 0; k < 2; ++k) {
      const absl::Status status = env.Receive(result);
      EXPECT_TRUE(status.ok()) << status;
      if (!status.ok()) return digests;
      digests[result.env_ids == kGroups[0] ? 0 : 1] += Digest(result);
    }
  }
  return digests;
}

TEST_F(ConnectionTest, ACutConnectionIsADelayAndNothingElse) {
  const auto server = Serve("a.sock");
  const auto proxy = CuttingProxy::Start(server->addresses()[0]);
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  const auto straight = Make(server->addresses()[0]);
  const auto cut = Make((*proxy)->address());
  StepResult result;
  ASSERT_TRUE(straight->Reset(7, result).ok());
  ASSERT_TRUE(cut->Reset(7, result).ok());
  std::mt19937 random(1);
  for (uint64_t round = 0; round < 12; ++round) {
    // Anywhere within the next ten or so frames.
    (*proxy)->CutAfter(std::uniform_int_distribution<int>(1, 12000)(random));
    EXPECT_EQ(Steps(*cut, 20 * round, 20 * round + 20),
              Steps(*straight, 20 * round, 20 * round + 20));
  }
  EXPECT_GE((*proxy)->cuts(), 12);
}

TEST_F(ConnectionTest, AServerThatStaysAwayIsNamedOnceTheTimeIsOver) {
  const auto server = Serve("a.sock");
  const auto proxy = CuttingProxy::Start(server->addresses()[0]);
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  options_.connection.reconnect_timeout = absl::Milliseconds(300);
  const auto env = Make((*proxy)->address());
  StepResult result;
  ASSERT_TRUE(env->Reset(7, result).ok());
  (*proxy)->SetClosed(true);
  absl::Status status = SendStep(*env, 0, kGroups[0]);
  if (status.ok()) status = env->Receive(result);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), (*proxy)->address())) << status;
  EXPECT_FALSE(PoolsAreGone(status));
}

TEST_F(ConnectionTest, AServerThatRestartedIsToldFromOneThatStaysAway) {
  auto server = Serve("a.sock");
  const auto env = Make(server->addresses()[0]);
  StepResult result;
  ASSERT_TRUE(env->Reset(7, result).ok());
  const std::string before = Digest(result);
  server.reset();
  server = Serve("a.sock");
  // A pool of the same id, of another owner.
  const auto other = Make(server->addresses()[0]);
  absl::Status status = SendStep(*env, 0, kGroups[0]);
  if (status.ok()) status = env->Receive(result);
  EXPECT_TRUE(PoolsAreGone(status)) << status;
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  const absl::Status renewed = env->Renew();
  ASSERT_TRUE(renewed.ok()) << renewed;
  EXPECT_EQ(ReasonOf(SendStep(*env, 0, kGroups[0]).ok() ? env->Receive(result)
                                                        : absl::UnknownError("not sent")),
            v1::ERROR_REASON_NEEDS_RESET);
  ASSERT_TRUE(env->Reset(7, result).ok());
  EXPECT_EQ(Digest(result), before);
  EXPECT_FALSE(Steps(*env, 0, 3)[1].empty());
}

TEST_F(ConnectionTest, AnotherProcessGoesOnWithTheTicket) {
  const auto server = Serve("a.sock");
  auto env = Make(server->addresses()[0]);
  StepResult result;
  ASSERT_TRUE(env->Reset(7, result).ok());
  Steps(*env, 0, 10);
  const std::string path = folder_.path() + "/ticket";
  ASSERT_TRUE(SaveTicket(env->ticket(), path).ok());
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_TRUE(SendStep(*env, 10, kGroups[0]).ok());  // its result is never seen by this client
  env->Leave();
  env.reset();

  const auto ticket = LoadTicket(path);
  ASSERT_TRUE(ticket.ok()) << ticket.status();
  const auto resumed = VectorEnv::Resume(*ticket, options_, result);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(result.op_nos, (std::vector<uint64_t>{12, 11, 12, 11, 12, 11}));
  ASSERT_TRUE(SendStep(**resumed, 10, kGroups[1]).ok());
  ASSERT_TRUE((*resumed)->Receive(result).ok());
  const auto reference = Make(server->addresses()[0]);
  ASSERT_TRUE(reference->Reset(7, result).ok());
  Steps(*reference, 0, 11);
  EXPECT_EQ(Steps(**resumed, 11, 20), Steps(*reference, 11, 20));
}

TEST_F(ConnectionTest, ATicketThatOthersCanReadOrThatIsDamagedIsRefused) {
  v1::SessionTicket ticket;
  v1::PoolTicket& pool = *ticket.add_pools();
  pool.set_address("unix:/a");
  pool.set_pool_id("pool-1");
  const std::string path = folder_.path() + "/ticket";
  ASSERT_TRUE(SaveTicket(ticket, path).ok());
  const absl::Status without_token = LoadTicket(path).status();
  EXPECT_TRUE(absl::StrContains(without_token.message(), "lease_token")) << without_token;
  pool.set_lease_token("secret");
  ASSERT_TRUE(SaveTicket(ticket, path).ok());
  EXPECT_TRUE(LoadTicket(path).ok());
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(LoadTicket(path).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(ConnectionTest, ATicketOfAPoolThatIsGoneSaysSo) {
  const auto server = Serve("a.sock");
  v1::SessionTicket ticket;
  {
    const auto env = Make(server->addresses()[0]);
    ticket = env->ticket();
  }
  StepResult result;
  const absl::Status status = VectorEnv::Resume(ticket, options_, result).status();
  EXPECT_TRUE(PoolsAreGone(status)) << status;
}

TEST_F(ConnectionTest, PoolsOfADrainingServerMoveAndGoOnBitForBit) {
  for (const bool by_standby : {true, false}) {
    const auto leaving = Serve(absl::StrCat("leaving-", by_standby));
    const auto staying = Serve(absl::StrCat("staying-", by_standby));
    options_.connection.standby = by_standby ? staying->addresses()[0] : "";
    const auto env =
        Make(by_standby ? leaving->addresses()[0]
                        : absl::StrCat(leaving->addresses()[0], ",", staying->addresses()[0]));
    const auto reference = Make(staying->addresses()[0]);
    StepResult result;
    ASSERT_TRUE(env->Reset(7, result).ok());
    ASSERT_TRUE(reference->Reset(7, result).ok());
    EXPECT_EQ(Steps(*env, 0, 15), Steps(*reference, 0, 15));
    std::thread draining([&] { leaving->Drain(); });  // ends when the last session has left
    uint64_t step = 15;
    while (env->ticket().pools(0).address() != staying->addresses()[0] && step < 1000000) {
      ASSERT_EQ(Steps(*env, step, step + 1)[1].size(), Steps(*reference, step, step + 1)[1].size());
      ++step;
    }
    draining.join();
    // The reference counts its operations on, the pool that moved began anew.
    ASSERT_TRUE(SendStep(*env, step, kGroups[0]).ok());
    ASSERT_TRUE(env->Receive(result).ok());
    StepResult expected;
    ASSERT_TRUE(SendStep(*reference, step, kGroups[0]).ok());
    ASSERT_TRUE(reference->Receive(expected).ok());
    result.op_nos = expected.op_nos;
    EXPECT_EQ(Digest(result), Digest(expected));
    options_.connection.standby = "";
  }
}

TEST_F(ConnectionTest, ADrainedServerWithNoOtherOneIsAClearError) {
  drain_grace_ = absl::Milliseconds(500);
  const auto server = Serve("a.sock");
  const auto env = Make(server->addresses()[0]);
  StepResult result;
  ASSERT_TRUE(env->Reset(7, result).ok());
  std::thread draining([&] {
    server->Drain();
    server->Shutdown();
  });
  absl::Status status;
  for (uint64_t step = 0; status.ok() && step < 1000000; ++step) {
    status = SendStep(*env, step, kGroups[0]);
    if (status.ok()) status = env->Receive(result);
  }
  draining.join();
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_DRAINING) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "another server")) << status;
  EXPECT_TRUE(PoolsAreGone(status));
}

}  // namespace
}  // namespace hivewire
