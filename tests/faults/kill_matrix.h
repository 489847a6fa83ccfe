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
  std::string collector;
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

// SIGKILLs of one of two collectors: the learner goes on with the other, and takes it back.
absl::StatusOr<std::string> KillCollectors(const KillOptions& options);
// The same of the env server of one of them.
absl::StatusOr<std::string> KillServersUnderCollectors(const KillOptions& options);
// SIGKILLs of a learner with two collectors: they come back to the one that resumes.
absl::StatusOr<std::string> KillLearnersUnderCollectors(const KillOptions& options);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_FAULTS_KILL_MATRIX_H_
