// One engine: a worker's mjData for one model, into which it loads the state row of whichever env
// it steps.
//
// After Load only the row is valid. Every derived field (xpos, cfrc_ext, sensordata, …) is another
// env's until the engine recomputes it; builds with HIVEWIRE_POISON_DERIVED fill them with NaN to
// show who reads them too early.
//
// Used by one thread at a time.
#ifndef HIVEWIRE_SERVER_SIM_SIMULATION_H_
#define HIVEWIRE_SERVER_SIM_SIMULATION_H_

#include <mujoco/mujoco.h>

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/sim/model.h"

namespace hivewire {

class Simulation {
 public:
  // RESOURCE_EXHAUSTED where the engine cannot allocate.
  static absl::StatusOr<std::unique_ptr<Simulation>> Create(std::shared_ptr<const Model> model);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  const std::shared_ptr<const Model>& shared_model() const { return model_; }
  const mjModel* model() const { return model_->get(); }
  mjData* data() { return data_; }
  const mjData* data() const { return data_; }

  // Row of model()->state_size() doubles. Load also clears the warning counters.
  void Load(absl::Span<const double> row);
  void Save(absl::Span<double> row) const;

  // mj_resetData: every field as after the model was compiled.
  void Reset();
  // mj_forward: derived fields from positions, velocities and controls.
  void Forward();
  // mj_step, `count` times.
  void Step(int count);

  // OK, or (SIM_DIVERGED) the first bad-state warning since Load or Reset: NaN or huge numbers in
  // qpos, qvel, qacc or ctrl.
  absl::Status CheckState() const;

  // Runs `body`, which may call the engine, and turns mju_error and exceptions into INTERNAL
  // (ENV_FAULT). After
  // an error the mjData is not to be trusted: throw this Simulation away.
  static absl::Status Guard(absl::FunctionRef<void()> body);

 private:
  Simulation(std::shared_ptr<const Model> model, mjData* data);

  std::shared_ptr<const Model> model_;
  mjData* data_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_SIMULATION_H_
