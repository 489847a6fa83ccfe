// A line chart for a terminal.
#ifndef HIVEWIRE_POLICY_CURVE_CHART_H_
#define HIVEWIRE_POLICY_CURVE_CHART_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "policy/curve/event_file.h"

namespace hivewire {

struct ChartSize {
  // Characters, the axis' labels not included; at least 1 each.
  int columns = 60;
  int rows = 12;
};

// `points` by step as a line of Braille dots (2 by 4 a character), each dot's column the mean of
// the points that fall into it, joined across columns that have none. Points that are not finite
// are left out. Lines end in "\n". Empty where nothing is left to draw.
std::string DrawChart(absl::string_view title, absl::Span<const ScalarPoint> points,
                      ChartSize size = {});

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CURVE_CHART_H_
