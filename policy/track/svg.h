// Learning curves as an SVG image.
#ifndef HIVEWIRE_POLICY_TRACK_SVG_H_
#define HIVEWIRE_POLICY_TRACK_SVG_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "policy/curve/event_file.h"

namespace hivewire {

struct Series {
  std::string label;
  std::vector<ScalarPoint> points;  // by step
  // Of each point, drawn as a band on both sides; empty for none.
  std::vector<double> deviations;
};

// `points` by step, joined by a line, on axes with round numbers. Points that are not finite are
// left out; empty where nothing is left to draw.
std::string DrawSvg(absl::string_view title, absl::string_view x_label,
                    absl::Span<const ScalarPoint> points);
// Several, with a legend.
std::string DrawSeries(absl::string_view title, absl::string_view x_label,
                       absl::Span<const Series> series);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_SVG_H_
