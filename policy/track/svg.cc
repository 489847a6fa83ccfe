#include "policy/track/svg.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace hivewire {
namespace {

// Pixels; the plot lies inside the margins.
constexpr double kWidth = 720;
constexpr double kHeight = 360;
constexpr double kLeft = 80;
constexpr double kRight = 20;
constexpr double kTop = 40;
constexpr double kBottom = 50;

struct Axis {
  double low = 0;
  double high = 1;
  double tick = 1;
};

// About five ticks at 1, 2 or 5 times a power of ten, and an axis that ends on ticks.
Axis MakeAxis(double low, double high) {
  if (!(high > low)) high = low + 1;
  const double power = std::pow(10.0, std::floor(std::log10((high - low) / 5)));
  double tick = power;
  for (const double factor : {2.0, 5.0, 10.0}) {
    if ((high - low) / tick > 6) tick = power * factor;
  }
  return {std::floor(low / tick) * tick, std::ceil(high / tick) * tick, tick};
}

constexpr const char* kColors[] = {"#1f6feb", "#d1242f", "#1a7f37",
                                   "#9a6700", "#8250df", "#57606a"};

void AppendPoint(double x, double y, std::string& svg) {
  absl::StrAppendFormat(&svg, "%.1f,%.1f ", x, y);
}

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

}  // namespace

std::string DrawSvg(absl::string_view title, absl::string_view x_label,
                    absl::Span<const ScalarPoint> points) {
  const Series series = {"", {points.begin(), points.end()}, {}};
  return DrawSeries(title, x_label, absl::MakeConstSpan(&series, 1));
}

std::string DrawSeries(absl::string_view title, absl::string_view x_label,
                       absl::Span<const Series> series) {
  std::vector<Series> finite;
  double low = HUGE_VAL, high = -HUGE_VAL, last = 0;
  for (const Series& one : series) {
    finite.push_back({one.label, {}, {}});
    for (size_t i = 0; i < one.points.size(); ++i) {
      const ScalarPoint& point = one.points[i];
      if (!std::isfinite(point.value)) continue;
      const double deviation = one.deviations.empty() ? 0 : one.deviations[i];
      finite.back().points.push_back(point);
      finite.back().deviations.push_back(deviation);
      low = std::min(low, point.value - deviation);
      high = std::max(high, point.value + deviation);
      last = std::max(last, static_cast<double>(point.step));
    }
  }
  if (low > high) return "";
  const Axis x = MakeAxis(0, last);
  const Axis y = MakeAxis(low, high);
  const auto at_x = [&](double step) {
    return kLeft + (step - x.low) / (x.high - x.low) * (kWidth - kLeft - kRight);
  };
  const auto at_y = [&](double value) {
    return kHeight - kBottom - (value - y.low) / (y.high - y.low) * (kHeight - kTop - kBottom);
  };

  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<rect width=\"%g\" height=\"%g\" fill=\"white\"/>\n"
      "<text x=\"%g\" y=\"24\" font-size=\"15\">%s</text>\n"
      "<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">%s</text>\n",
      kWidth, kHeight, kWidth, kHeight, kLeft, Escaped(title), (kLeft + kWidth - kRight) / 2,
      kHeight - 10, Escaped(x_label));
  for (double tick = y.low; tick <= y.high + y.tick / 2; tick += y.tick) {
    absl::StrAppendFormat(&svg,
                          "<line x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>"
                          "<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>\n",
                          kLeft, kWidth - kRight, at_y(tick), at_y(tick), kLeft - 6, at_y(tick) + 4,
                          tick);
  }
  for (double tick = x.low; tick <= x.high + x.tick / 2; tick += x.tick) {
    absl::StrAppendFormat(&svg, "<text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%.7g</text>\n",
                          at_x(tick), kHeight - kBottom + 18, tick);
  }
  for (size_t k = 0; k < finite.size(); ++k) {
    const Series& one = finite[k];
    const char* color = kColors[k % std::size(kColors)];
    if (!series[k].deviations.empty()) {
      absl::StrAppendFormat(&svg, "<polygon fill=\"%s\" fill-opacity=\"0.15\" points=\"", color);
      for (size_t i = 0; i < one.points.size(); ++i) {
        AppendPoint(at_x(one.points[i].step), at_y(one.points[i].value + one.deviations[i]), svg);
      }
      for (size_t i = one.points.size(); i-- > 0;) {
        AppendPoint(at_x(one.points[i].step), at_y(one.points[i].value - one.deviations[i]), svg);
      }
      svg += "\"/>\n";
    }
    absl::StrAppendFormat(
        &svg, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"", color);
    for (const ScalarPoint& point : one.points)
      AppendPoint(at_x(point.step), at_y(point.value), svg);
    svg += "\"/>\n";
    if (one.label.empty()) continue;
    absl::StrAppendFormat(&svg, "<text x=\"%g\" y=\"%g\" fill=\"%s\">%s</text>\n", kLeft + 10,
                          kTop + 16.0 * static_cast<double>(k + 1), color, Escaped(one.label));
  }
  svg += "</svg>\n";
  return svg;
}

}  // namespace hivewire
