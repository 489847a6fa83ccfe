#include "client/commands/table.h"

#include <algorithm>
#include <ostream>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace hivewire {
namespace {

constexpr size_t kWidth = 100;
constexpr size_t kNarrowest = 40;  // of a wrapped column
constexpr size_t kGap = 2;

// Of UTF-8 text, a column a character.
size_t WidthOf(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::vector<std::string> Wrap(absl::string_view text, size_t width) {
  std::vector<std::string> lines(1);
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (!lines.back().empty() && WidthOf(lines.back()) + 1 + WidthOf(word) > width)
      lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back().append(word.data(), word.size());
  }
  return lines;
}

}  // namespace

void Table::Print(std::ostream& out) const {
  std::vector<size_t> widths;
  for (const auto& row : rows_) {
    // A row's last cell has no column after it to push aside.
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t k = 0; k + 1 < row.size(); ++k) widths[k] = std::max(widths[k], WidthOf(row[k]));
  }
  for (const auto& row : rows_) {
    size_t column = 0;
    for (size_t k = 0; k + 1 < row.size(); ++k) {
      out << row[k] << std::string(widths[k] + kGap - WidthOf(row[k]), ' ');
      column += widths[k] + kGap;
    }
    if (row.empty()) continue;
    const std::vector<std::string> lines =
        Wrap(row.back(), std::max(kNarrowest, kWidth - std::min(kWidth, column)));
    for (size_t k = 0; k < lines.size(); ++k)
      out << (k == 0 ? "" : std::string(column, ' ')) << lines[k] << '\n';
  }
}

}  // namespace hivewire
