// A run of the program `learner` in a folder of its own, and what kills the programs around it.
//
// One thread at a time.
#ifndef HIVEWIRE_TESTS_FAULTS_LEARNER_RUN_H_
#define HIVEWIRE_TESTS_FAULTS_LEARNER_RUN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "policy/checkpoint/checkpoint.h"
#include "tests/faults/child.h"

namespace hivewire {

inline constexpr absl::Duration kPatience = absl::Seconds(300);
// Of the preset cartpole.
inline constexpr int kLanes = 8;
inline constexpr int kFramesAnUpdate = 32 * kLanes;

absl::Duration UpTo(int milliseconds, std::mt19937& random);

// Kills at random moments, mostly while there is progress (`progress` rises), and starts again, now
// and then after a pause.
absl::Status KillAndRestart(const std::function<void()>& kill,
                            const std::function<absl::Status()>& start, int kills,
                            std::mt19937& random, const std::function<int64_t()>& progress);

struct LearnerRun {
  std::string learner;  // program
  // How it reaches its envs: --server=…, or --listen=….
  std::string reach;
  std::string folder;
  std::string log = folder + ".log";

  absl::StatusOr<std::unique_ptr<Child>> Start(bool resume, int64_t frames) const;

  // Frames of the last line of the run's progress.csv; 0 where there is none.
  int64_t Frames() const;
  // Every update stands once in progress.csv, in order, and has one of these numbers of frames.
  absl::Status CheckProgress(const std::vector<int64_t>& frames = {kFramesAnUpdate}) const;
  absl::StatusOr<Checkpoint> Last() const;
  absl::Status Failed(absl::string_view what) const;
  // Until it has done `frames`.
  absl::Status Await(Child& child, int64_t frames) const;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_FAULTS_LEARNER_RUN_H_
