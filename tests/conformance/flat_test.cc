// A server that lives long: memory, file descriptors and threads stay what they are over many pools
// and many connections; and many clients share it.
//
// HIVEWIRE_FLAT_POOLS and HIVEWIRE_FLAT_CONNECTIONS: how many; small numbers where they are unset.
// tests/full.sh asks for 10,000 and 100,000.
#include <dirent.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "absl/strings/numbers.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "server/rpc/env_server.h"
#include "spdlog/spdlog.h"
#include "tests/conformance/raw_session.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

int CountFrom(const char* variable, int unset) {
  const char* text = std::getenv(variable);
  int count = unset;
  if (text != nullptr && !absl::SimpleAtoi(text, &count)) ADD_FAILURE() << variable << "=" << text;
  return count;
}

size_t EntriesOf(const char* folder) {
  size_t entries = 0;
  DIR* directory = opendir(folder);
  while (readdir(directory) != nullptr) ++entries;
  closedir(directory);
  return entries;
}

// Of this process, which is client and server.
struct Footprint {
  size_t threads = EntriesOf("/proc/self/task");
  size_t files = EntriesOf("/proc/self/fd");
  double resident_mb = ResidentMb();

  static double ResidentMb() {
    malloc_trim(0);
    unsigned long pages = 0;
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    if (std::fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
    std::fclose(file);
    return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
  }
};

class FlatTest : public testing::Test {
 protected:
  void SetUp() override {
    spdlog::set_level(spdlog::level::warn);
    server_ = StartTestServer(BuiltinEnvs(), TestServerOptions(folder_.Socket("env.sock")));
  }

  std::shared_ptr<grpc::Channel> NewChannel() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(server_->addresses()[0], grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  // Makes a pool, steps it through a session, and lets it go.
  void UsePool(const std::shared_ptr<grpc::Channel>& channel, const char* env_id) {
    const auto control = v1::EnvControl::NewStub(channel);
    v1::CreatePoolRequest request;
    request.set_env_id(env_id);
    request.set_num_envs(4);
    v1::CreatePoolResponse made;
    grpc::ClientContext context;
    ASSERT_TRUE(control->CreatePool(&context, request, &made).ok());
    RawSession session(channel);
    v1::ClientFrame frame;
    frame.mutable_attach()->set_pool_id(made.pool().pool_id());
    frame.mutable_attach()->set_lease_token(made.lease_token());
    session.Write(frame);
    ASSERT_TRUE(session.Read().has_attached());
    frame.mutable_reset()->add_op_nos(1);
    session.Write(frame);
    ASSERT_TRUE(session.Read().has_batch());
    frame.mutable_detach()->set_release_pool(true);
    session.Write(frame);
    ASSERT_TRUE(session.Finish().ok());
  }

  static void ExpectFlat(const Footprint& before, const char* what, int count) {
    Footprint after;
    // The last streams' threads may still be on their way out.
    for (int look = 0;
         look < 100 && (after.threads > before.threads + 8 || after.files > before.files + 8);
         ++look) {
      usleep(100000);
      after = Footprint();
    }
    std::printf("%d %s: threads %zu -> %zu, files %zu -> %zu, resident %.1f -> %.1f MB\n", count,
                what, before.threads, after.threads, before.files, after.files, before.resident_mb,
                after.resident_mb);
    EXPECT_LE(after.threads, before.threads + 8) << what;
    EXPECT_LE(after.files, before.files + 8) << what;
    EXPECT_LE(after.resident_mb, before.resident_mb + 24) << what;
  }

  const ShortFolder folder_;
  std::unique_ptr<EnvServer> server_;
};

TEST_F(FlatTest, PoolsLeaveNothingBehind) {
  const int count = CountFrom("HIVEWIRE_FLAT_POOLS", 200);
  const auto channel = NewChannel();
  const char* const envs[] = {"CartPole-v1", "Hopper-v5", "Ant-v5", "Pendulum-v1"};
  for (int pool = 0; pool < 40; ++pool) UsePool(channel, envs[pool % 4]);
  const Footprint before;
  for (int pool = 0; pool < count; ++pool) UsePool(channel, envs[pool % 4]);
  ExpectFlat(before, "pools", count);
}

TEST_F(FlatTest, ConnectionsLeaveNothingBehind) {
  const int count = CountFrom("HIVEWIRE_FLAT_CONNECTIONS", 300);
  const auto connect = [&](int times) {
    for (int connection = 0; connection < times; ++connection) {
      const auto control = v1::EnvControl::NewStub(NewChannel());
      v1::GetServerInfoResponse info;
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      ASSERT_TRUE(control->GetServerInfo(&context, {}, &info).ok());
    }
  };
  connect(100);
  const Footprint before;
  connect(count);
  ExpectFlat(before, "connections", count);
}

// A client of its own thread and connection that steps in lockstep until it is told to stop.
TEST_F(FlatTest, AThousandLanesOfTwentyClientsShareOneServer) {
  constexpr int kClients = 20;
  constexpr uint32_t kLanes = 50;
  constexpr int kEnough = 40;
  const char* const envs[] = {"CartPole-v1", "Pendulum-v1", "Hopper-v5", "Ant-v5"};
  std::atomic<int> left{kClients};
  std::array<std::atomic<int>, kClients> steps{};
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      const auto channel = NewChannel();
      v1::CreatePoolRequest request;
      request.set_env_id(envs[client % 4]);
      request.set_num_envs(kLanes);
      v1::CreatePoolResponse made;
      grpc::ClientContext context;
      ASSERT_TRUE(v1::EnvControl::NewStub(channel)->CreatePool(&context, request, &made).ok());
      RawSession session(channel);
      v1::ClientFrame frame;
      frame.mutable_attach()->set_pool_id(made.pool().pool_id());
      frame.mutable_attach()->set_lease_token(made.lease_token());
      session.Write(frame);
      ASSERT_TRUE(session.Read().has_attached());
      // Until everybody has had enough, so that all of them compete to the end.
      for (uint64_t op_no = 1; left.load() > 0; ++op_no) {
        frame.Clear();
        if (op_no == 1) {
          frame.mutable_reset()->add_op_nos(op_no);
        } else {
          frame.mutable_step()->add_op_nos(op_no);
          const v1::LayoutLeaf& action = made.pool().action_layout().leaves(0);
          frame.mutable_step()->set_actions(std::string(kLanes * action.row_bytes(), '\0'));
        }
        session.Write(frame);
        ASSERT_TRUE(session.Read().has_batch());
        if (++steps[static_cast<size_t>(client)] == kEnough) --left;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  // Clients of one env get alike.
  for (int kind = 0; kind < 4; ++kind) {
    int least = INT32_MAX, most = 0;
    for (int client = kind; client < kClients; client += 4) {
      least = std::min(least, steps[static_cast<size_t>(client)].load());
      most = std::max(most, steps[static_cast<size_t>(client)].load());
    }
    std::printf("%s: %d … %d steps\n", envs[kind], least, most);
    EXPECT_GE(least, kEnough);
    EXPECT_LE(most, 3 * least) << envs[kind];
  }
}

}  // namespace
}  // namespace hivewire
