// A compiled MuJoCo model, shared by every env that uses it.
//
// It steps as the MJCF says, to the last bit, but leaves out work that cannot change a step: see
// collision_pairs.h (so contype and conaffinity may read 0), and island discovery where there is
// one tree alone.
//
// Immutable after it is made, so any number of threads may read it. Held by shared_ptr: a pool, its
// lanes and the workers' Simulations keep it alive.
#ifndef HIVEWIRE_SERVER_SIM_MODEL_H_
#define HIVEWIRE_SERVER_SIM_MODEL_H_

#include <mujoco/mujoco.h>

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

class Model {
 public:
  // Compiles MJCF text. `name` is for messages. INVALID_ARGUMENT (BAD_MODEL) with MuJoCo's own
  // message (which names element and line) where it does not compile, or asks for what rows of
  // states cannot hold (sleep).
  static absl::StatusOr<std::shared_ptr<const Model>> FromXml(absl::string_view xml,
                                                              absl::string_view name);
  // Likewise; `edit` changes the compiled model before anybody shares it.
  static absl::StatusOr<std::shared_ptr<const Model>> FromXml(
      absl::string_view xml, absl::string_view name, absl::FunctionRef<void(mjModel&)> edit);

  // MJCF text that compiles to the same model and needs nothing of how it came about, as MuJoCo
  // writes it: one element a line, numbers rounded as it rounds them.
  static absl::StatusOr<std::string> Flatten(absl::string_view xml, absl::string_view name);

  // Compiles a file; meshes and includes are found relative to it. NOT_FOUND where there is no such
  // file.
  static absl::StatusOr<std::shared_ptr<const Model>> FromFile(const std::string& path);

  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const mjModel* get() const { return model_; }
  const mjModel* operator->() const { return model_; }
  const std::string& name() const { return name_; }
  // Whether its collision pairs are those of WithCollisionPairs.
  bool has_found_pairs() const { return has_found_pairs_; }

  // Doubles in the engine's state (mjSTATE_INTEGRATION).
  int integration_size() const { return integration_size_; }
  // Doubles in one row of state: the engine's state, that from which the last engine step led
  // there, and whether there was such a step (1 or 0). The second is for images only: with most
  // integrators the engine's derived fields are not those of the state that it leaves behind.
  int state_size() const { return 2 * integration_size_ + 1; }

 private:
  Model(mjModel* model, bool has_found_pairs, std::string name);

  // Takes the spec, null where the text was not understood. May call the engine's error handler.
  static absl::StatusOr<std::shared_ptr<const Model>> Compile(mjSpec* parsed,
                                                              absl::string_view name,
                                                              absl::string_view parse_error);

  mjModel* model_;
  bool has_found_pairs_;
  std::string name_;
  int integration_size_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_MODEL_H_
