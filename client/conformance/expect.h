// How checks speak: a Status that says what was expected and what came.
#ifndef HIVEWIRE_CLIENT_CONFORMANCE_EXPECT_H_
#define HIVEWIRE_CLIENT_CONFORMANCE_EXPECT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/error.h"

namespace hivewire {

inline absl::Status Expect(bool holds, absl::string_view what) {
  return holds ? absl::OkStatus() : absl::FailedPreconditionError(what);
}

template <typename T>
absl::Status ExpectEqual(absl::string_view what, const T& came, const T& expected) {
  if (came == expected) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(what, ": ", came, " where ", expected, " is right"));
}

// `status` is an error of this reason.
inline absl::Status ExpectRefused(absl::string_view what, const absl::Status& status,
                                  v1::ErrorReason reason) {
  if (ReasonOf(status) == reason) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(what, ": ", status.ok() ? "was accepted" : status.ToString(), " where ",
                   v1::ErrorReason_Name(reason), " is right"));
}

// For a row of checks that ends at the first that fails.
class Verdict {
 public:
  // Keeps the first error.
  Verdict& operator<<(const absl::Status& status) {
    if (status_.ok()) status_ = status;
    return *this;
  }
  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_CONFORMANCE_EXPECT_H_
