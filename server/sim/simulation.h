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
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/sim/model.h"
#include "server/sim/model_overrides.h"

namespace hivewire {

class Simulation {
 public:
  // RESOURCE_EXHAUSTED where the engine cannot allocate.
  static absl::StatusOr<std::unique_ptr<Simulation>> Create(std::shared_ptr<const Model> model);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  const std::shared_ptr<const Model>& shared_model() const { return model_; }
  // As the env in use has it: the shared model, or that with its overrides.
  const mjModel* model() const { return active_; }
  mjData* data() { return data_; }
  const mjData* data() const { return data_; }

  // From here on the model is that of an env with these overrides; null for the shared one. Costs
  // nothing where they are in use already. May call the engine's error handler (no memory).
  void Use(const std::shared_ptr<const ModelOverrides>& overrides);
  // From here on the model in use is a copy of it that `editor`, a task, writes to: places, turns,
  // shapes and colours of bodies, sites and geoms (Task::EditModel), the same elements for every
  // env that it loads. What another editor wrote is gone. Costs nothing where the editor is the
  // last one. May call the engine's error handler (no memory).
  mjModel& UseEdited(const std::shared_ptr<const void>& editor);
  // That copy, while it is in use.
  mjModel& edited_model() { return *own_; }
  // The overrides of an env whose model has these values, as many as their fields have. Whatever
  // state was loaded is gone, and the shared model is in use. May call the engine's error handler;
  // then the Simulation is not to be trusted.
  std::shared_ptr<const ModelOverrides> Override(ModelOverrides::Values values);

  // Row of shared_model()->state_size() doubles. Load also clears the warning counters.
  void Load(absl::Span<const double> row);
  void Save(absl::Span<double> row) const;
  // Load, and the derived fields as they were when the row was saved. The engine's state is then
  // that of the row too.
  void LoadWithDerived(absl::Span<const double> row);
  // Says that somebody changed the env of a row otherwise than by stepping it: from now on its
  // derived fields are those of its state.
  static void ForgetStep(absl::Span<double> row) { row.back() = 0; }

  // mj_resetData: every field as after the model was compiled.
  void Reset();
  // mj_forward: derived fields from positions, velocities and controls.
  void Forward();
  // The part of Forward that places things: bodies, geoms, sites, cameras, lights and tendons, all
  // that an image or a distance needs. Forces, contacts and sensors are not those of the state.
  void Place();
  // The part of Place that places bodies, geoms and sites.
  void PlaceBodies();
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

  // A copy of the shared model that may be changed, made when it is first needed.
  mjModel& OwnModel();
  // Takes what an editor wrote back to what the shared model and the applied overrides have.
  void DropEdits();

  std::shared_ptr<const Model> model_;
  mjData* data_;
  const mjModel* active_;
  // The engine's state before the last mj_step; nothing of value unless stepped_.
  std::vector<mjtNum> before_step_;
  bool stepped_ = false;
  mjModel* own_ = nullptr;
  std::vector<absl::Span<mjtNum>> shared_arrays_, own_arrays_;  // set with own_
  // Those that own_ has.
  std::shared_ptr<const ModelOverrides> applied_;
  std::shared_ptr<const void> editor_;  // who wrote to own_ last; null for nobody
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_SIMULATION_H_
