// Errors as the wire has them: an absl::Status that carries a reason, and its way into a
// google.rpc.Status and back.
//
// An error names the field and the value that are to blame, and says what is accepted or what cures
// it.
#ifndef HIVEWIRE_BASE_ERROR_H_
#define HIVEWIRE_BASE_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/rpc/status.pb.h"
#include "hivewire/v1/control.pb.h"

namespace hivewire {

// The status code follows from the reason (see ErrorReason in control.proto). `field` and `value`
// go into the metadata; empty for none.
absl::Status MakeError(v1::ErrorReason reason, absl::string_view message,
                       absl::string_view field = "", absl::string_view value = "");

// UNSPECIFIED for a status that carries none.
v1::ErrorReason ReasonOf(const absl::Status& status);
// The field to blame; empty for a status that names none.
std::string FieldOf(const absl::Status& status);

google::rpc::Status ToProto(const absl::Status& status);
absl::Status FromProto(const google::rpc::Status& status);

// `status` with "prefix: " before its message; code and reason stay.
absl::Status Annotate(const absl::Status& status, absl::string_view prefix);

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_ERROR_H_
