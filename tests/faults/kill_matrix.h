// The rows of the kill matrix: what is killed, how often, and what must hold afterwards.
#ifndef HIVEWIRE_TESTS_FAULTS_KILL_MATRIX_H_
#define HIVEWIRE_TESTS_FAULTS_KILL_MATRIX_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace hivewire {

struct KillOptions {
  std::string self;        // this program, which is also the client that is killed
  std::string env_server;  // programs
  std::string learner;
  std::string folder;  // short, for sockets; empty at the start
  int kills = 0;
  uint32_t seed = 0;  // of the moments
};

// Each gives a line that says what was counted, or the first thing that was wrong.

// SIGKILLs of the client, which a new process follows with its ticket.
absl::StatusOr<std::string> KillClients(const KillOptions& options);
// Connections cut in mid-frame.
absl::StatusOr<std::string> CutConnections(const KillOptions& options);
// SIGKILLs of the server while a collector runs whose every transition is recomputed.
absl::StatusOr<std::string> KillServersUnderCollector(const KillOptions& options);
// SIGKILLs of the server while `learner` trains.
absl::StatusOr<std::string> KillServersUnderLearner(const KillOptions& options);
// SIGKILLs of the learner, which resumes: the end must be that of an undisturbed run, bit for bit.
absl::StatusOr<std::string> KillLearners(const KillOptions& options);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_FAULTS_KILL_MATRIX_H_
