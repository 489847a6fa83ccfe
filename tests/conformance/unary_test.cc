// The unary calls with plain numbers: what a person sees with grpcurl is all that the stream would
// say.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "server/pool/testing/faulty_task.h"
#include "server/rpc/env_server.h"
#include "server/tasks/registry.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

class UnaryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(registry_
                    .AddClass({.name = "testing.Faulty",
                               .options = {},
                               .make = [](const v1::EnvEntry&,
                                          const Options&) { return MakeFaultyTask(0); }})
                    .ok());
    v1::EnvEntry entry;
    entry.set_id("Faulty-v0");
    entry.set_task("testing.Faulty");
    ASSERT_TRUE(registry_.AddEntry(entry).ok());
    server_ = StartTestServer(registry_, TestServerOptions(folder_.Socket("env.sock")));
    stub_ = v1::EnvControl::NewStub(
        grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials()));
  }

  void Create(v1::AutoresetMode mode) {
    v1::CreatePoolRequest request;
    request.set_env_id("Faulty-v0");
    request.set_num_envs(3);
    request.set_autoreset_mode(mode);
    grpc::ClientContext context;
    ASSERT_TRUE(stub_->CreatePool(&context, request, &made_).ok());
  }

  template <typename Request>
  Request For() const {
    Request request;
    request.set_pool_id(made_.pool().pool_id());
    request.set_lease_token(made_.lease_token());
    return request;
  }

  v1::Rows Reset() {
    auto request = For<v1::ResetRequest>();
    for (const uint64_t seed : {10, 20, 30}) request.add_seeds(seed);
    request.set_encoding(v1::ENCODING_VALUES);
    (*request.mutable_options())["counter"].set_double_value(5);
    v1::ResetResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Reset(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.rows();
  }

  v1::StepRequest StepOf(const std::vector<double>& actions,
                         const std::vector<uint32_t>& lanes = {}) const {
    auto request = For<v1::StepRequest>();
    request.set_encoding(v1::ENCODING_VALUES);
    request.mutable_env_ids()->Add(lanes.begin(), lanes.end());
    (*request.mutable_action_values())["action"].mutable_values()->Add(actions.begin(),
                                                                       actions.end());
    return request;
  }

  v1::Rows Step(const v1::StepRequest& request) {
    v1::StepResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Step(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.rows();
  }

  static std::vector<double> Values(const v1::Rows& rows, const std::string& leaf) {
    const auto& values = rows.values().at(leaf).values();
    return {values.begin(), values.end()};
  }

  const ShortFolder folder_;
  Registry registry_ = *Registry::Builtin();
  std::unique_ptr<EnvServer> server_;
  std::unique_ptr<v1::EnvControl::Stub> stub_;
  v1::CreatePoolResponse made_;
};

TEST_F(UnaryTest, ValuesHoldEveryLeafOfTheLayoutWithItsShape) {
  Create(v1::AUTORESET_MODE_NEXT_STEP);
  const v1::Rows first = Reset();
  EXPECT_TRUE(first.payload().empty());
  for (const v1::LayoutLeaf& leaf : made_.pool().result_layout().leaves()) {
    ASSERT_TRUE(first.values().contains(leaf.name())) << leaf.name();
    EXPECT_EQ(first.values().at(leaf.name()).shape(0), 3) << leaf.name();
  }
  EXPECT_EQ(first.values().at("observation").shape(1), 3);
  EXPECT_EQ(Values(first, "counter"), (std::vector<double>{5, 5, 5}));  // the reset's option
  EXPECT_EQ(Values(first, "seed"), (std::vector<double>{10, 20, 30}));
  EXPECT_EQ(Values(first, "flags"), (std::vector<double>{4, 4, 4}));
  const v1::Rows second = Step(StepOf({1, 2, 3}));
  EXPECT_EQ(Values(second, "reward"), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(Values(second, "counter"), (std::vector<double>{6, 7, 8}));
  EXPECT_EQ(Values(second, "steps"), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(Values(second, "op_no"), (std::vector<double>{2, 2, 2}));
}

TEST_F(UnaryTest, FinalsEpisodesAndFaultsComeWithTheRows) {
  Create(v1::AUTORESET_MODE_SAME_STEP);
  Reset();
  Step(StepOf({1, 2, 3}));
  const v1::Rows rows = Step(StepOf({1, 100, 101}));
  ASSERT_EQ(rows.finals().rows_size(), 1);
  EXPECT_EQ(rows.finals().rows(0), 1u);
  EXPECT_TRUE(rows.finals().payload().empty());
  EXPECT_EQ(rows.final_values().at("observation").values(0), 7);
  EXPECT_EQ(rows.final_values().at("counter").values(0), 7);
  EXPECT_EQ(rows.final_values().at("steps").values(0), 2);
  ASSERT_EQ(rows.episodes_size(), 1);
  EXPECT_EQ(rows.episodes(0).env_id(), 1u);
  EXPECT_EQ(rows.episodes(0).episode_return(), 3);
  EXPECT_EQ(rows.episodes(0).length(), 2u);
  EXPECT_EQ(rows.episodes(0).seed(), 20u);
  ASSERT_EQ(rows.faults_size(), 1);
  EXPECT_EQ(rows.faults(0).env_id(), 2u);
  EXPECT_EQ(Values(rows, "flags"), (std::vector<double>{0, 1 + 4 + 8, 16}));
}

TEST_F(UnaryTest, SubsetsAndNumberedOperationsAreAsOnTheStream) {
  Create(v1::AUTORESET_MODE_NEXT_STEP);
  Reset();
  v1::StepRequest request = StepOf({4, 5}, {2, 0});
  request.add_op_nos(2);
  const v1::Rows rows = Step(request);
  EXPECT_EQ(rows.env_ids(0), 2u);
  EXPECT_EQ(Values(rows, "reward"), (std::vector<double>{4, 5}));
  // The same call after a lost answer: the kept result, and nothing is stepped twice.
  const v1::Rows again = Step(request);
  EXPECT_EQ(again.values().at("counter").SerializeAsString(),
            rows.values().at("counter").SerializeAsString());
  const v1::Rows next = Step(StepOf({1}, {2}));
  EXPECT_EQ(Values(next, "op_no"), (std::vector<double>{3}));
  EXPECT_EQ(Values(next, "counter"), (std::vector<double>{10}));
}

TEST_F(UnaryTest, ActionsThatAreNotThisEnvsAreNamed) {
  Create(v1::AUTORESET_MODE_NEXT_STEP);
  Reset();
  const auto reason = [&](const v1::StepRequest& request) {
    v1::StepResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Step(&context, request, &response);
    google::rpc::Status details;
    EXPECT_TRUE(details.ParseFromString(status.error_details()));
    return ReasonOf(FromProto(details));
  };
  v1::StepRequest other = StepOf({});
  other.mutable_action_values()->clear();
  (*other.mutable_action_values())["torque"].mutable_values()->Resize(3, 0);
  EXPECT_EQ(reason(other), v1::ERROR_REASON_BAD_SHAPE);
  EXPECT_EQ(reason(StepOf({1, 2})), v1::ERROR_REASON_BAD_SHAPE);
  EXPECT_EQ(reason(StepOf({1, 2, NAN})), v1::ERROR_REASON_BAD_ACTION);
  EXPECT_EQ(reason(StepOf({1, 2, 1e300})), v1::ERROR_REASON_BAD_ACTION);
  v1::StepRequest both = StepOf({1, 2, 3});
  (*both.mutable_action_values())["torque"].mutable_values()->Resize(3, 0);
  EXPECT_EQ(reason(both), v1::ERROR_REASON_BAD_SHAPE);
}

}  // namespace
}  // namespace hivewire
