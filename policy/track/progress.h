// Tells a person how a run goes: a bar that stays in its line on a terminal, a line now and then
// elsewhere.
//
// Not thread-safe.
#ifndef HIVEWIRE_POLICY_TRACK_PROGRESS_H_
#define HIVEWIRE_POLICY_TRACK_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace hivewire {

struct ProgressState {
  int64_t frames = 0;
  int64_t total_frames = 0;
  double frames_per_second = 0;
  int64_t episodes = 0;
  // Of the latest episodes; NaN before the first.
  double mean_return = 0;
  double mean_length = 0;
};

class Progress {
 public:
  // Writes to standard output; `log_interval` between two lines where that is no terminal.
  explicit Progress(absl::Duration log_interval);

  // Shows the state where it is time to, or `now` where it must be.
  void Show(const ProgressState& state, bool now = false);
  // A line of its own, above the bar.
  void Say(const std::string& line);

 private:
  void ClearBar();

  bool terminal_;
  bool bar_shown_ = false;
  absl::Duration interval_;
  absl::Time next_ = absl::InfinitePast();
};

// "  42 %  ━━━━━━──────  420,000 / 1,000,000 frames  12,345 frames/s  return 234.5  length 100  ETA
// 0:47" within so many columns; where they are few it says less, and has no bar at last. 0: all of
// it without a bar, for a log.
std::string ProgressLine(const ProgressState& state, int columns);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TRACK_PROGRESS_H_
