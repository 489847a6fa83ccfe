// The Rollouts service over a Unix socket: who may publish and collect, what is refused, and how a
// Collect ends.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/layout.h"
#include "base/sha256.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "hivewire/v1/rollout.grpc.pb.h"
#include "policy/portable/testing/random_policy.h"
#include "server/rpc/env_server.h"
#include "tests/conformance/raw_session.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

absl::Status StatusOf(const grpc::Status& status) {
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details()))
    return FromProto(details);
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// A Collect as a client holds it.
class Collecting {
 public:
  Collecting(v1::Rollouts::Stub& stub, const v1::CollectRequest& request)
      : reader_(stub.Collect(&context_, request)) {}
  ~Collecting() {
    context_.TryCancel();
    if (!finished_) reader_->Finish();
  }

  bool Read(v1::Fragment& fragment) {
    v1::CollectResponse response;
    const bool read = reader_->Read(&response);
    fragment = response.fragment();
    return read;
  }
  absl::Status Finish() {
    v1::Fragment rest;
    while (Read(rest)) {
    }
    finished_ = true;
    return StatusOf(reader_->Finish());
  }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::CollectResponse>> reader_;
  bool finished_ = false;
};

class RolloutTest : public testing::Test {
 protected:
  void SetUp() override { StartServer(true); }

  void StartServer(bool allow, absl::Duration max_evaluation = absl::Seconds(1)) {
    server_.reset();
    EnvServerOptions options = TestServerOptions(folder_.Socket("env.sock"));
    options.rollouts.allow = allow;
    options.rollouts.max_policy_bytes = 100'000;
    options.rollouts.max_evaluation = max_evaluation;
    server_ = StartTestServer(BuiltinEnvs(), options);
    channel_ = grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials());
    control_ = v1::EnvControl::NewStub(channel_);
    rollouts_ = v1::Rollouts::NewStub(channel_);
    v1::CreatePoolRequest request;
    request.set_env_id("CartPole-v1");
    request.set_num_envs(6);
    grpc::ClientContext context;
    ASSERT_TRUE(control_->CreatePool(&context, request, &made_).ok());
  }

  v1::Policy MakePolicy(uint64_t version = 1) const {
    return RandomPolicy(
        {.version = version, .observation_dim = 4, .head = v1::ActionHead::KIND_CATEGORICAL},
        made_.pool().spec().action());
  }

  v1::PublishPolicyRequest FirstOf(const std::string& bytes) const {
    v1::PublishPolicyRequest first;
    first.set_pool_id(made_.pool().pool_id());
    first.set_lease_token(made_.lease_token());
    first.set_total_bytes(bytes.size());
    first.set_sha256(Sha256(bytes));
    return first;
  }

  absl::Status Publish(const std::vector<v1::PublishPolicyRequest>& messages) {
    grpc::ClientContext context;
    v1::PublishPolicyResponse response;
    const auto writer = rollouts_->PublishPolicy(&context, &response);
    for (const v1::PublishPolicyRequest& message : messages) writer->Write(message);
    writer->WritesDone();
    const absl::Status status = StatusOf(writer->Finish());
    published_ = response.version();
    return status;
  }

  absl::Status Publish(const v1::Policy& policy) {
    constexpr size_t kChunk = 1000;
    const std::string bytes = policy.SerializeAsString();
    std::vector<v1::PublishPolicyRequest> messages = {FirstOf(bytes)};
    for (size_t begin = 0; begin < bytes.size(); begin += kChunk)
      messages.emplace_back().set_chunk(bytes.substr(begin, kChunk));
    return Publish(messages);
  }

  v1::CollectRequest Request(uint64_t max_fragments = 0) const {
    v1::CollectRequest request;
    request.set_pool_id(made_.pool().pool_id());
    request.set_lease_token(made_.lease_token());
    request.set_fragment_length(20);
    request.set_max_fragments(max_fragments);
    return request;
  }

  v1::ClientFrame Attach() const {
    v1::ClientFrame frame;
    frame.mutable_attach()->set_pool_id(made_.pool().pool_id());
    frame.mutable_attach()->set_lease_token(made_.lease_token());
    return frame;
  }

  void Release() {
    v1::ReleasePoolRequest release;
    release.set_pool_id(made_.pool().pool_id());
    release.set_lease_token(made_.lease_token());
    v1::ReleasePoolResponse released;
    grpc::ClientContext context;
    EXPECT_TRUE(control_->ReleasePool(&context, release, &released).ok());
  }

  bool Offered() {
    v1::GetServerInfoResponse info;
    grpc::ClientContext context;
    EXPECT_TRUE(control_->GetServerInfo(&context, {}, &info).ok());
    return std::count(info.capabilities().begin(), info.capabilities().end(), "rollouts") == 1;
  }

  ShortFolder folder_;
  std::unique_ptr<EnvServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::EnvControl::Stub> control_;
  std::unique_ptr<v1::Rollouts::Stub> rollouts_;
  v1::CreatePoolResponse made_;
  uint64_t published_ = 0;
};

TEST_F(RolloutTest, FragmentsOfAPublishedPolicyComeUntilThereAreEnough) {
  EXPECT_TRUE(Offered());
  ASSERT_EQ(Publish(MakePolicy(5)), absl::OkStatus());
  EXPECT_EQ(published_, 5u);
  Collecting collecting(*rollouts_, Request(3));
  v1::Fragment fragment;
  for (int k = 0; k < 3; ++k) {
    ASSERT_TRUE(collecting.Read(fragment));
    EXPECT_EQ(fragment.length(), 20u);
    EXPECT_EQ(fragment.env_ids_size(), 6);
    EXPECT_EQ(fragment.payload().size(), PayloadLayout(fragment.layout()).PayloadBytes(120));
    EXPECT_EQ(fragment.bootstrap_values().size(), 6 * sizeof(float));
    EXPECT_FALSE(fragment.has_status());
  }
  EXPECT_FALSE(collecting.Read(fragment));
  EXPECT_EQ(collecting.Finish(), absl::OkStatus());
}

TEST_F(RolloutTest, AreRefusedUnlessTheServerAllowsThem) {
  StartServer(false);
  EXPECT_FALSE(Offered());
  EXPECT_EQ(ReasonOf(Publish(MakePolicy())), v1::ERROR_REASON_NOT_SUPPORTED);
  const absl::Status refused = Collecting(*rollouts_, Request()).Finish();
  EXPECT_EQ(ReasonOf(refused), v1::ERROR_REASON_NOT_SUPPORTED);
  EXPECT_TRUE(absl::StrContains(refused.message(), "--allow_rollouts")) << refused;
}

TEST_F(RolloutTest, APolicyThatDidNotComeWholeIsRefusedBeforeItIsRead) {
  const std::string bytes = MakePolicy().SerializeAsString();
  const auto expect = [&](std::vector<v1::PublishPolicyRequest> messages, v1::ErrorReason reason,
                          absl::string_view field) {
    const absl::Status status = Publish(messages);
    EXPECT_EQ(ReasonOf(status), reason) << status;
    EXPECT_EQ(FieldOf(status), field) << status;
  };
  v1::PublishPolicyRequest whole = FirstOf(bytes);
  whole.set_chunk(bytes);
  v1::PublishPolicyRequest rest;
  rest.set_chunk(bytes.substr(100));

  expect({}, v1::ERROR_REASON_BAD_FRAME, "chunk");
  auto damaged = whole;
  (*damaged.mutable_chunk())[bytes.size() / 2] ^= 1;
  expect({damaged}, v1::ERROR_REASON_BAD_POLICY, "sha256");
  auto undigested = whole;
  undigested.clear_sha256();
  expect({undigested}, v1::ERROR_REASON_BAD_POLICY, "sha256");
  expect({FirstOf(bytes), rest}, v1::ERROR_REASON_BAD_POLICY, "chunk");
  expect({whole, rest}, v1::ERROR_REASON_BAD_POLICY, "chunk");
  auto large = whole;
  large.set_total_bytes(100'001);
  expect({large}, v1::ERROR_REASON_LIMIT, "total_bytes");
  const std::string noise(1000, '\xff');
  auto garbage = FirstOf(noise);
  garbage.set_chunk(noise);
  expect({garbage}, v1::ERROR_REASON_BAD_POLICY, "chunk");
  auto stranger = whole;
  stranger.set_lease_token("0123456789abcdef0123456789abcdef");
  expect({stranger}, v1::ERROR_REASON_BAD_LEASE, "lease_token");
  auto nowhere = whole;
  nowhere.set_pool_id("pool-99");
  expect({nowhere}, v1::ERROR_REASON_UNKNOWN_POOL, "pool_id");

  // None of them is in force, and the next one is taken.
  EXPECT_EQ(ReasonOf(Collecting(*rollouts_, Request()).Finish()), v1::ERROR_REASON_NEEDS_POLICY);
  EXPECT_EQ(Publish({whole}), absl::OkStatus());
  EXPECT_EQ(Publish({whole}), absl::OkStatus());  // a retry
}

TEST_F(RolloutTest, APolicyThatTakesTooLongIsRefused) {
  StartServer(true, absl::Nanoseconds(1));
  const absl::Status status = Publish(MakePolicy());
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_LIMIT);
  EXPECT_TRUE(absl::StrContains(status.message(), "one evaluation takes")) << status;
}

TEST_F(RolloutTest, ACollectWaitsForNoSessionButIsEndedByALaterOne) {
  ASSERT_EQ(Publish(MakePolicy()), absl::OkStatus());
  {
    RawSession session(channel_);
    session.Write(Attach());
    ASSERT_TRUE(session.Read().has_attached());
    EXPECT_EQ(ReasonOf(Collecting(*rollouts_, Request(1)).Finish()), v1::ERROR_REASON_LEASE_HELD);
    EXPECT_EQ(session.Finish(), absl::OkStatus());
  }
  Collecting first(*rollouts_, Request());
  v1::Fragment fragment;
  ASSERT_TRUE(first.Read(fragment));
  Collecting second(*rollouts_, Request());
  ASSERT_TRUE(second.Read(fragment));
  EXPECT_EQ(ReasonOf(first.Finish()), v1::ERROR_REASON_SUPERSEDED);

  RawSession session(channel_);
  session.Write(Attach());
  // The second one's lanes are the session's, with their last results.
  const v1::ServerFrame attached = session.Read();
  ASSERT_TRUE(attached.has_attached());
  EXPECT_EQ(ReasonOf(second.Finish()), v1::ERROR_REASON_SUPERSEDED);
  EXPECT_EQ(attached.attached().outstanding_size(), 0);
  const v1::ServerFrame kept = session.Read();
  EXPECT_TRUE(kept.batch().replay());
  EXPECT_EQ(kept.batch().env_ids_size(), 6);
  v1::ClientFrame step;
  for (const uint64_t op_no : attached.attached().accepted_op_no()) {
    EXPECT_GT(op_no, 20u);
    step.mutable_step()->add_op_nos(op_no + 1);
  }
  step.mutable_step()->set_actions(std::string(6 * 8, '\0'));
  session.Write(step);
  EXPECT_EQ(session.Read().batch().env_ids_size(), 6);
  EXPECT_EQ(session.Finish(), absl::OkStatus());
}

TEST_F(RolloutTest, APoolIsWholeAfterItsClientWent) {
  ASSERT_EQ(Publish(MakePolicy()), absl::OkStatus());
  for (int k = 0; k < 5; ++k) {
    Collecting collecting(*rollouts_, Request());
    v1::Fragment fragment;
    ASSERT_TRUE(collecting.Read(fragment));
    collecting.Cancel();
  }
  Collecting collecting(*rollouts_, Request(2));
  v1::Fragment fragment;
  ASSERT_TRUE(collecting.Read(fragment));
  EXPECT_EQ(fragment.faults_size(), 0);
  EXPECT_EQ(collecting.Finish(), absl::OkStatus());
  grpc::ClientContext context;
  v1::SaveStateRequest save;
  save.set_pool_id(made_.pool().pool_id());
  save.set_lease_token(made_.lease_token());
  v1::SaveStateResponse saved;
  EXPECT_TRUE(control_->SaveState(&context, save, &saved).ok());
}

TEST_F(RolloutTest, AReleasedPoolEndsItsCollect) {
  ASSERT_EQ(Publish(MakePolicy()), absl::OkStatus());
  Collecting collecting(*rollouts_, Request());
  v1::Fragment fragment;
  ASSERT_TRUE(collecting.Read(fragment));
  Release();
  EXPECT_EQ(ReasonOf(collecting.Finish()), v1::ERROR_REASON_UNKNOWN_POOL);
}

TEST_F(RolloutTest, ADrainingServerEndsACollectBetweenFragmentsAndWaitsForTheRelease) {
  ASSERT_EQ(Publish(MakePolicy()), absl::OkStatus());
  Collecting collecting(*rollouts_, Request());
  v1::Fragment fragment, last;
  ASSERT_TRUE(collecting.Read(last));
  std::thread drain([this] { server_->Drain(); });
  while (collecting.Read(fragment)) last.Swap(&fragment);
  EXPECT_EQ(ReasonOf(collecting.Finish()), v1::ERROR_REASON_DRAINING);
  EXPECT_EQ(ReasonOf(Collecting(*rollouts_, Request()).Finish()), v1::ERROR_REASON_DRAINING);
  {
    // What the lanes show is what they showed at the end of the last fragment.
    RawSession session(channel_);
    session.Write(Attach());
    ASSERT_TRUE(session.Read().has_attached());
    v1::ServerFrame kept = session.Read();
    if (kept.has_draining()) kept = session.Read();
    const PayloadLayout rows(made_.pool().result_layout());
    EXPECT_EQ(kept.batch().payload().substr(rows.Offset(0, 6), 6 * rows.row_bytes(0)),
              last.last_observation().substr(0, 6 * rows.row_bytes(0)));
    EXPECT_EQ(session.Finish(), absl::OkStatus());
  }
  Release();
  drain.join();
}

}  // namespace
}  // namespace hivewire
