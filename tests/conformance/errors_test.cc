// Everything that a client can get wrong, against a real server: each a clear error in its scope
// (lane, frame, stream, call), and a server that goes on: a healthy client beside it gets the very
// bytes that it would get alone.
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/error.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "server/pool/testing/faulty_task.h"
#include "server/rpc/env_server.h"
#include "server/tasks/registry.h"
#include "tests/conformance/raw_http2.h"
#include "tests/conformance/raw_session.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

using Stub = v1::EnvControl::Stub;

absl::Status ToStatus(const grpc::Status& status) {
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details()))
    return FromProto(details);
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

template <typename Response, typename Request>
absl::Status Call(Stub& stub,
                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  return ToStatus((stub.*method)(&context, request, response));
}

// A pool and a session on it.
class Client {
 public:
  Client(const std::shared_ptr<grpc::Channel>& channel, const v1::CreatePoolRequest& request)
      : stub_(v1::EnvControl::NewStub(channel)) {
    const absl::Status created = Call(*stub_, &Stub::CreatePool, request, &made_);
    EXPECT_TRUE(created.ok()) << created;
    Attach(channel);
  }

  void Attach(const std::shared_ptr<grpc::Channel>& channel) {
    session_ = std::make_unique<RawSession>(channel);
    v1::ClientFrame frame;
    frame.mutable_attach()->set_pool_id(made_.pool().pool_id());
    frame.mutable_attach()->set_lease_token(made_.lease_token());
    session_->Write(frame);
    const v1::ServerFrame reply = session_->Read();
    EXPECT_TRUE(reply.has_attached()) << reply.ShortDebugString();
  }

  v1::ServerFrame Send(const v1::ClientFrame& frame) {
    session_->Write(frame);
    return session_->Read();
  }

  v1::ServerFrame Reset() {
    v1::ClientFrame frame;
    frame.mutable_reset()->add_op_nos(++op_no_);
    for (uint64_t lane = 0; lane < made_.pool().num_envs(); ++lane)
      frame.mutable_reset()->add_seeds(lane);
    return Send(frame);
  }

  // float32 actions, one row.
  v1::ClientFrame StepFrame(const std::vector<float>& actions) {
    v1::ClientFrame frame;
    frame.mutable_step()->add_op_nos(op_no_ + 1);
    frame.mutable_step()->set_actions(
        std::string(reinterpret_cast<const char*>(actions.data()), 4 * actions.size()));
    return frame;
  }
  v1::ServerFrame Step(const std::vector<float>& actions) {
    const v1::ClientFrame frame = StepFrame(actions);
    ++op_no_;
    return Send(frame);
  }

  const v1::CreatePoolResponse& made() const { return made_; }
  RawSession& session() { return *session_; }
  uint64_t op_no() const { return op_no_; }
  void set_op_no(uint64_t op_no) { op_no_ = op_no; }

 private:
  std::unique_ptr<Stub> stub_;
  v1::CreatePoolResponse made_;
  std::unique_ptr<RawSession> session_;
  uint64_t op_no_ = 0;
};

constexpr absl::string_view kBrokenModel =
    "<mujoco><worldbody><body><joint/><geom type='no_such_type' "
    "size='1'/></body></worldbody></mujoco>";

class ErrorsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        registry_
            .AddClass({.name = "testing.Faulty",
                       .options = {},
                       .make = [hang = hang_](const v1::EnvEntry&,
                                              const Options&) { return MakeFaultyTask(0, hang); }})
            .ok());
    ASSERT_TRUE(registry_
                    .AddClass({.name = "testing.Broken",
                               .options = {},
                               .make = [](const v1::EnvEntry&, const Options&)
                                   -> absl::StatusOr<std::shared_ptr<const Task>> {
                                 return Model::FromXml(kBrokenModel, "broken.xml").status();
                               }})
                    .ok());
    for (const auto& [id, task] :
         {std::pair("Faulty-v0", "testing.Faulty"), std::pair("Broken-v0", "testing.Broken")}) {
      v1::EnvEntry entry;
      entry.set_id(id);
      entry.set_task(task);
      ASSERT_TRUE(registry_.AddEntry(entry).ok());
    }
    EnvServerOptions options = TestServerOptions(folder_.Socket("env.sock"));
    options.limits.max_lanes = 1000;
    options.limits.max_lanes_per_client = 900;
    options.limits.max_message_bytes = 1 << 20;
    server_ = StartTestServer(registry_, options);
    channel_ = NewChannel();
    control_ = v1::EnvControl::NewStub(channel_);
    RecordNeighbour();
  }
  ~ErrorsTest() override { *hang_ = false; }

  std::shared_ptr<grpc::Channel> NewChannel() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(server_->addresses()[0], grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  static v1::CreatePoolRequest Request(const std::string& env_id, uint32_t lanes) {
    v1::CreatePoolRequest request;
    request.set_env_id(env_id);
    request.set_num_envs(lanes);
    return request;
  }

  // What the healthy client sends in its step `step`.
  static std::vector<float> NeighbourActions(size_t step) {
    std::vector<float> actions(4 * 3);
    for (size_t k = 0; k < actions.size(); ++k)
      actions[k] = static_cast<float>(std::sin(static_cast<double>(step + 3 * k)));
    return actions;
  }

  // The trajectory of a client that is alone; then one begins that is watched.
  void RecordNeighbour() {
    Client alone(NewChannel(), Request("Hopper-v5", 4));
    alone.Reset();
    for (size_t step = 0; step < 200; ++step)
      alone_.push_back(alone.Step(NeighbourActions(step)).batch().payload());
    neighbour_ = std::make_unique<Client>(NewChannel(), Request("Hopper-v5", 4));
    neighbour_->Reset();
  }

  // The server goes on: the healthy client's next step is what it would be alone.
  void ExpectHealthy(absl::string_view after) {
    ASSERT_LT(step_, alone_.size());
    const v1::ServerFrame reply = neighbour_->Step(NeighbourActions(step_));
    ASSERT_TRUE(reply.has_batch()) << after << ": " << reply.ShortDebugString();
    ASSERT_EQ(reply.batch().payload(), alone_[step_]) << after;
    ++step_;
  }

  Registry registry_ = *Registry::Builtin();
  const std::shared_ptr<std::atomic<bool>> hang_ = std::make_shared<std::atomic<bool>>(true);
  ShortFolder folder_;
  std::unique_ptr<EnvServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> control_;
  std::unique_ptr<Client> neighbour_;
  std::vector<std::string> alone_;
  size_t step_ = 0;
};

TEST_F(ErrorsTest, APoolThatCannotBeMadeIsRefusedNamingTheField) {
  struct Case {
    const char* what;
    std::function<void(v1::CreatePoolRequest&)> spoil;
    v1::ErrorReason reason;
    const char* says;
  };
  const Case cases[] = {
      {"unknown env", [](auto& r) { r.set_env_id("Hoper-v5"); }, v1::ERROR_REASON_UNKNOWN_ENV,
       "Hopper-v5"},
      {"no env", [](auto& r) { r.clear_env_id(); }, v1::ERROR_REASON_UNKNOWN_ENV, "\"\""},
      {"unknown option", [](auto& r) { (*r.mutable_options())["frame_skp"].set_int_value(2); },
       v1::ERROR_REASON_BAD_OPTION, "frame_skip"},
      {"ill-typed option",
       [](auto& r) { (*r.mutable_options())["frame_skip"].set_string_value("two"); },
       v1::ERROR_REASON_BAD_OPTION, "two"},
      {"option out of range",
       [](auto& r) { (*r.mutable_options())["frame_skip"].set_int_value(0); },
       v1::ERROR_REASON_BAD_OPTION, "frame_skip"},
      {"no lanes", [](auto& r) { r.set_num_envs(0); }, v1::ERROR_REASON_BAD_OPTION, "num_envs"},
      {"more lanes than one client may have", [](auto& r) { r.set_num_envs(901); },
       v1::ERROR_REASON_LIMIT, "client \"\" has 8 of at most 900"},
      {"a weight of 1001", [](auto& r) { r.set_weight(1001); }, v1::ERROR_REASON_LIMIT, "weight"},
      {"a million lanes", [](auto& r) { r.set_num_envs(1000000); }, v1::ERROR_REASON_LIMIT, "1000"},
      {"unknown leaf", [](auto& r) { r.add_observation_leaves("pixels"); },
       v1::ERROR_REASON_BAD_OPTION, "observation"},
      {"integer observations", [](auto& r) { r.set_observation_dtype(v1::DTYPE_INT32); },
       v1::ERROR_REASON_BAD_OPTION, "DTYPE_INT32"},
      {"a dtype that is none", [](auto& r) { r.set_action_dtype(static_cast<v1::DType>(99)); },
       v1::ERROR_REASON_BAD_OPTION, "99"},
      {"a mode that is none",
       [](auto& r) { r.set_autoreset_mode(static_cast<v1::AutoresetMode>(9)); },
       v1::ERROR_REASON_BAD_OPTION, "autoreset_mode"},
      {"a lease for ever", [](auto& r) { r.set_lease_ttl_ms(UINT64_MAX); }, v1::ERROR_REASON_LIMIT,
       "lease_ttl_ms"},
      {"steps for ever", [](auto& r) { r.set_step_timeout_ms(UINT64_MAX); }, v1::ERROR_REASON_LIMIT,
       "step_timeout_ms"},
      {"a model that does not compile", [](auto& r) { r.set_env_id("Broken-v0"); },
       v1::ERROR_REASON_BAD_MODEL, "no_such_type"},
  };
  for (const Case& test : cases) {
    v1::CreatePoolRequest request = Request("Hopper-v5", 1);
    test.spoil(request);
    v1::CreatePoolResponse response;
    const absl::Status status = Call(*control_, &Stub::CreatePool, request, &response);
    EXPECT_EQ(ReasonOf(status), test.reason) << test.what << ": " << status;
    EXPECT_TRUE(absl::StrContains(status.message(), test.says)) << test.what << ": " << status;
    ExpectHealthy(test.what);
  }
}

TEST_F(ErrorsTest, AFrameThatIsWrongIsRejectedWholeAndTheNextOneRuns) {
  Client client(NewChannel(), Request("Hopper-v5", 3));
  const float infinity = std::numeric_limits<float>::infinity();
  const v1::ClientFrame before_reset = client.StepFrame(std::vector<float>(9, 0));
  v1::ServerFrame reply = client.Send(before_reset);
  EXPECT_EQ(ReasonOf(FromProto(reply.rejected().status())), v1::ERROR_REASON_NEEDS_RESET);
  client.Reset();
  struct Case {
    const char* what;
    std::function<void(v1::ClientFrame&)> spoil;
    v1::ErrorReason reason;
  };
  const auto actions = [](v1::ClientFrame& frame, size_t at, float value) {
    std::memcpy(frame.mutable_step()->mutable_actions()->data() + 4 * at, &value, 4);
  };
  const Case cases[] = {
      {"too few bytes", [](auto& f) { f.mutable_step()->mutable_actions()->pop_back(); },
       v1::ERROR_REASON_BAD_SHAPE},
      {"float64 where float32 is meant",
       [](auto& f) { f.mutable_step()->mutable_actions()->append(36, '\0'); },
       v1::ERROR_REASON_BAD_SHAPE},
      {"no actions", [](auto& f) { f.mutable_step()->clear_actions(); },
       v1::ERROR_REASON_BAD_SHAPE},
      {"NaN", [&](auto& f) { actions(f, 4, NAN); }, v1::ERROR_REASON_BAD_ACTION},
      {"infinity", [&](auto& f) { actions(f, 8, infinity); }, v1::ERROR_REASON_BAD_ACTION},
      {"minus infinity", [&](auto& f) { actions(f, 0, -infinity); }, v1::ERROR_REASON_BAD_ACTION},
      {"lane out of range",
       [](auto& f) {
         for (const uint32_t lane : {0u, 1u, 3u}) f.mutable_step()->add_env_ids(lane);
       },
       v1::ERROR_REASON_BAD_ENV_ID},
      {"lane of the largest number",
       [](auto& f) {
         for (const uint32_t lane : {0u, 1u, UINT32_MAX}) f.mutable_step()->add_env_ids(lane);
       },
       v1::ERROR_REASON_BAD_ENV_ID},
      {"lane twice",
       [](auto& f) {
         for (const uint32_t lane : {0u, 1u, 1u}) f.mutable_step()->add_env_ids(lane);
       },
       v1::ERROR_REASON_BAD_ENV_ID},
      {"operation left out", [](auto& f) { f.mutable_step()->clear_op_nos(); },
       v1::ERROR_REASON_BAD_SHAPE},
      {"operation 0", [](auto& f) { f.mutable_step()->set_op_nos(0, 0); },
       v1::ERROR_REASON_BAD_OP_NO},
      {"gap", [](auto& f) { f.mutable_step()->set_op_nos(0, 99); }, v1::ERROR_REASON_BAD_OP_NO},
      {"operation of the largest number",
       [](auto& f) { f.mutable_step()->set_op_nos(0, UINT64_MAX); }, v1::ERROR_REASON_BAD_OP_NO},
      {"two numbers for three lanes", [](auto& f) { f.mutable_step()->add_op_nos(2); },
       v1::ERROR_REASON_BAD_SHAPE},
      {"empty frame", [](auto& f) { f.clear_frame(); }, v1::ERROR_REASON_BAD_FRAME},
      {"attach again", [](auto& f) { f.mutable_attach(); }, v1::ERROR_REASON_BAD_FRAME},
      {"seeds for other lanes",
       [](auto& f) {
         f.mutable_reset()->add_op_nos(2);
         f.mutable_reset()->add_seeds(1);
       },
       v1::ERROR_REASON_BAD_SHAPE},
      {"no snapshots", [](auto& f) { f.mutable_load()->add_op_nos(2); },
       v1::ERROR_REASON_BAD_SHAPE},
      {"garbage for snapshots",
       [](auto& f) {
         f.mutable_load()->add_op_nos(2);
         for (int lane = 0; lane < 3; ++lane) f.mutable_load()->add_snapshots("garbage");
       },
       v1::ERROR_REASON_BAD_SNAPSHOT},
  };
  uint64_t seq = 10;
  for (const Case& test : cases) {
    v1::ClientFrame frame = client.StepFrame(std::vector<float>(9, 0));
    frame.set_seq(++seq);
    test.spoil(frame);
    reply = client.Send(frame);
    ASSERT_TRUE(reply.has_rejected()) << test.what << ": " << reply.ShortDebugString();
    EXPECT_EQ(reply.rejected().client_seq(), seq) << test.what;
    const absl::Status status = FromProto(reply.rejected().status());
    EXPECT_EQ(ReasonOf(status), test.reason) << test.what << ": " << status;
    EXPECT_FALSE(status.message().empty()) << test.what;
    ExpectHealthy(test.what);
  }
  EXPECT_TRUE(client.Step(std::vector<float>(9, 0)).has_batch());
}

TEST_F(ErrorsTest, AStreamThatIsNotTheOwnersEndsWithAReason) {
  Client owner(NewChannel(), Request("Hopper-v5", 1));
  owner.Reset();
  const std::string& token = owner.made().lease_token();
  std::string stolen = token;
  stolen[5] = stolen[5] == '0' ? '1' : '0';
  struct Case {
    const char* what;
    std::function<void(v1::Attach&)> spoil;
    v1::ErrorReason reason;
  };
  const Case cases[] = {
      {"wrong token", [&](auto& a) { a.set_lease_token(stolen); }, v1::ERROR_REASON_BAD_LEASE},
      {"part of the token", [&](auto& a) { a.set_lease_token(token.substr(0, 8)); },
       v1::ERROR_REASON_BAD_LEASE},
      {"no token", [](auto& a) { a.clear_lease_token(); }, v1::ERROR_REASON_BAD_LEASE},
      {"token of another pool",
       [&](auto& a) { a.set_lease_token(neighbour_->made().lease_token()); },
       v1::ERROR_REASON_BAD_LEASE},
      {"unknown pool", [](auto& a) { a.set_pool_id("pool-0"); }, v1::ERROR_REASON_UNKNOWN_POOL},
      {"layout of another spec", [](auto& a) { a.set_layout_hash(7); },
       v1::ERROR_REASON_LAYOUT_MISMATCH},
      {"messages too small", [](auto& a) { a.set_max_message_bytes(1); }, v1::ERROR_REASON_LIMIT},
  };
  for (const Case& test : cases) {
    RawSession session(channel_);
    v1::ClientFrame frame;
    frame.mutable_attach()->set_pool_id(owner.made().pool().pool_id());
    frame.mutable_attach()->set_lease_token(token);
    test.spoil(*frame.mutable_attach());
    session.Write(frame);
    const v1::ServerFrame reply = session.Read();
    EXPECT_EQ(ReasonOf(FromProto(reply.fatal().status())), test.reason)
        << test.what << ": " << reply.ShortDebugString();
    EXPECT_EQ(ReasonOf(session.Finish()), test.reason) << test.what;
    ExpectHealthy(test.what);
  }
  EXPECT_TRUE(owner.Step({0, 0, 0}).has_batch());  // nobody took the pool

  // A token whose pool is gone.
  v1::ReleasePoolRequest release;
  release.set_pool_id(owner.made().pool().pool_id());
  release.set_lease_token(token);
  v1::ReleasePoolResponse released;
  EXPECT_TRUE(Call(*control_, &Stub::ReleasePool, release, &released).ok());
  EXPECT_EQ(ReasonOf(Call(*control_, &Stub::ReleasePool, release, &released)),
            v1::ERROR_REASON_UNKNOWN_POOL);
  ExpectHealthy("release");
}

TEST_F(ErrorsTest, AnOversizedFrameIsRejectedAndAHugeOneEndsItsStreamAlone) {
  Client client(NewChannel(), Request("Hopper-v5", 1));
  client.Reset();
  v1::ClientFrame frame = client.StepFrame({0, 0, 0});
  frame.mutable_step()->set_actions(std::string(2 << 20, '\0'));
  const v1::ServerFrame reply = client.Send(frame);
  EXPECT_EQ(ReasonOf(FromProto(reply.rejected().status())), v1::ERROR_REASON_LIMIT);
  EXPECT_TRUE(client.Step({0, 0, 0}).has_batch());
  ExpectHealthy("an oversized frame");

  frame.mutable_step()->set_actions(std::string(6 << 20, '\0'));
  client.session().Write(frame);
  client.session().Read();
  EXPECT_FALSE(client.session().open());
  const absl::Status huge = client.session().Finish();
  EXPECT_TRUE(absl::IsResourceExhausted(huge)) << huge;
  ExpectHealthy("a huge frame");
  client.Attach(channel_);
  EXPECT_TRUE(client.session().Read().batch().replay());  // the last result, again
  EXPECT_TRUE(client.Step({0, 0, 0}).has_batch());

  v1::StepRequest step;
  step.set_actions(std::string(6 << 20, '\0'));
  v1::StepResponse stepped;
  const absl::Status status = Call(*control_, &Stub::Step, step, &stepped);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  ExpectHealthy("a huge call");
}

TEST_F(ErrorsTest, ATaskThatFailsIsTheFaultOfItsLane) {
  v1::CreatePoolRequest request = Request("Faulty-v0", 3);
  request.set_step_timeout_ms(50);
  Client client(NewChannel(), request);
  client.Reset();
  struct Case {
    const char* what;
    float action;
    v1::ErrorReason reason;
  };
  const Case cases[] = {{"throws", 101, v1::ERROR_REASON_ENV_FAULT},
                        {"NaN observation", 102, v1::ERROR_REASON_SIM_DIVERGED},
                        {"NaN reward", 103, v1::ERROR_REASON_SIM_DIVERGED},
                        {"mju_error", 104, v1::ERROR_REASON_ENV_FAULT},
                        {"hangs", 105, v1::ERROR_REASON_STEP_TIMEOUT}};
  for (const Case& test : cases) {
    v1::ServerFrame reply = client.Step({1, test.action, 1});
    ASSERT_EQ(reply.batch().env_ids_size(), 3) << test.what << reply.ShortDebugString();
    ASSERT_EQ(reply.batch().faults_size(), 1) << test.what;
    EXPECT_EQ(reply.batch().faults(0).env_id(), 1u) << test.what;
    const absl::Status fault = FromProto(reply.batch().faults(0).status());
    EXPECT_EQ(ReasonOf(fault), test.reason) << test.what << ": " << fault;
    ExpectHealthy(test.what);
    reply = client.Step({1, 1, 1});  // a new episode
    EXPECT_EQ(reply.batch().faults_size(), 0) << test.what;
    client.Step({1, 1, 1});
  }
}

TEST_F(ErrorsTest, AFinishedLaneUnderDisabledTakesResetAlone) {
  v1::CreatePoolRequest request = Request("Faulty-v0", 2);
  request.set_autoreset_mode(v1::AUTORESET_MODE_DISABLED);
  Client client(NewChannel(), request);
  client.Reset();
  client.Step({100, 1});
  const v1::ServerFrame reply = client.Send(client.StepFrame({1, 1}));
  EXPECT_EQ(ReasonOf(FromProto(reply.rejected().status())), v1::ERROR_REASON_NEEDS_RESET);
  EXPECT_TRUE(client.Reset().has_batch());
  ExpectHealthy("a finished lane");
}

TEST_F(ErrorsTest, ALaneThatRunsRefusesMore) {
  v1::CreatePoolRequest request = Request("Faulty-v0", 1);
  request.set_step_timeout_ms(60000);
  Client client(NewChannel(), request);
  client.Reset();
  client.session().Write(client.StepFrame({105}));
  v1::ClientFrame next = client.StepFrame({1});
  next.mutable_step()->set_op_nos(0, 3);
  const v1::ServerFrame reply = client.Send(next);
  EXPECT_EQ(ReasonOf(FromProto(reply.rejected().status())), v1::ERROR_REASON_LANE_BUSY)
      << reply.ShortDebugString();
  ExpectHealthy("a busy lane");
  *hang_ = false;
  EXPECT_TRUE(client.session().Read().has_batch());
}

TEST_F(ErrorsTest, AStreamCutInMidFrameIsForgotten) {
  const std::string path(absl::StripPrefix(server_->addresses()[0], "unix:"));
  const std::string connect = Http2Call("/hivewire.v1.EnvSession/Connect");
  v1::ClientFrame attach;
  attach.mutable_attach()->set_pool_id(neighbour_->made().pool().pool_id());
  attach.mutable_attach()->set_lease_token("00000000000000000000000000000000");
  const std::string message = GrpcMessage(attach.SerializeAsString());
  const std::string whole = connect + Http2Data(message);
  for (size_t size = 1; size <= whole.size(); size += 5) {
    ASSERT_TRUE(SendAndClose(path, whole.substr(0, size))) << size;
    if (size % 10 == 1) ExpectHealthy("a cut stream");
  }
  // Frames and messages that promise more than they hold, or nonsense.
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    std::string noise(200, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    ASSERT_TRUE(SendAndClose(path, connect + Http2Data(GrpcMessage(noise, 1 << 30))));
    ASSERT_TRUE(SendAndClose(path, connect + Http2Data(GrpcMessage(noise), 16000)));
    ASSERT_TRUE(SendAndClose(path, connect + noise));
    ASSERT_TRUE(SendAndClose(path, noise));
  }
  ExpectHealthy("noise");
}

// A message's bytes with a few of them changed, cut or doubled.
std::string Mutated(std::string bytes, std::mt19937& random) {
  const auto below = [&](size_t limit) { return random() % std::max<size_t>(1, limit); };
  for (size_t times = 1 + below(3); times > 0; --times) {
    if (bytes.empty()) bytes = "x";
    const size_t at = below(bytes.size());
    switch (below(4)) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes.erase(at, below(9));
        break;
      case 2:
        bytes.insert(at, bytes.substr(below(bytes.size()), below(20)));
        break;
      default:
        for (size_t k = at; k < std::min(bytes.size(), at + below(12)); ++k)
          bytes[k] = static_cast<char>(random());
    }
  }
  return bytes;
}

grpc::ByteBuffer Buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

TEST_F(ErrorsTest, RandomBytesInAnyFrameHarmNobody) {
  std::mt19937 random(11);
  const grpc::internal::RpcMethod method("/hivewire.v1.EnvSession/Connect",
                                         grpc::internal::RpcMethod::BIDI_STREAMING);
  for (int round = 0; round < 400; ++round) {
    v1::CreatePoolRequest request = Request("Hopper-v5", 2);
    request.set_idempotency_key(absl::StrCat("fuzz-", round / 50));
    v1::CreatePoolResponse made;
    ASSERT_TRUE(Call(*control_, &Stub::CreatePool, request, &made).ok());
    v1::ClientFrame attach, reset, step, load;
    attach.mutable_attach()->set_pool_id(made.pool().pool_id());
    attach.mutable_attach()->set_lease_token(made.lease_token());
    attach.mutable_attach()->set_recv_batch(1);
    reset.mutable_reset()->add_op_nos(1);
    reset.mutable_reset()->add_env_ids(1);
    reset.mutable_reset()->add_seeds(7);
    step.mutable_step()->add_op_nos(2);
    step.mutable_step()->set_actions(std::string(24, '\1'));
    load.mutable_load()->add_op_nos(1);
    load.mutable_load()->add_snapshots("none");
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
        grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
            channel_.get(), method, &context));
    const std::string first = attach.SerializeAsString();
    stream->Write(Buffer(round % 4 == 0 ? Mutated(first, random) : first));
    for (const v1::ClientFrame* frame : {&reset, &step, &load, &step})
      stream->Write(Buffer(Mutated(frame->SerializeAsString(), random)));
    stream->WritesDone();
    grpc::ByteBuffer answer;
    while (stream->Read(&answer)) {
    }
    const grpc::Status status = stream->Finish();
    ASSERT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << round;
    ASSERT_NE(status.error_code(), grpc::StatusCode::UNAVAILABLE) << round;
    if (round % 20 == 0) ExpectHealthy("random bytes in frames");
  }
}

TEST_F(ErrorsTest, RandomBytesInAnyUnaryCallHarmNobody) {
  std::mt19937 random(12);
  Client client(NewChannel(), Request("Hopper-v5", 2));
  client.Reset();
  client.session().Finish().IgnoreError();
  const std::string& pool_id = client.made().pool().pool_id();
  const std::string& token = client.made().lease_token();
  v1::SaveStateRequest save;
  save.set_pool_id(pool_id);
  save.set_lease_token(token);
  v1::SaveStateResponse saved;
  ASSERT_TRUE(Call(*control_, &Stub::SaveState, save, &saved).ok());
  v1::StepRequest step;
  step.set_pool_id(pool_id);
  step.set_lease_token(token);
  step.set_encoding(v1::ENCODING_VALUES);
  (*step.mutable_action_values())["action"].mutable_values()->Resize(6, 0.5);
  v1::LoadStateRequest load;
  load.set_pool_id(pool_id);
  load.set_lease_token(token);
  *load.mutable_snapshots() = saved.snapshots();
  v1::SetPropertiesRequest set;
  set.set_pool_id(pool_id);
  set.set_lease_token(token);
  (*set.add_lanes()->mutable_values())["gravity"].mutable_double_list()->mutable_values()->Resize(
      3, -1);
  v1::CreatePoolRequest create = Request("Hopper-v5", 2);
  create.set_idempotency_key("fuzz");
  (*create.mutable_options())["frame_skip"].set_int_value(4);
  const std::pair<const char*, std::string> calls[] = {
      {"Step", step.SerializeAsString()},          {"LoadState", load.SerializeAsString()},
      {"SetProperties", set.SerializeAsString()},  {"CreatePool", create.SerializeAsString()},
      {"Reset", save.SerializeAsString()},         {"SaveState", save.SerializeAsString()},
      {"GetProperties", save.SerializeAsString()}, {"DescribeEnv", create.SerializeAsString()}};
  for (int round = 0; round < 300; ++round) {
    for (const auto& [name, bytes] : calls) {
      const std::string path = absl::StrCat("/hivewire.v1.EnvControl/", name);
      const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
      grpc::ByteBuffer answer;
      const grpc::Status status = grpc::internal::BlockingUnaryCall(
          channel_.get(), method, &context, Buffer(Mutated(bytes, random)), &answer);
      ASSERT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << name << round;
      ASSERT_NE(status.error_code(), grpc::StatusCode::UNAVAILABLE) << name << round;
    }
    if (round % 10 == 0) ExpectHealthy("random bytes in calls");
  }
}

}  // namespace
}  // namespace hivewire
