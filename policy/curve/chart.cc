#include "policy/curve/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hivewire {
namespace {

// A grid of dots, two columns and four rows of them in each character.
class DotGrid {
 public:
  explicit DotGrid(ChartSize size)
      : size_(size), cells_(static_cast<size_t>(size.columns) * size.rows, 0) {}

  int width() const { return 2 * size_.columns; }
  int height() const { return 4 * size_.rows; }

  // (0, 0) is the lower left.
  void Set(int x, int y) {
    // Bits of the Unicode Braille patterns, by column and by row from the top.
    static constexpr uint8_t kDots[2][4] = {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}};
    const int from_top = height() - 1 - y;
    cells_[static_cast<size_t>(from_top / 4) * size_.columns + x / 2] |= kDots[x % 2][from_top % 4];
  }

  // Row from the top, in UTF-8.
  std::string Row(int row) const {
    std::string text;
    for (int column = 0; column < size_.columns; ++column) {
      const uint8_t dots = cells_[static_cast<size_t>(row) * size_.columns + column];
      if (dots == 0) {
        text += ' ';
      } else {  // U+2800 + dots
        text +=
            {'\xE2', static_cast<char>(0xA0 | dots >> 6), static_cast<char>(0x80 | (dots & 63))};
      }
    }
    return text;
  }

 private:
  ChartSize size_;
  std::vector<uint8_t> cells_;
};

std::string Label(double value) {
  const double size = std::abs(value);
  if (size >= 1e6) return absl::StrFormat("%.4gM", value / 1e6);
  if (size >= 1e4) return absl::StrFormat("%.4gk", value / 1e3);
  return absl::StrFormat("%.4g", value);
}

}  // namespace

std::string DrawChart(absl::string_view title, absl::Span<const ScalarPoint> points,
                      ChartSize size) {
  std::vector<ScalarPoint> finite;
  for (const ScalarPoint& point : points) {
    if (std::isfinite(point.value)) finite.push_back(point);
  }
  if (finite.empty()) return "";

  DotGrid grid(size);
  const int64_t first = finite.front().step;
  const double steps = std::max<double>(1, static_cast<double>(finite.back().step - first));
  std::vector<double> sum(grid.width(), 0);
  std::vector<int> count(grid.width(), 0);
  for (const ScalarPoint& point : finite) {
    const int x = static_cast<int>((point.step - first) / steps * (grid.width() - 1));
    sum[x] += point.value;
    ++count[x];
  }

  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (int x = 0; x < grid.width(); ++x) {
    if (count[x] == 0) continue;
    low = std::min(low, sum[x] / count[x]);
    high = std::max(high, sum[x] / count[x]);
  }
  const double range = high > low ? high - low : 1;

  int last_x = -1;
  int last_y = 0;
  for (int x = 0; x < grid.width(); ++x) {
    if (count[x] == 0) continue;
    const int y =
        static_cast<int>(std::lround((sum[x] / count[x] - low) / range * (grid.height() - 1)));
    // From the last dot, one column at a time, each filled to meet the next.
    int from = last_x < 0 ? y : last_y;
    for (int step = last_x < 0 ? x : last_x + 1; step <= x; ++step) {
      const int to = last_x < 0 ? y : last_y + (y - last_y) * (step - last_x) / (x - last_x);
      for (int dot = std::min(from, to); dot <= std::max(from, to); ++dot) grid.Set(step, dot);
      from = to;
    }
    last_x = x;
    last_y = y;
  }

  const std::string top = Label(high);
  const std::string bottom = Label(low);
  const int margin = static_cast<int>(std::max(top.size(), bottom.size()));
  std::string text = absl::StrFormat("%*s  %s\n", margin, "", title);
  for (int row = 0; row < size.rows; ++row) {
    const std::string label = row == 0 ? top : row == size.rows - 1 ? bottom : "";
    absl::StrAppend(&text, absl::StrFormat("%*s │", margin, label), grid.Row(row), "\n");
  }
  std::string axis;
  for (int column = 0; column < size.columns; ++column) axis += "─";
  absl::StrAppend(&text, absl::StrFormat("%*s └", margin, ""), axis, "\n");
  const std::string begin = Label(static_cast<double>(first));
  const std::string end = absl::StrCat(Label(static_cast<double>(finite.back().step)), " frames");
  const int gap = size.columns - static_cast<int>(begin.size() + end.size());
  absl::StrAppend(&text,
                  absl::StrFormat("%*s  %s%*s%s\n", margin, "", begin, std::max(1, gap), "", end));
  return text;
}

}  // namespace hivewire
