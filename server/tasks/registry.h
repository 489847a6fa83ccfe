// The env ids that a server offers, and how each becomes a Task.
//
// An id is data: an EnvEntry (config.proto) names a task class and its parameters. Built-in entries
// are textprotos embedded in the binary; more come from the server's asset roots. Filled at start,
// then only read: thread-safe from then on.
#ifndef HIVEWIRE_SERVER_TASKS_REGISTRY_H_
#define HIVEWIRE_SERVER_TASKS_REGISTRY_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"
#include "server/tasks/task.h"

namespace hivewire {

// Makes a Task of one class from an entry and the options of one pool, all of them present and
// typed as the class's OptionSpecs say.
struct TaskClass {
  std::string name;                     // "gymnasium.Ant"
  std::vector<v1::OptionSpec> options;  // with the class's defaults; an entry may replace these
  std::function<absl::StatusOr<std::shared_ptr<const Task>>(const v1::EnvEntry& entry,
                                                            const Options& options)>
      make;
};

class Registry {
 public:
  // Every suite of this repository.
  static absl::StatusOr<Registry> Builtin();

  // ALREADY_EXISTS for a name or id that is taken; INVALID_ARGUMENT naming the field of an entry
  // that is wrong.
  absl::Status AddClass(TaskClass task_class);
  absl::Status AddEntry(v1::EnvEntry entry);

  // Adds every *.textproto (an EnvFile) below `directory`. Paths in it are relative to the file.
  // Errors name file, line and field.
  absl::Status AddAssetRoot(const std::string& directory);

  // Ids in alphabetical order.
  std::vector<const v1::EnvEntry*> entries() const;

  // NOT_FOUND names the nearest ids; INVALID_ARGUMENT an option that is unknown (with the nearest
  // names), ill-typed or out of range. Equal (id, options) give the same Task object while somebody
  // holds it, so its model is compiled once.
  absl::StatusOr<std::shared_ptr<const Task>> Make(absl::string_view env_id,
                                                   const Options& options) const;

 private:
  absl::flat_hash_map<std::string, TaskClass> classes_;
  absl::flat_hash_map<std::string, v1::EnvEntry> entries_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_REGISTRY_H_
