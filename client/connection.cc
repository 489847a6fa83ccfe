#include "client/connection.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hivewire {
namespace {

absl::Status CheckAddress(absl::string_view address) {
  absl::string_view rest = address;
  if (absl::ConsumePrefix(&rest, "unix:") && absl::StartsWith(rest, "/")) return absl::OkStatus();
  if (absl::ConsumePrefix(&rest, "inproc:") && rest.empty()) return absl::OkStatus();
  if (absl::ConsumePrefix(&rest, "tcp:")) {
    const size_t colon = rest.rfind(':');
    int port = 0;
    if (colon != absl::string_view::npos && colon > 0 &&
        absl::SimpleAtoi(rest.substr(colon + 1), &port) && port > 0 && port < 65536) {
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "server: \"", address, "\" is not an address; addresses are unix:/path and tcp:host:port"));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseAddresses(absl::string_view server) {
  std::vector<std::string> addresses;
  for (const absl::string_view part : absl::StrSplit(server, ',')) {
    const absl::string_view address = absl::StripAsciiWhitespace(part);
    const absl::Status status = CheckAddress(address);
    if (!status.ok()) return status;
    addresses.emplace_back(address);
  }
  return addresses;
}

}  // namespace hivewire
