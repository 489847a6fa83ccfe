// One Simulation for each worker, all of one model.
//
// Slot w is used by worker w's thread alone, so there are no locks. A slot is filled when it is
// first needed.
#ifndef HIVEWIRE_SERVER_POOL_ENGINES_H_
#define HIVEWIRE_SERVER_POOL_ENGINES_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/sim/model.h"
#include "server/sim/simulation.h"

namespace hivewire {

class Engines {
 public:
  Engines(std::shared_ptr<const Model> model, int num_workers);

  absl::StatusOr<Simulation*> Get(int worker);
  // After an engine error: the next Get makes a new one.
  void Discard(int worker);

 private:
  std::shared_ptr<const Model> model_;
  std::vector<std::unique_ptr<Simulation>> simulations_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_ENGINES_H_
