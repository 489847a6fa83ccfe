// The env ids that a server offers, and how each becomes a Task.
//
// An id is data: an EnvEntry (config.proto) names a task class and its parameters. Built-in entries
// are textprotos embedded in the binary; more come from the server's asset roots.
//
// Filled at start, then only read: thread-safe from then on.
#ifndef HIVEWIRE_SERVER_TASKS_REGISTRY_H_
#define HIVEWIRE_SERVER_TASKS_REGISTRY_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/config.pb.h"
#include "server/tasks/task.h"

namespace hivewire {

// Makes a Task of one class from an entry and the options of one pool. The options are resolved:
// typed as the OptionSpecs say, and present unless the spec has no default.
struct TaskClass {
  std::string name;  // "gymnasium.Ant"
  // With the class's defaults; an entry may replace these.
  std::vector<v1::OptionSpec> options;
  std::function<absl::StatusOr<std::shared_ptr<const Task>>(const v1::EnvEntry& entry,
                                                            const Options& options)>
      make;
};

class Registry {
 public:
  // Every suite of this repository. Linked from //server/tasks:builtin.
  static absl::StatusOr<Registry> Builtin();

  Registry();
  ~Registry();
  Registry(Registry&&);
  Registry& operator=(Registry&&);

  // ALREADY_EXISTS for a name or id that is taken; INVALID_ARGUMENT (BAD_MODEL) naming the field of
  // an entry that is wrong. An entry that has `composed` need not name its class.
  absl::Status AddClass(TaskClass task_class);
  absl::Status AddEntry(v1::EnvEntry entry);

  // Adds every entry of an EnvFile in textproto; `name` is for messages, which name line and field.
  absl::Status AddFile(const std::string& name, const std::string& text);

  // Adds every *.textproto (an EnvFile) below `directory`, in alphabetical order, and makes each of
  // its envs once, so that a mistake shows here. Paths in a file are relative to it and may not
  // lead out of `directory`. Errors name file, line and field.
  absl::Status AddAssetRoot(const std::string& directory);

  // In alphabetical order of their ids.
  std::vector<const v1::EnvEntry*> entries() const;

  // NOT_FOUND (UNKNOWN_ENV) with the nearest ids; INVALID_ARGUMENT (BAD_OPTION) for an option that
  // is unknown (with the nearest names), ill-typed or out of range. Equal (id, options) give the
  // same Task object while somebody holds it, so its model is compiled once.
  absl::StatusOr<std::shared_ptr<const Task>> Make(absl::string_view env_id,
                                                   const Options& options) const;

 private:
  struct Cache;

  std::map<std::string, TaskClass> classes_;
  std::map<std::string, v1::EnvEntry> entries_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_REGISTRY_H_
