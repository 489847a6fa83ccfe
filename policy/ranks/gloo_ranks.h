// Ranks that talk by c10d's Gloo, over TCP; they find each other through a store that rank 0 keeps
// at an address that all are told.
//
// What they say to each other is neither encrypted nor authenticated: for networks where nobody
// else listens.
#ifndef HIVEWIRE_POLICY_RANKS_GLOO_RANKS_H_
#define HIVEWIRE_POLICY_RANKS_GLOO_RANKS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "policy/ranks/ranks.h"

namespace hivewire {

struct RankOptions {
  int rank = 0;
  int size = 1;
  // tcp:host:port. Rank 0 listens there, and nowhere else but for what ranks say to each other.
  std::string rendezvous;
  // How long to wait for the others, at the start and in every call: longer than an evaluation
  // takes, and env servers that restart. A process that ends is noticed at once.
  absl::Duration timeout = absl::Minutes(10);
};

// Waits until all ranks have come. INVALID_ARGUMENT names the option that is wrong, UNAVAILABLE
// says who did not come.
absl::StatusOr<std::unique_ptr<Ranks>> JoinRanks(const RankOptions& options);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RANKS_GLOO_RANKS_H_
