// A trajectory of a reference implementation, as generate.py writes it.
#ifndef HIVEWIRE_TESTS_PARITY_TRAJECTORY_H_
#define HIVEWIRE_TESTS_PARITY_TRAJECTORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hivewire/v1/types.pb.h"
#include "server/tasks/options.h"

namespace hivewire {

struct InfoLeaf {
  std::string name;
  size_t elements;
  bool in_reset;
};

// One operation of one lane; views into the Trajectory.
struct Record {
  bool is_step;    // else a reset
  bool is_seeded;  // a reset with `seed`
  uint64_t seed;
  bool terminated, truncated;
  double reward;
  absl::Span<const double> action;
  absl::Span<const double> observation;
  absl::Span<const double> info;  // leaf after leaf
};

struct Trajectory {
  std::string name;
  std::string env_id;
  Options options;        // of the constructor
  Options reset_options;  // of each reset
  size_t lanes = 0;
  int max_episode_steps = 0;
  int time_limit = 0;  // what max_episode_steps was set to; 0 for the env's own
  v1::DType action_dtype = v1::DTYPE_UNSPECIFIED;
  size_t action_elements = 0;
  std::vector<double> action_low, action_high;  // empty for a discrete action
  v1::DType observation_dtype = v1::DTYPE_UNSPECIFIED;
  size_t observation_elements = 0;
  std::vector<double> observation_low, observation_high;
  std::vector<InfoLeaf> info;
  size_t record_size = 0;
  std::vector<double> numbers;  // record after record, the lanes in turn

  size_t size() const { return numbers.size() / record_size; }
  Record At(size_t index) const;
};

// INVALID_ARGUMENT naming file and line.
absl::StatusOr<Trajectory> ReadTrajectory(const std::string& path);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_PARITY_TRAJECTORY_H_
