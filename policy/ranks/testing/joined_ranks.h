// Ranks of a test, each on a thread of its own, talking by the real Gloo.
#ifndef HIVEWIRE_POLICY_RANKS_TESTING_JOINED_RANKS_H_
#define HIVEWIRE_POLICY_RANKS_TESTING_JOINED_RANKS_H_

#include <functional>
#include <string>

#include "policy/ranks/ranks.h"

namespace hivewire {

// tcp:127.0.0.1:PORT, of a port that nobody has at the moment.
std::string FreeRendezvous();

// Runs `run` once for each of `size` ranks, all at once, and returns when all have.
void RunRanks(int size, const std::function<void(Ranks& ranks)>& run);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RANKS_TESTING_JOINED_RANKS_H_
