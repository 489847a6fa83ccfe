// Properties of a lane: reading them, and working out what a lane is with other ones.
//
// A property is a field of the model (then the lane carries overrides), a part of the engine's
// state (a part of its row) or of the task's state. Which there are says EnvSpec.properties.
//
// Thread-safe. Owns an engine of its own, made when it is first needed.
#ifndef HIVEWIRE_SERVER_POOL_PROPERTIES_H_
#define HIVEWIRE_SERVER_POOL_PROPERTIES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "hivewire/v1/control.pb.h"
#include "server/pool/lane.h"
#include "server/pool/pool_spec.h"
#include "server/sim/model_overrides.h"
#include "server/sim/simulation.h"

namespace hivewire {

class Properties {
 public:
  using Values = google::protobuf::Map<std::string, v1::Value>;

  // `spec` outlives it.
  explicit Properties(const PoolSpec& spec) : spec_(spec) {}

  // UNKNOWN_PROPERTY with the nearest names; NEEDS_RESET for the state of a lane that has none yet.
  absl::StatusOr<v1::Value> Get(const Lane& lane, absl::string_view name) const;

  // `lane` with these values; its result stays. Nothing is changed where one of them is refused:
  // UNKNOWN_PROPERTY (read-only ones with PERMISSION_DENIED), BAD_SHAPE, BAD_OPTION, NEEDS_RESET.
  absl::Status Set(const Values& values, Lane& lane);

  // The overrides with these values of model fields; null for none. Refuses what Set refuses.
  absl::StatusOr<std::shared_ptr<const ModelOverrides>> MakeOverrides(
      ModelOverrides::Values values);

 private:
  absl::StatusOr<const v1::PropertySpec*> Find(absl::string_view name) const;
  // The task's own property of that name, or null.
  const StateProperty* FindOwn(absl::string_view name) const;
  absl::Status OnEngine(absl::FunctionRef<void(Simulation&)> body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const PoolSpec& spec_;
  const std::vector<StateProperty> own_ = spec_.task().state_properties();
  Mutex mutex_;
  std::unique_ptr<Simulation> simulation_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_PROPERTIES_H_
