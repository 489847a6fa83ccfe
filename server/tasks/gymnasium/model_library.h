// The suite's models, which are built into the program, by name ("ant.xml").
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_MODEL_LIBRARY_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_MODEL_LIBRARY_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "server/sim/model.h"

namespace hivewire {

// Thread-safe.
class ModelLibrary {
 public:
  // What Get accepts, in alphabetical order.
  static std::vector<std::string> Names();

  // Compiled once while somebody holds it. NOT_FOUND for a name that is not one of Names().
  absl::StatusOr<std::shared_ptr<const Model>> Get(const std::string& name);

 private:
  Mutex mutex_;
  std::map<std::string, std::weak_ptr<const Model>> models_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_MODEL_LIBRARY_H_
