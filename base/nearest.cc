#include "base/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hivewire {
namespace {

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
int EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<int> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

constexpr size_t kMaxListed = 8;
constexpr size_t kMaxExcerpt = 100;

}  // namespace

std::vector<std::string> NearestNames(absl::string_view typed, absl::Span<const std::string> names,
                                      size_t count) {
  // A message must stay short and quick to make, whatever was typed.
  const std::string wanted = absl::AsciiStrToLower(typed.substr(0, kMaxExcerpt));
  std::vector<std::pair<int, std::string>> ranked;
  for (const std::string& name : names) {
    const std::string candidate = absl::AsciiStrToLower(name);
    int distance = EditDistance(wanted, candidate);
    const int longer = static_cast<int>(std::max(wanted.size(), candidate.size()));
    if (!wanted.empty() && absl::StrContains(candidate, wanted)) distance = std::min(distance, 1);
    if (2 * distance <= longer) ranked.emplace_back(distance, name);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> nearest;
  for (const auto& [distance, name] : ranked) {
    if (nearest.size() == count) break;
    nearest.push_back(name);
  }
  return nearest;
}

std::string NearestHint(absl::string_view typed, absl::Span<const std::string> names) {
  if (names.empty()) return "; there are none";
  const std::vector<std::string> nearest = NearestNames(typed, names);
  if (!nearest.empty()) return absl::StrCat("; nearest: ", absl::StrJoin(nearest, ", "));
  const bool all = names.size() <= kMaxListed;
  return absl::StrCat(
      "; known: ", absl::StrJoin(names.subspan(0, std::min(names.size(), kMaxListed)), ", "),
      all ? "" : ", …");
}

std::string Excerpt(absl::string_view typed) {
  if (typed.size() <= kMaxExcerpt) return std::string(typed);
  size_t end = kMaxExcerpt;
  // Not within a character of UTF-8.
  while (end > 0 && (typed[end] & 0xC0) == 0x80) --end;
  return absl::StrCat(typed.substr(0, end), "…");
}

}  // namespace hivewire
