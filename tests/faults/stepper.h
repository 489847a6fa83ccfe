// The client that is killed: it steps two groups of lanes, both in flight, with actions that follow
// from lane and operation, and writes down each result before it asks for the next.
//
// Whenever it is started it goes on with the pool of its ticket, if there is one, so that any
// number of killed processes together do what one would have done.
#ifndef HIVEWIRE_TESTS_FAULTS_STEPPER_H_
#define HIVEWIRE_TESTS_FAULTS_STEPPER_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hivewire {

inline constexpr uint32_t kStepperLanes = 6;

struct StepperOptions {
  std::string server;
  std::string ticket;   // path
  std::string journal;  // path; a line for each result: lane, operation, hash
  // Operations a lane to do in all.
  uint64_t until = UINT64_MAX;
};

absl::Status RunStepper(const StepperOptions& options);

// Lane and operation → hash of the result.
using Journal = std::map<std::pair<uint32_t, uint64_t>, uint64_t>;

// DATA_LOSS where a result stands there twice and differently, or a lane's operations have a gap.
absl::StatusOr<Journal> ReadJournal(const std::string& path);

// The operations of pool `pool_id` in a server's --op_log. DATA_LOSS names the first that ran
// twice, out of turn, or not at all.
absl::StatusOr<uint64_t> CheckOperationLog(const std::string& path, const std::string& pool_id);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_FAULTS_STEPPER_H_
