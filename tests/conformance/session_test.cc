// The session stream as a foreign client sees it, frame by frame: what is refused, what is kept,
// who owns the pool.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "hivewire/v1/robot.grpc.pb.h"
#include "hivewire/v1/session.grpc.pb.h"
#include "server/rpc/env_server.h"
#include "tests/conformance/raw_session.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    EnvServerOptions options = TestServerOptions(folder_.Socket("env.sock"));
    options.limits.max_lanes = 1000;
    server_ = StartTestServer(BuiltinEnvs(), options);
    channel_ = grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials());
    control_ = v1::EnvControl::NewStub(channel_);
  }

  grpc::Status Create(uint32_t lanes, uint64_t ttl_ms = 0) {
    v1::CreatePoolRequest request;
    request.set_env_id("CartPole-v1");
    request.set_num_envs(lanes);
    request.set_lease_ttl_ms(ttl_ms);
    grpc::ClientContext context;
    return control_->CreatePool(&context, request, &pool_);
  }

  v1::ClientFrame AttachFrame(uint64_t after_seq = 0) {
    v1::ClientFrame frame;
    frame.set_seq(1);
    frame.mutable_attach()->set_pool_id(pool_.pool().pool_id());
    frame.mutable_attach()->set_lease_token(pool_.lease_token());
    frame.mutable_attach()->set_resume_after_seq(after_seq);
    return frame;
  }

  std::unique_ptr<RawSession> Attach(uint64_t after_seq = 0, v1::Attached* attached = nullptr) {
    auto session = std::make_unique<RawSession>(channel_);
    session->Write(AttachFrame(after_seq));
    const v1::ServerFrame reply = session->Read();
    EXPECT_TRUE(reply.has_attached()) << reply.ShortDebugString();
    if (attached != nullptr) *attached = reply.attached();
    return session;
  }

  static v1::ClientFrame Reset(uint64_t op_no, uint64_t seq = 2) {
    v1::ClientFrame frame;
    frame.set_seq(seq);
    frame.mutable_reset()->add_op_nos(op_no);
    return frame;
  }

  v1::ClientFrame Step(uint64_t op_no, int64_t action, uint64_t seq = 3) {
    v1::ClientFrame frame;
    frame.set_seq(seq);
    frame.mutable_step()->add_op_nos(op_no);
    const std::vector<int64_t> actions(pool_.pool().num_envs(), action);
    frame.mutable_step()->set_actions(
        std::string(reinterpret_cast<const char*>(actions.data()), 8 * actions.size()));
    return frame;
  }

  // The session's stream is refused with this reason.
  void ExpectRefused(const v1::ClientFrame& first, v1::ErrorReason reason) {
    RawSession session(channel_);
    session.Write(first);
    const v1::ServerFrame reply = session.Read();
    ASSERT_TRUE(reply.has_fatal()) << reply.ShortDebugString();
    EXPECT_EQ(ReasonOf(FromProto(reply.fatal().status())), reason) << reply.ShortDebugString();
    EXPECT_EQ(ReasonOf(session.Finish()), reason);
  }

  static void ExpectRejected(const v1::ServerFrame& frame, uint64_t client_seq,
                             v1::ErrorReason reason) {
    ASSERT_TRUE(frame.has_rejected()) << frame.ShortDebugString();
    EXPECT_EQ(frame.rejected().client_seq(), client_seq);
    EXPECT_EQ(ReasonOf(FromProto(frame.rejected().status())), reason) << frame.ShortDebugString();
  }

  ShortFolder folder_;
  std::unique_ptr<EnvServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::EnvControl::Stub> control_;
  v1::CreatePoolResponse pool_;
};

TEST_F(SessionTest, AttachIsRefusedForEverythingThatIsNotThePoolsOwner) {
  ASSERT_TRUE(Create(2).ok());
  v1::ClientFrame frame = AttachFrame();
  frame.mutable_attach()->set_lease_token("00000000000000000000000000000000");
  ExpectRefused(frame, v1::ERROR_REASON_BAD_LEASE);
  frame.mutable_attach()->set_lease_token("");
  ExpectRefused(frame, v1::ERROR_REASON_BAD_LEASE);
  frame = AttachFrame();
  frame.mutable_attach()->set_pool_id("pool-99");
  ExpectRefused(frame, v1::ERROR_REASON_UNKNOWN_POOL);
  frame = AttachFrame();
  frame.mutable_attach()->set_layout_hash(5);
  ExpectRefused(frame, v1::ERROR_REASON_LAYOUT_MISMATCH);
  frame = AttachFrame();
  frame.mutable_attach()->set_max_message_bytes(10);
  ExpectRefused(frame, v1::ERROR_REASON_LIMIT);
  ExpectRefused(Reset(1), v1::ERROR_REASON_BAD_FRAME);
  ExpectRefused(v1::ClientFrame(), v1::ERROR_REASON_BAD_FRAME);
  Attach();
}

TEST_F(SessionTest, ABadFrameIsRejectedAndTheStreamGoesOn) {
  ASSERT_TRUE(Create(3).ok());
  const auto session = Attach();
  session->Write(Step(1, 0, 7));
  ExpectRejected(session->Read(), 7, v1::ERROR_REASON_NEEDS_RESET);
  session->Write(Reset(1));
  EXPECT_TRUE(session->Read().has_batch());
  session->Write(Step(2, 9, 8));  // CartPole has actions 0 and 1
  ExpectRejected(session->Read(), 8, v1::ERROR_REASON_BAD_ACTION);
  session->Write(Step(5, 0, 9));
  ExpectRejected(session->Read(), 9, v1::ERROR_REASON_BAD_OP_NO);
  v1::ClientFrame garbage = Step(2, 0, 10);
  garbage.mutable_step()->set_actions("garbage");
  session->Write(garbage);
  ExpectRejected(session->Read(), 10, v1::ERROR_REASON_BAD_SHAPE);
  v1::ClientFrame outside = Reset(2, 11);
  outside.mutable_reset()->add_env_ids(3);
  session->Write(outside);
  ExpectRejected(session->Read(), 11, v1::ERROR_REASON_BAD_ENV_ID);
  v1::ClientFrame again = AttachFrame();
  again.set_seq(12);
  session->Write(again);
  ExpectRejected(session->Read(), 12, v1::ERROR_REASON_BAD_FRAME);
  v1::ClientFrame snapshot;
  snapshot.set_seq(13);
  snapshot.mutable_load()->add_op_nos(2);
  for (int lane = 0; lane < 3; ++lane) snapshot.mutable_load()->add_snapshots("not a snapshot");
  session->Write(snapshot);
  ExpectRejected(session->Read(), 13, v1::ERROR_REASON_BAD_SNAPSHOT);
  session->Write(Step(2, 1, 14));
  EXPECT_TRUE(session->Read().has_batch());
}

TEST_F(SessionTest, AClientThatLostItsConnectionFindsWhatItMissedAndNothingRunsTwice) {
  ASSERT_TRUE(Create(2).ok());
  auto session = Attach();
  session->Write(Reset(1));
  const v1::ServerFrame reset = session->Read();
  ASSERT_TRUE(reset.has_batch());
  session->Write(Step(2, 1));
  const v1::ServerFrame step = session->Read();
  ASSERT_TRUE(step.has_batch());
  session->Cancel();  // as if the step's batch had never arrived

  v1::Attached attached;
  session = Attach(reset.seq(), &attached);
  EXPECT_EQ(attached.accepted_op_no(0), 2u);
  EXPECT_EQ(attached.epoch(), 2u);
  const v1::ServerFrame missed = session->Read();
  ASSERT_TRUE(missed.has_batch());
  EXPECT_TRUE(missed.batch().replay());
  EXPECT_EQ(missed.batch().payload(), step.batch().payload());
  session->Write(Step(2, 0));  // sent again: the kept result, whatever the action
  EXPECT_EQ(session->Read().batch().payload(), step.batch().payload());
  session->Write(Step(3, 0));
  EXPECT_FALSE(session->Read().batch().replay());
}

TEST_F(SessionTest, SecondAttachSupersedesTheFirstStream) {
  ASSERT_TRUE(Create(1).ok());
  const auto first = Attach();
  v1::Attached attached;
  std::unique_ptr<RawSession> second;
  std::thread attaching([&] { second = Attach(0, &attached); });
  const v1::ServerFrame last = first->Read();
  ASSERT_TRUE(last.has_fatal()) << last.ShortDebugString();
  EXPECT_EQ(ReasonOf(FromProto(last.fatal().status())), v1::ERROR_REASON_SUPERSEDED);
  EXPECT_EQ(first->Finish().code(), absl::StatusCode::kAborted);
  attaching.join();
  EXPECT_EQ(attached.epoch(), 2u);
  second->Write(Reset(1));
  EXPECT_TRUE(second->Read().has_batch());
}

TEST_F(SessionTest, ASilentOldStreamIsCutForANewOne) {
  ASSERT_TRUE(Create(1).ok());
  const auto silent = Attach();  // reads nothing, closes nothing
  const auto second = Attach();
  second->Write(Reset(1));
  EXPECT_TRUE(second->Read().has_batch());
}

TEST_F(SessionTest, APoolWithoutASessionIsFreedAfterItsTime) {
  ASSERT_TRUE(Create(1, /*ttl_ms=*/100).ok());
  {
    const auto session = Attach();
    absl::SleepFor(absl::Milliseconds(900));
    session->Write(Reset(1));
    EXPECT_TRUE(session->Read().has_batch());  // attached: it cannot expire
  }
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  v1::ListPoolsResponse pools;
  do {
    absl::SleepFor(absl::Milliseconds(50));
    grpc::ClientContext context;
    ASSERT_TRUE(control_->ListPools(&context, {}, &pools).ok());
  } while (pools.pools_size() > 0 && absl::Now() < patience);
  EXPECT_EQ(pools.pools_size(), 0);
  ExpectRefused(AttachFrame(), v1::ERROR_REASON_UNKNOWN_POOL);
}

TEST_F(SessionTest, LimitsNameTheNumberThatIsTooLarge) {
  EXPECT_EQ(Create(0).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const grpc::Status many = Create(1000000);
  EXPECT_EQ(many.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(absl::StrContains(many.error_message(), "1000000")) << many.error_message();
  EXPECT_TRUE(Create(1000).ok());
  EXPECT_FALSE(Create(1).ok());
}

TEST_F(SessionTest, UnaryCallsStepWithPlainNumbersAndAreRefusedWhileASessionIsAttached) {
  ASSERT_TRUE(Create(2).ok());
  v1::ResetRequest reset;
  reset.set_pool_id(pool_.pool().pool_id());
  reset.set_lease_token(pool_.lease_token());
  reset.add_seeds(1);
  reset.add_seeds(2);
  reset.set_encoding(v1::ENCODING_VALUES);
  v1::ResetResponse first;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(control_->Reset(&context, reset, &first).ok());
  }
  EXPECT_EQ(first.rows().values().at("observation").values_size(), 8);
  v1::StepRequest step;
  step.set_pool_id(reset.pool_id());
  step.set_lease_token(reset.lease_token());
  step.set_encoding(v1::ENCODING_VALUES);
  v1::Numbers& actions = (*step.mutable_action_values())["action"];
  actions.add_values(1);
  actions.add_values(0);
  v1::StepResponse second;
  {
    grpc::ClientContext context;
    const grpc::Status status = control_->Step(&context, step, &second);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  EXPECT_EQ(second.rows().values().at("reward").values(1), 1);
  actions.add_values(0);
  {
    grpc::ClientContext context;
    EXPECT_EQ(control_->Step(&context, step, &second).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  const auto session = Attach();
  {
    grpc::ClientContext context;
    EXPECT_EQ(control_->Reset(&context, reset, &first).error_code(),
              grpc::StatusCode::FAILED_PRECONDITION);
  }
}

TEST_F(SessionTest, PropertiesAreReadAndSetBesideTheStream) {
  ASSERT_TRUE(Create(2).ok());
  const auto session = Attach();
  session->Write(Reset(1));
  ASSERT_TRUE(session->Read().has_batch());
  v1::SetPropertiesRequest set;
  set.set_pool_id(pool_.pool().pool_id());
  set.set_lease_token(pool_.lease_token());
  v1::LaneProperties& lane = *set.add_lanes();
  lane.set_env_id(1);
  auto& state = *(*lane.mutable_values())["state"].mutable_double_list()->mutable_values();
  for (const double value : {0.5, 0.0, 0.1, 0.0}) state.Add(value);
  v1::SetPropertiesResponse done;
  {
    grpc::ClientContext context;
    const grpc::Status status = control_->SetProperties(&context, set, &done);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  v1::GetPropertiesRequest get;
  get.set_pool_id(set.pool_id());
  get.set_lease_token(set.lease_token());
  v1::GetPropertiesResponse properties;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(control_->GetProperties(&context, get, &properties).ok());
  }
  ASSERT_EQ(properties.lanes_size(), 2);
  EXPECT_EQ(properties.lanes(1).values().at("state").double_list().values(0), 0.5);
  EXPECT_NE(properties.lanes(0).values().at("state").double_list().values(0), 0.5);
  session->Write(Step(2, 0));
  EXPECT_TRUE(session->Read().has_batch());
  get.set_lease_token("00000000000000000000000000000000");
  grpc::ClientContext context;
  EXPECT_EQ(control_->GetProperties(&context, get, &properties).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(SessionTest, AnObserverSeesTheOwnersBatchesAndMayNotInterfere) {
  ASSERT_TRUE(Create(2).ok());
  const auto owner = Attach();
  v1::ClientFrame attach = AttachFrame();
  attach.mutable_attach()->set_observe(true);
  attach.mutable_attach()->clear_lease_token();
  RawSession observer(channel_);
  observer.Write(attach);
  const v1::ServerFrame attached = observer.Read();
  ASSERT_TRUE(attached.has_attached()) << attached.ShortDebugString();
  EXPECT_EQ(attached.attached().pool().pool_id(), pool_.pool().pool_id());
  owner->Write(Reset(1));
  v1::ServerFrame sent = owner->Read();
  EXPECT_EQ(observer.Read().SerializeAsString(), sent.SerializeAsString());
  observer.Write(Step(2, 0, 5));
  ExpectRejected(observer.Read(), 5, v1::ERROR_REASON_BAD_FRAME);
  v1::ClientFrame release;
  release.set_seq(6);
  release.mutable_detach()->set_release_pool(true);
  observer.Write(release);
  ExpectRejected(observer.Read(), 6, v1::ERROR_REASON_BAD_FRAME);
  for (uint64_t op_no = 2; op_no < 6; ++op_no) {
    owner->Write(Step(op_no, 1));
    sent = owner->Read();
    EXPECT_EQ(observer.Read().SerializeAsString(), sent.SerializeAsString());
  }
  EXPECT_EQ(owner->Finish().code(), absl::StatusCode::kOk);
  const auto again = Attach();  // the observer stays over the owner's sessions
  EXPECT_TRUE(again->Read().batch().replay());
  EXPECT_TRUE(observer.Read().batch().replay());
  v1::ClientFrame detach;
  detach.mutable_detach();
  observer.Write(detach);
  EXPECT_TRUE(observer.Finish().ok());
}

TEST_F(SessionTest, AnObserverThatReadsNothingNeverHoldsUpTheOwnerAndSeesAGap) {
  ASSERT_TRUE(Create(500).ok());
  const auto owner = Attach();
  v1::ClientFrame attach = AttachFrame();
  attach.mutable_attach()->set_observe(true);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  RawSession slow(grpc::CreateCustomChannel(server_->addresses()[0],
                                            grpc::InsecureChannelCredentials(), arguments));
  slow.Write(attach);
  ASSERT_TRUE(slow.Read().has_attached());
  owner->Write(Reset(1));
  uint64_t last = owner->Read().seq();
  // Far more than the stream's windows hold.
  for (uint64_t op_no = 2; op_no < 1000; ++op_no) {
    owner->Write(Step(op_no, 1));
    const v1::ServerFrame frame = owner->Read();
    ASSERT_TRUE(frame.has_batch());
    last = frame.seq();
  }
  uint64_t seen = 0;
  uint64_t received = 0;
  while (seen < last) {
    const v1::ServerFrame frame = slow.Read();
    ASSERT_TRUE(frame.has_batch());
    ASSERT_GT(frame.seq(), seen);
    seen = frame.seq();
    ++received;
  }
  EXPECT_LT(received, last);
}

TEST_F(SessionTest, AnObserverIsToldThatThePoolIsGone) {
  ASSERT_TRUE(Create(1).ok());
  v1::ClientFrame attach = AttachFrame();
  attach.mutable_attach()->set_observe(true);
  RawSession observer(channel_);
  observer.Write(attach);
  ASSERT_TRUE(observer.Read().has_attached());
  v1::ReleasePoolRequest release;
  release.set_pool_id(pool_.pool().pool_id());
  release.set_lease_token(pool_.lease_token());
  v1::ReleasePoolResponse released;
  grpc::ClientContext context;
  ASSERT_TRUE(control_->ReleasePool(&context, release, &released).ok());
  const v1::ServerFrame last = observer.Read();
  EXPECT_EQ(ReasonOf(FromProto(last.fatal().status())), v1::ERROR_REASON_UNKNOWN_POOL);
  EXPECT_EQ(ReasonOf(observer.Finish()), v1::ERROR_REASON_UNKNOWN_POOL);
  attach.mutable_attach()->set_pool_id("pool-77");
  ExpectRefused(attach, v1::ERROR_REASON_UNKNOWN_POOL);
}

TEST_F(SessionTest, WhatIsNotThereYetSaysSo) {
  const auto robots = v1::Robots::NewStub(channel_);
  v1::EmergencyStopResponse stopped;
  grpc::ClientContext robot_context;
  const grpc::Status no_robot = robots->EmergencyStop(&robot_context, {}, &stopped);
  EXPECT_EQ(no_robot.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_FALSE(no_robot.error_message().empty());
}

TEST_F(SessionTest, DrainingTellsTheClientsAndRefusesNewPools) {
  ASSERT_TRUE(Create(1).ok());
  auto session = Attach();
  std::thread draining([&] { server_->Drain(); });
  EXPECT_TRUE(session->Read().has_draining());
  session->Write(Reset(1));
  EXPECT_TRUE(session->Read().has_batch());  // what is in flight is finished
  EXPECT_EQ(Create(1).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(session->Finish().ok());
  draining.join();
}

}  // namespace
}  // namespace hivewire
