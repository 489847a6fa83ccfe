// Where clients' messages come from. The workers look there themselves (workers.h), so that between
// a message and the steps that it asks for no thread has to be woken.
#ifndef HIVEWIRE_SERVER_POOL_POLLER_H_
#define HIVEWIRE_SERVER_POOL_POLLER_H_

#include "absl/time/time.h"

namespace hivewire {

// Thread-safe.
class Poller {
 public:
  virtual ~Poller() = default;

  // Handles one thing that has come; waits for it until `deadline`, which may lie in the past.
  // False where nothing came. What it handles must not wait.
  virtual bool Poll(absl::Time deadline) = 0;
  // Makes a Poll that waits return, or else the next one.
  virtual void Wake() = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_POLLER_H_
