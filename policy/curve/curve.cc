// Draws a scalar of a run folder in the terminal:  curve --run=runs/… [--tag=…]
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "policy/curve/chart.h"
#include "policy/curve/event_file.h"

ABSL_FLAG(std::string, run, "", "Run folder, with TensorBoard's event files.");
ABSL_FLAG(std::string, tag, "charts/episodic_return", "The scalar to draw.");

namespace {

// As wide as the terminal allows, with room for labels.
int Columns() {
  winsize window = {};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
  return std::clamp((known ? window.ws_col : 80) - 12, 20, 100);
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("draws a scalar of a run folder in the terminal");
  absl::ParseCommandLine(argc, argv);
  const std::string run = absl::GetFlag(FLAGS_run);
  if (run.empty()) {
    std::fprintf(stderr, "curve: --run=FOLDER is needed\n");
    return 2;
  }
  const std::string tag = absl::GetFlag(FLAGS_tag);
  const auto points = hivewire::ReadScalars(run, tag);
  if (!points.ok()) {
    std::fprintf(stderr, "curve: %s\n", std::string(points.status().message()).c_str());
    return 1;
  }
  std::fputs(hivewire::DrawChart(tag, *points, {.columns = Columns(), .rows = 12}).c_str(), stdout);
  return 0;
}
