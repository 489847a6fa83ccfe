#include "policy/track/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace hivewire {
namespace {

constexpr absl::Duration kBarInterval = absl::Milliseconds(200);
// What the rest of a progress line takes at most, in columns.
constexpr int kTextColumns = 100;

std::string Grouped(int64_t number) {
  std::string digits = absl::StrCat(number);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

std::string Clock(double seconds) {
  if (!(seconds < 100 * 3600)) return "–";
  const int whole = static_cast<int>(std::ceil(seconds));
  if (whole < 3600) return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
  return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

int TerminalColumns() {
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

std::string ProgressLine(const ProgressState& state, int bar_columns) {
  const double share = state.total_frames > 0 ? static_cast<double>(state.frames) /
                                                    static_cast<double>(state.total_frames)
                                              : 1;
  std::string line = absl::StrFormat("%3.0f %%  ", std::floor(100 * share));
  if (bar_columns > 0) {
    const int full = static_cast<int>(share * bar_columns);
    for (int i = 0; i < bar_columns; ++i) line += i < full ? "━" : "─";
    line += "  ";
  }
  absl::StrAppend(&line, Grouped(state.frames), " / ", Grouped(state.total_frames), " frames  ",
                  Grouped(std::llround(state.frames_per_second)), " frames/s  ");
  if (std::isnan(state.mean_return)) {
    line += "return –  ";
  } else {
    absl::StrAppendFormat(&line, "return %.1f  length %.0f  ", state.mean_return,
                          state.mean_length);
  }
  const double left = static_cast<double>(state.total_frames - state.frames);
  absl::StrAppend(&line, "ETA ",
                  state.frames_per_second > 0 ? Clock(left / state.frames_per_second) : "–");
  return line;
}

Progress::Progress(absl::Duration log_interval)
    : terminal_(isatty(STDOUT_FILENO) != 0), interval_(terminal_ ? kBarInterval : log_interval) {}

void Progress::Show(const ProgressState& state, bool now) {
  const absl::Time time = absl::Now();
  if (!now && time < next_) return;
  next_ = time + interval_;
  if (terminal_) {
    const int bar = std::clamp(TerminalColumns() - kTextColumns, 0, 30);
    std::printf("\r\033[K%s", ProgressLine(state, bar).c_str());
    bar_shown_ = true;
  } else {
    std::printf("%s\n", ProgressLine(state, 0).c_str());
  }
  std::fflush(stdout);
}

void Progress::Say(const std::string& line) {
  ClearBar();
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void Progress::ClearBar() {
  if (bar_shown_) std::printf("\r\033[K");
  bar_shown_ = false;
}

}  // namespace hivewire
