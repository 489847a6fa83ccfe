#include "base/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/rpc/error_details.pb.h"

namespace hivewire {
namespace {

constexpr absl::string_view kTypeUrl = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr absl::string_view kDomain = "hivewire.dev";
constexpr absl::string_view kReasonPrefix = "ERROR_REASON_";

struct Meaning {
  absl::StatusCode code;
  absl::string_view recovery;
};

Meaning MeaningOf(v1::ErrorReason reason) {
  using absl::StatusCode;
  switch (reason) {
    case v1::ERROR_REASON_UNKNOWN_ENV:
      return {StatusCode::kNotFound, "use another env id"};
    case v1::ERROR_REASON_UNKNOWN_POOL:
      return {StatusCode::kNotFound, "create a pool"};
    case v1::ERROR_REASON_UNKNOWN_PROPERTY:
      return {StatusCode::kNotFound, "use a declared property"};
    case v1::ERROR_REASON_BAD_OPTION:
    case v1::ERROR_REASON_BAD_SHAPE:
    case v1::ERROR_REASON_BAD_ENV_ID:
    case v1::ERROR_REASON_BAD_ACTION:
    case v1::ERROR_REASON_BAD_SNAPSHOT:
    case v1::ERROR_REASON_BAD_FRAME:
    case v1::ERROR_REASON_BAD_MODEL:
    case v1::ERROR_REASON_BAD_POLICY:
      return {StatusCode::kInvalidArgument, "correct the request"};
    case v1::ERROR_REASON_BAD_OP_NO:
      return {StatusCode::kFailedPrecondition, "attach again and read accepted_op_no"};
    case v1::ERROR_REASON_LANE_BUSY:
      return {StatusCode::kFailedPrecondition, "receive the lane's result first"};
    case v1::ERROR_REASON_NEEDS_RESET:
    case v1::ERROR_REASON_ROBOT_SAFETY:
      return {StatusCode::kFailedPrecondition, "reset the lane"};
    case v1::ERROR_REASON_NEEDS_POLICY:
      return {StatusCode::kFailedPrecondition, "publish a policy"};
    case v1::ERROR_REASON_LAYOUT_MISMATCH:
      return {StatusCode::kFailedPrecondition, "read the pool's layout again"};
    case v1::ERROR_REASON_BAD_LEASE:
      return {StatusCode::kPermissionDenied, "use the token that CreatePool gave"};
    case v1::ERROR_REASON_LEASE_HELD:
      return {StatusCode::kFailedPrecondition, "end the attached session"};
    case v1::ERROR_REASON_SUPERSEDED:
      return {StatusCode::kAborted, "none: another stream owns the pool now"};
    case v1::ERROR_REASON_LIMIT:
      return {StatusCode::kResourceExhausted, "ask for less"};
    case v1::ERROR_REASON_ENV_FAULT:
    case v1::ERROR_REASON_SIM_DIVERGED:
      return {StatusCode::kInternal,
              "step on (the lane is reset), or with autoreset disabled: reset it"};
    case v1::ERROR_REASON_STEP_TIMEOUT:
      return {StatusCode::kDeadlineExceeded,
              "step on (the lane is reset), or with autoreset disabled: reset it"};
    case v1::ERROR_REASON_LANE_RETIRED:
      return {StatusCode::kInternal, "create a new pool"};
    case v1::ERROR_REASON_DRAINING:
      return {StatusCode::kUnavailable, "move to another server"};
    case v1::ERROR_REASON_NOT_SUPPORTED:
      return {StatusCode::kUnimplemented, "do without"};
    case v1::ERROR_REASON_NO_RENDERER:
      return {StatusCode::kFailedPrecondition, "use a server with EGL or OSMesa"};
    case v1::ERROR_REASON_UNAUTHENTICATED:
      return {StatusCode::kUnauthenticated, "send the server's bearer token"};
    default:
      return {StatusCode::kInternal, ""};
  }
}

// Empty for a status that carries none of ours.
google::rpc::ErrorInfo InfoOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kTypeUrl);
  google::rpc::ErrorInfo info;
  if (payload.has_value() && info.ParseFromString(std::string(*payload)) &&
      info.domain() == kDomain) {
    return info;
  }
  return {};
}

}  // namespace

absl::Status MakeError(v1::ErrorReason reason, absl::string_view message, absl::string_view field,
                       absl::string_view value) {
  const Meaning meaning = MeaningOf(reason);
  google::rpc::ErrorInfo info;
  info.set_domain(std::string(kDomain));
  info.set_reason(std::string(absl::StripPrefix(v1::ErrorReason_Name(reason), kReasonPrefix)));
  auto& metadata = *info.mutable_metadata();
  if (!field.empty()) metadata["field"] = std::string(field);
  if (!value.empty()) metadata["value"] = std::string(value);
  if (!meaning.recovery.empty()) metadata["recovery"] = std::string(meaning.recovery);
  absl::Status status(meaning.code, message);
  status.SetPayload(kTypeUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

v1::ErrorReason ReasonOf(const absl::Status& status) {
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  v1::ErrorReason_Parse(absl::StrCat(kReasonPrefix, InfoOf(status).reason()), &reason);
  return reason;
}

std::string FieldOf(const absl::Status& status) {
  const google::rpc::ErrorInfo info = InfoOf(status);
  const auto field = info.metadata().find("field");
  return field == info.metadata().end() ? "" : field->second;
}

google::rpc::Status ToProto(const absl::Status& status) {
  google::rpc::Status proto;
  proto.set_code(static_cast<int>(status.code()));
  proto.set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    auto& detail = *proto.add_details();
    detail.set_type_url(std::string(type_url));
    detail.set_value(std::string(payload));
  });
  return proto;
}

absl::Status FromProto(const google::rpc::Status& proto) {
  // An unknown code is some newer server's error, never success.
  const bool known =
      proto.code() >= 0 && proto.code() <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  absl::Status status(
      known ? static_cast<absl::StatusCode>(proto.code()) : absl::StatusCode::kUnknown,
      proto.message());
  for (const auto& detail : proto.details())
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  return status;
}

absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(prefix, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    annotated.SetPayload(type_url, payload);
  });
  return annotated;
}

}  // namespace hivewire
