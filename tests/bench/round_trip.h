// How long one step of one lane takes, there and back, and how much of that is not the step.
#ifndef HIVEWIRE_TESTS_BENCH_ROUND_TRIP_H_
#define HIVEWIRE_TESTS_BENCH_ROUND_TRIP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/vector_env.h"
#include "tests/bench/counting_carrier.h"

namespace hivewire {

class RoundTrip {
 public:
  // `options.num_envs` is taken as 1.
  static absl::StatusOr<std::unique_ptr<RoundTrip>> Make(VectorEnvOptions options,
                                                         const CarrierFactory& factory,
                                                         uint64_t seed);

  // Steps `steps` times and keeps the times, or drops them (to warm up).
  absl::Status Run(int steps, bool keep);

  const std::vector<double>& total_seconds() const { return total_; }
  // Without what the worker took for the step itself.
  const std::vector<double>& net_seconds() const { return net_; }

 private:
  RoundTrip() = default;

  CarrierCounts counts_;
  std::unique_ptr<VectorEnv> env_;
  std::vector<std::string> actions_;
  size_t step_ = 0;
  StepResult result_;
  std::vector<double> total_, net_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_ROUND_TRIP_H_
