// Leases of peers that vanish: half-open connections are found, and their pools are freed.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "server/rpc/env_server.h"
#include "tests/conformance/raw_session.h"
#include "tests/conformance/silent_proxy.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

TEST(Lease, OfAPeerThatWentSilentEndsThoughItsConnectionIsOpen) {
  const ShortFolder folder;
  EnvServerOptions options = TestServerOptions(folder.Socket("env.sock"));
  options.keepalive_time = absl::Seconds(1);
  options.keepalive_timeout = absl::Seconds(1);
  const auto server = StartTestServer(BuiltinEnvs(), options);
  SilentProxy proxy(std::string(absl::StripPrefix(server->addresses()[0], "unix:")));
  const auto far = grpc::CreateChannel(proxy.address(), grpc::InsecureChannelCredentials());
  const auto near = grpc::CreateChannel(server->addresses()[0], grpc::InsecureChannelCredentials());
  const auto control = v1::EnvControl::NewStub(near);

  v1::CreatePoolRequest request;
  request.set_env_id("CartPole-v1");
  request.set_num_envs(1);
  request.set_lease_ttl_ms(100);
  v1::CreatePoolResponse made;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(v1::EnvControl::NewStub(far)->CreatePool(&context, request, &made).ok());
  }
  RawSession session(far);
  v1::ClientFrame attach;
  attach.mutable_attach()->set_pool_id(made.pool().pool_id());
  attach.mutable_attach()->set_lease_token(made.lease_token());
  session.Write(attach);
  ASSERT_TRUE(session.Read().has_attached());
  proxy.GoSilent();

  const absl::Time patience = absl::Now() + absl::Seconds(60);
  v1::ListPoolsResponse pools;
  do {
    absl::SleepFor(absl::Milliseconds(50));
    grpc::ClientContext context;
    ASSERT_TRUE(control->ListPools(&context, {}, &pools).ok());
  } while (pools.pools_size() > 0 && absl::Now() < patience);
  EXPECT_EQ(pools.pools_size(), 0);
}

}  // namespace
}  // namespace hivewire
