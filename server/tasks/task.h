// A Task is what differs between envs: its spec, and how it resets, acts, observes, rewards and
// ends.
//
// Who calls whom, for one step of one lane, on one worker:
//   1. the worker loads the lane's row into a Simulation (none for a task without a model);
//   2. Act       writes the action to the engine's controls;
//   3. Advance   steps the engine (by default frame_skip times);
//   4. Evaluate  gives reward, termination and the info leaves;
//   5. Observe   writes the observation leaves;
//   6. the worker saves the row.
// and for a reset: mj_resetData, then Reset, then Observe. Time limits, autoreset, seeding and
// episode counts are the lane's affair (server/pool), not the task's.
//
// A Task is immutable and shared by all workers: everything that changes lives in the TaskContext.
// Given equal context and action every method gives bit-equal results. What a task needs from
// before a step (Ant's torso position) must be in its own state: after a load the derived fields of
// mjData are another lane's.
//
// Failure: Reset returns a Status. The other methods may not fail by themselves; engine errors and
// exceptions are caught by the caller and are faults of that lane. A NaN in reward or observation
// is found by the lane.
#ifndef HIVEWIRE_SERVER_TASKS_TASK_H_
#define HIVEWIRE_SERVER_TASKS_TASK_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hivewire/v1/spec.pb.h"
#include "server/sim/model.h"
#include "server/sim/numpy_rng.h"
#include "server/sim/render_scene.h"
#include "server/sim/simulation.h"
#include "server/tasks/options.h"

namespace hivewire {

// What a lane lends a task for one call.
struct TaskContext {
  // Null where model() is null.
  Simulation* simulation;
  // state_size() doubles, zero before the lane's first reset, else as the task left them.
  absl::Span<double> state;
  NumpyRng* rng;
};

// One lane's action: every leaf of the spec, flattened in order.
struct Action {
  absl::Span<const double> values;  // each exactly as it was sent; a discrete action is its integer
  // The dtype that it was sent in. Gymnasium computes with a float32 action in float32.
  v1::DType dtype;
};

struct Outcome {
  double reward = 0;
  bool terminated = false;
};

// Where the leaves of one row go: one pointer a leaf of the spec, each to as many doubles as the
// leaf has elements, or null for a leaf that nobody selected. The lane converts to the leaf's
// dtype.
using LeafPointers = absl::Span<double* const>;

// A property of a task's own (server/tasks/properties.h has those of every model): numbers of its
// state that clients may read and, where `spec` is writable, set.
struct StateProperty {
  v1::PropertySpec spec;
  size_t offset = 0;  // of its first number in TaskContext::state
};

// A writable vector of `size` numbers at the beginning of the task's state.
StateProperty StateVector(absl::string_view name, int size, absl::string_view doc);

// An observation leaf that is an image.
struct ImageLeaf {
  size_t leaf = 0;  // of the spec's observation
  ImageView view;   // of a camera that the task's model has
};

class Task {
 public:
  virtual ~Task() = default;

  virtual const v1::EnvSpec& spec() const = 0;

  // Null for a task that has no engine.
  virtual std::shared_ptr<const Model> model() const { return nullptr; }

  // Doubles of task state a lane keeps for it.
  virtual int state_size() const { return 0; }

  // Draws the first state of an episode. Called on a Simulation fresh from Reset(). `options` are
  // the reset's own, by name; INVALID_ARGUMENT for one it does not know. `info`: the leaves that
  // have in_reset.
  virtual absl::Status Reset(TaskContext& context, const Options& options,
                             LeafPointers info) const = 0;

  virtual void Act(TaskContext& context, const Action& action) const = 0;

  // By default spec().frame_skip() steps of the engine; nothing for a task without a model.
  virtual void Advance(TaskContext& context) const;

  virtual Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const = 0;

  virtual void Observe(TaskContext& context, LeafPointers observation) const = 0;

  // The leaves that Observe does not write, in ascending order: the lane has them drawn from the
  // engine as Observe left it, where they are selected.
  virtual std::vector<ImageLeaf> image_leaves() const { return {}; }

  // Whether EditModel does anything.
  virtual bool edits_model() const { return false; }

  // Writes to `model` what an env with this state of the task has changed of it since the model was
  // compiled: always the same elements, of the arrays that Simulation::UseEdited names. Called
  // before a row of such an env is loaded; a task whose Reset or Act changes them calls it itself,
  // on Simulation::edited_model(). Arrays that the engine computes from others stay as they are.
  virtual void EditModel(absl::Span<const double>, mjModel&) const {}

  // A lane's generator was just seeded: draws what the original draws when it is made, before its
  // first reset.
  virtual void OnSeeded(NumpyRng&) const {}

  virtual std::vector<StateProperty> state_properties() const { return {}; }

  // A client set properties between two steps: what the task's state took from the engine or the
  // model is taken anew. The engine's derived fields are computed.
  virtual void OnPropertiesSet(TaskContext&) const {}
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_TASK_H_
