// Keeps LibTorch's exceptions behind a Status.
#ifndef HIVEWIRE_POLICY_NN_GUARD_TORCH_H_
#define HIVEWIRE_POLICY_NN_GUARD_TORCH_H_

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace hivewire {

// A Status on its way through code that throws.
class StatusException : public std::exception {
 public:
  explicit StatusException(absl::Status status) : status_(std::move(status)) {}
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

// Within GuardTorch.
inline void OrThrow(const absl::Status& status) {
  if (!status.ok()) throw StatusException(status);
}
template <typename T>
T OrThrow(absl::StatusOr<T> result) {
  OrThrow(result.status());
  return *std::move(result);
}

// Calls `function`, which returns a Status, a StatusOr or nothing, and turns what it throws into
// INTERNAL (RESOURCE_EXHAUSTED where memory ran out), "`what`: torch's own first line". What
// OrThrow threw is returned as it is.
template <typename Function>
auto GuardTorch(absl::string_view what, Function&& function)
    -> std::conditional_t<std::is_void_v<decltype(function())>, absl::Status,
                          decltype(function())> {
  try {
    if constexpr (std::is_void_v<decltype(function())>) {
      function();
      return absl::OkStatus();
    } else {
      return function();
    }
  } catch (const StatusException& error) {
    return error.status();
  } catch (const c10::OutOfMemoryError& error) {
    return absl::ResourceExhaustedError(absl::StrCat(what, ": ", error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    return absl::InternalError(absl::StrCat(what, ": ", error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat(what, ": out of memory"));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat(what, ": ", error.what()));
  }
}

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_GUARD_TORCH_H_
