// The suite's models, compiled once while somebody holds them.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_MODEL_LIBRARY_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_MODEL_LIBRARY_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "server/sim/model.h"

namespace hivewire {

// What a class of tasks changes of a model before it is used.
struct ModelVariant {
  std::string name = {};  // another one for every other change; empty for none
  // Where not empty: a body that becomes the last child of another one.
  std::string moved_body = {}, new_parent = {};
  // Null for nothing.
  std::function<void(mjModel&)> edit = nullptr;
};

// Thread-safe.
class RoboHiveLibrary {
 public:
  // `model` is one of RoboHiveModels(). UNIMPLEMENTED (NOT_SUPPORTED) naming what is missing of
  // SimHive and how to get it.
  absl::StatusOr<std::shared_ptr<const Model>> Get(const std::string& model,
                                                   const ModelVariant& variant);

 private:
  Mutex mutex_;
  std::map<std::string, std::weak_ptr<const Model>> models_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_MODEL_LIBRARY_H_
