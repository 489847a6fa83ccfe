#include "server/rpc/reflection_service.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/reflection/v1/reflection.pb.h"

namespace hivewire {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::DescriptorPool;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::FileDescriptor;
using ::google::protobuf::FileDescriptorProto;
using ::grpc::reflection::v1::ServerReflectionRequest;
using ::grpc::reflection::v1::ServerReflectionResponse;

constexpr const char* kServices[] = {"grpc.reflection.v1.ServerReflection",
                                     "grpc.reflection.v1alpha.ServerReflection"};

void NotFound(const std::string& what, ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response.mutable_error_response()->set_error_message(absl::StrCat("this server has no ", what));
}

// The file and what it imports, each once.
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>& seen,
             ServerReflectionResponse& response) {
  if (!seen.insert(&file).second) return;
  FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
  for (int k = 0; k < file.dependency_count(); ++k) AddFile(*file.dependency(k), seen, response);
}

void AnswerFile(const FileDescriptor* file, const std::string& asked,
                ServerReflectionResponse& response) {
  if (file == nullptr) return NotFound(absl::StrCat("\"", asked, "\""), response);
  std::set<const FileDescriptor*> seen;
  AddFile(*file, seen, response);
}

void AnswerExtensions(const std::string& type, ServerReflectionResponse& response) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  const Descriptor* const message = pool.FindMessageTypeByName(type);
  if (message == nullptr) return NotFound(absl::StrCat("message \"", type, "\""), response);
  std::vector<const FieldDescriptor*> extensions;
  pool.FindAllExtensions(message, &extensions);
  auto& numbers = *response.mutable_all_extension_numbers_response();
  numbers.set_base_type_name(type);
  for (const FieldDescriptor* extension : extensions)
    numbers.add_extension_number(extension->number());
}

void Answer(const ServerReflectionRequest& request, const std::vector<std::string>& services,
            ServerReflectionResponse& response) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      return AnswerFile(pool.FindFileByName(request.file_by_filename()), request.file_by_filename(),
                        response);
    case ServerReflectionRequest::kFileContainingSymbol:
      return AnswerFile(pool.FindFileContainingSymbol(request.file_containing_symbol()),
                        request.file_containing_symbol(), response);
    case ServerReflectionRequest::kFileContainingExtension: {
      const auto& asked = request.file_containing_extension();
      const Descriptor* const type = pool.FindMessageTypeByName(asked.containing_type());
      const FieldDescriptor* const extension =
          type == nullptr ? nullptr : pool.FindExtensionByNumber(type, asked.extension_number());
      return AnswerFile(extension == nullptr ? nullptr : extension->file(),
                        absl::StrCat(asked.containing_type(), " ", asked.extension_number()),
                        response);
    }
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      return AnswerExtensions(request.all_extension_numbers_of_type(), response);
    case ServerReflectionRequest::kListServices:
      for (const std::string& service : services)
        response.mutable_list_services_response()->add_service()->set_name(service);
      return;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(grpc::StatusCode::INVALID_ARGUMENT);
      response.mutable_error_response()->set_error_message("message_request: is not set");
      return;
  }
}

}  // namespace

void AddReflection(BlockingCalls& calls, std::vector<std::string> services) {
  services.insert(services.end(), std::begin(kServices), std::end(kServices));
  const auto answer = [services = std::move(services)](BlockingCall& call) {
    ServerReflectionRequest request;
    while (call.Read(request)) {
      ServerReflectionResponse response;
      response.set_valid_host(request.host());
      *response.mutable_original_request() = request;
      Answer(request, services, response);
      if (!call.Write(response)) break;
    }
    return grpc::Status::OK;
  };
  for (const char* service : kServices) calls.Add(service, "ServerReflectionInfo", answer);
}

}  // namespace hivewire
