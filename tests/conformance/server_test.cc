// What every gRPC server should answer: health, reflection, and calls that it does not know.
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "server/rpc/env_server.h"
#include "server/tasks/registry.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;
using ::grpc::reflection::v1::ServerReflection;
using ::grpc::reflection::v1::ServerReflectionRequest;
using ::grpc::reflection::v1::ServerReflectionResponse;

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    server_ = StartTestServer(registry_, TestServerOptions(folder_.Socket("env.sock")));
    channel_ = grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials());
  }

  ServerReflectionResponse Ask(const ServerReflectionRequest& request) {
    grpc::ClientContext context;
    const auto stub = ServerReflection::NewStub(channel_);
    const auto stream = stub->ServerReflectionInfo(&context);
    ServerReflectionResponse response;
    EXPECT_TRUE(stream->Write(request));
    EXPECT_TRUE(stream->Read(&response));
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
    return response;
  }

  ShortFolder folder_;
  Registry registry_;
  std::unique_ptr<EnvServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(ServerTest, HealthIsOfTheServerAndOfEachServiceAndTellsOfADrain) {
  const auto stub = Health::NewStub(channel_);
  for (const std::string service : {"", "hivewire.v1.EnvControl", "hivewire.v1.EnvSession"}) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    ASSERT_TRUE(stub->Check(&context, request, &response).ok()) << service;
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  }
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service("hivewire.v1.EnvControll");
  HealthCheckResponse response;
  EXPECT_EQ(stub->Check(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);

  grpc::ClientContext watch_context;
  const auto watch = stub->Watch(&watch_context, HealthCheckRequest());
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server_->Drain();
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  watch_context.TryCancel();
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ServerTest, ReflectionListsTheServicesAndGivesTheirFilesWithAllThatTheyImport) {
  ServerReflectionRequest request;
  request.set_list_services("*");
  std::vector<std::string> services;
  const ServerReflectionResponse list = Ask(request);
  for (const auto& service : list.list_services_response().service())
    services.push_back(service.name());
  for (const char* expected :
       {"hivewire.v1.EnvControl", "hivewire.v1.EnvSession", "hivewire.v1.Rollouts",
        "hivewire.v1.Robots", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection"}) {
    EXPECT_EQ(std::count(services.begin(), services.end(), expected), 1) << expected;
  }
  request.set_file_containing_symbol("hivewire.v1.EnvSession.Connect");
  std::vector<std::string> files;
  const ServerReflectionResponse found = Ask(request);
  for (const std::string& bytes : found.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(bytes));
    files.push_back(file.name());
  }
  EXPECT_EQ(files.front(), "hivewire/v1/session.proto");
  EXPECT_EQ(std::count(files.begin(), files.end(), "hivewire/v1/types.proto"), 1);
  request.set_file_containing_symbol("hivewire.v1.Nothing");
  EXPECT_EQ(Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, AMethodThatIsNotThereAndBytesThatAreNoMessageAreRefused) {
  const auto call = [&](const char* method, const HealthCheckRequest& request) {
    grpc::TemplatedGenericStub<HealthCheckRequest, HealthCheckResponse> stub(channel_);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const auto reader = stub.PrepareUnaryCall(&context, method, request, &queue);
    reader->StartCall();
    HealthCheckResponse response;
    grpc::Status status;
    reader->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  };
  EXPECT_EQ(call("/hivewire.v1.EnvControl/Stepp", HealthCheckRequest()).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  // Field 1 of both is a string, but this one is no UTF-8.
  HealthCheckRequest request;
  request.set_service("\xff");
  const grpc::Status status = call("/hivewire.v1.EnvControl/DescribeEnv", request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("DescribeEnvRequest"), std::string::npos)
      << status.error_message();
}

}  // namespace
}  // namespace hivewire
