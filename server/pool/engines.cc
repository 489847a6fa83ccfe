#include "server/pool/engines.h"

#include <utility>

namespace hivewire {

Engines::Engines(std::shared_ptr<const Model> model, int num_workers)
    : model_(std::move(model)), simulations_(static_cast<size_t>(num_workers)) {}

absl::StatusOr<Simulation*> Engines::Get(int worker) {
  std::unique_ptr<Simulation>& slot = simulations_[static_cast<size_t>(worker)];
  if (slot == nullptr) {
    absl::StatusOr<std::unique_ptr<Simulation>> made = Simulation::Create(model_);
    if (!made.ok()) return made.status();
    slot = *std::move(made);
  }
  return slot.get();
}

void Engines::Discard(int worker) { simulations_[static_cast<size_t>(worker)].reset(); }

}  // namespace hivewire
