#include "policy/ranks/ranks.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace hivewire {

absl::StatusOr<int64_t> Agree(Ranks& ranks, const absl::StatusOr<int64_t>& own) {
  // Code, count, message.
  const int64_t head[] = {static_cast<int64_t>(own.status().code()), own.ok() ? *own : 0};
  std::string bytes(reinterpret_cast<const char*>(head), sizeof(head));
  if (!own.ok()) absl::StrAppend(&bytes, own.status().message());
  const absl::StatusOr<std::vector<std::string>> all = ranks.Share(bytes);
  if (!own.ok()) return own;
  if (!all.ok()) return all.status();
  int64_t sum = 0;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    const std::string& other = (*all)[static_cast<size_t>(rank)];
    int64_t read[2];
    if (other.size() < sizeof(read)) return absl::InternalError("a rank shared something else");
    std::memcpy(read, other.data(), sizeof(read));
    if (read[0] != 0) {
      return absl::Status(static_cast<absl::StatusCode>(read[0]),
                          absl::StrCat("rank ", rank, " of ", ranks.size(), ": ",
                                       absl::string_view(other).substr(sizeof(read))));
    }
    sum += read[1];
  }
  return sum;
}

}  // namespace hivewire
