// Presets × envs × seeds: trains each, one after the other, and draws what came of them together.
//
//   FOLDER/runs/PRESET__ENV__SEED     the run folders
//   FOLDER/rows/PRESET__ENV__SEED.json  what a run came to, once it is over
//   FOLDER/benchmark.json             mean and variance over the seeds, cycle by cycle
//   FOLDER/ENV.svg                    the curves of all presets
//
// It can be stopped or killed at any moment: called again, it goes on with the run that was not
// over, from its last checkpoint, and with those that had not begun.
#ifndef HIVEWIRE_POLICY_BENCHMARK_H_
#define HIVEWIRE_POLICY_BENCHMARK_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "policy/curve/event_file.h"
#include "policy/session.h"

namespace hivewire {

struct BenchmarkOptions {
  // At least one each; `envs` empty for the presets' own.
  std::vector<std::string> presets;
  std::vector<std::string> envs;
  std::vector<std::string> seeds;
  std::string folder;
  // Laid over every preset: a file, and "path=value" each.
  std::string config;
  std::vector<std::string> overrides;
  // Where the configuration names no server.
  std::string default_server;
  Reach reach;
};

// FAILED_PRECONDITION where the folder has a row of another configuration.
absl::Status Benchmark(const BenchmarkOptions& options, const std::function<bool()>& stop);

// Curves of several seeds as one. Cycle k is the k-th of equal parts of the run; NaN before the
// first episode has ended.
struct CurveSpread {
  std::vector<double> frames;  // at the cycles' ends
  std::vector<double> mean;
  std::vector<double> variance;  // of the population
};
CurveSpread SpreadOfCurves(absl::Span<const std::vector<ScalarPoint>> curves, int64_t total_frames,
                           int cycles);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_BENCHMARK_H_
