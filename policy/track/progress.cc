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
// Of the bar, in columns.
constexpr int kLeastBar = 8;
constexpr int kMostBar = 30;

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

// Of UTF-8, each character one column wide.
bool BeginsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

int Columns(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), BeginsCharacter));
}

std::string FirstColumns(const std::string& text, int columns) {
  size_t end = 0;
  for (; end < text.size(); ++end) {
    if (BeginsCharacter(text[end]) && columns-- == 0) break;
  }
  return text.substr(0, end);
}

int TerminalColumns() {
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

std::string ProgressLine(const ProgressState& state, int columns) {
  const double share = state.total_frames > 0 ? static_cast<double>(state.frames) /
                                                    static_cast<double>(state.total_frames)
                                              : 1;
  const std::string percent = absl::StrFormat("%3.0f %%  ", std::floor(100 * share));
  const double left = static_cast<double>(state.total_frames - state.frames);
  // Where there is little room, less is said: first without the length, then without the total.
  const auto text = [&](bool with_length, bool with_total) {
    std::string line = Grouped(state.frames);
    if (with_total) absl::StrAppend(&line, " / ", Grouped(state.total_frames));
    absl::StrAppend(&line, " frames  ", Grouped(std::llround(state.frames_per_second)),
                    " frames/s  return ");
    absl::StrAppend(&line, std::isnan(state.mean_return)
                               ? std::string("–")
                               : absl::StrFormat("%.1f", state.mean_return));
    if (with_length && !std::isnan(state.mean_return)) {
      absl::StrAppendFormat(&line, "  length %.0f", state.mean_length);
    }
    absl::StrAppend(&line, "  ETA ",
                    state.frames_per_second > 0 ? Clock(left / state.frames_per_second) : "–");
    return line;
  };
  std::string line = text(true, true);
  if (columns == 0) return percent + line;
  // For the bar and what stands between.
  const auto room = [&] { return columns - static_cast<int>(percent.size()) - Columns(line) - 2; };
  if (room() < kLeastBar) line = text(false, true);
  if (room() < kLeastBar) line = text(false, false);
  std::string bar;
  const int bar_columns = room() < kLeastBar ? 0 : std::min(room(), kMostBar);
  for (int i = 0; i < bar_columns; ++i) bar += i < share * bar_columns - 0.5 ? "━" : "─";
  if (bar_columns > 0) bar += "  ";
  return FirstColumns(absl::StrCat(percent, bar, line), columns);
}

Progress::Progress(absl::Duration log_interval)
    : terminal_(isatty(STDOUT_FILENO) != 0), interval_(terminal_ ? kBarInterval : log_interval) {}

void Progress::Show(const ProgressState& state, bool now) {
  const absl::Time time = absl::Now();
  if (!now && time < next_) return;
  next_ = time + interval_;
  if (terminal_) {
    // In the last column some terminals begin a new line.
    std::printf("\r\033[K%s", ProgressLine(state, std::max(1, TerminalColumns() - 1)).c_str());
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
