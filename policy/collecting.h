// What the program `collector` does, apart from its flags: joins a learner, steps envs by its
// policy, and sends it what comes of that, until the run is over.
//
// Where the learner or the env servers go away it waits for them and joins again, its lanes
// starting new episodes.
#ifndef HIVEWIRE_POLICY_COLLECTING_H_
#define HIVEWIRE_POLICY_COLLECTING_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/connection.h"
#include "policy/session.h"

namespace hivewire {

struct CollectorOptions {
  std::string learner;  // address
  ConnectionOptions learner_connection;
  // Env servers, in place of those of the run's own configuration.
  std::string server;
  Reach reach;
  // 0: all lanes of the run that are free.
  int num_envs = 0;
  // Where transforms and the policy are computed: "cpu", "cuda" or "cuda:1", whatever the learner
  // has.
  std::string device = "cpu";
  // By which the learner knows it again. Empty: one of its own.
  std::string name;
  // How long it waits for a learner, or for env servers, that are not there.
  absl::Duration patience = absl::Minutes(10);
};

// OK when the run is over, or `stop` says so. UNAVAILABLE where somebody was missing for longer
// than `patience`; other errors are those that waiting would not cure.
absl::Status RunCollector(const CollectorOptions& options, const std::function<bool()>& stop);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_COLLECTING_H_
