#include "server/tasks/registry.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/nearest.h"
#include "base/textproto.h"
#include "server/tasks/common_options.h"
#include "server/tasks/spec_builder.h"

namespace hivewire {
namespace {

namespace fs = std::filesystem;

constexpr char kComposedClass[] = "composed";

absl::Status BadEntry(absl::string_view field, absl::string_view what) {
  return MakeError(v1::ERROR_REASON_BAD_MODEL, absl::StrCat(field, ": ", what), field);
}

std::string EnvNamed(absl::string_view id) { return absl::StrCat("env \"", id, "\""); }

bool IsIdCharacter(char c) {
  return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.' || c == '/' || c == ':';
}

template <typename Value>
std::vector<std::string> KeysOf(const std::map<std::string, Value>& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

// Turns `model`, which stands in a file of `folder`, into an absolute path. Symbolic links in an
// asset root are its owner's own and are followed.
absl::StatusOr<std::string> ResolveModelPath(const std::string& model, const fs::path& folder,
                                             const fs::path& root) {
  const fs::path path = (folder / model).lexically_normal();
  const fs::path inside = path.lexically_relative(root);
  if (inside.empty() || *inside.begin() == "..") {
    return BadEntry("composed.model",
                    absl::StrCat("\"", model, "\" leads out of the asset root, ", root.string()));
  }
  return path.string();
}

absl::StatusOr<std::vector<fs::path>> TextprotosBelow(const fs::path& root) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".textproto") paths.push_back(it->path());
  }
  if (error)
    return absl::NotFoundError(
        absl::StrCat("cannot read asset root ", root.string(), ": ", error.message()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string KeyOf(const std::string& env_id, const Options& options) {
  std::string key = env_id;
  for (const auto& [name, value] : options)
    absl::StrAppend(&key, "\n", name, "=", value.SerializeAsString());
  return key;
}

// Where in `file` the entry's field stands that `status` blames.
absl::Status AtLine(const absl::Status& status, const TextprotoFile& file, int entry) {
  return Annotate(status, file.Locate(absl::StrCat("envs[", entry, "].", FieldOf(status))));
}

}  // namespace

// Tasks that somebody holds, by id and resolved options.
struct Registry::Cache {
  using TaskOr = absl::StatusOr<std::shared_ptr<const Task>>;

  TaskOr Get(const std::string& key, absl::FunctionRef<TaskOr()> make)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (std::shared_ptr<const Task> held = tasks[key].lock()) return held;
    TaskOr task = make();
    if (task.ok()) tasks[key] = *task;
    std::erase_if(tasks, [](const auto& entry) { return entry.second.expired(); });
    return task;
  }

  Mutex mutex;
  std::map<std::string, std::weak_ptr<const Task>> tasks ABSL_GUARDED_BY(mutex);
};

Registry::Registry() : cache_(std::make_unique<Cache>()) {}
Registry::~Registry() = default;
Registry::Registry(Registry&&) = default;
Registry& Registry::operator=(Registry&&) = default;

absl::Status Registry::AddClass(TaskClass task_class) {
  const std::string name = task_class.name;
  for (const v1::OptionSpec& option : task_class.options) {
    for (const v1::OptionSpec& common : CommonOptions()) {
      if (option.name() == common.name())
        return absl::AlreadyExistsError(
            absl::StrCat("class ", name, ": every env has an option ", option.name()));
    }
  }
  if (!classes_.emplace(name, std::move(task_class)).second)
    return absl::AlreadyExistsError(absl::StrCat("two task classes are named ", name));
  return absl::OkStatus();
}

absl::Status Registry::AddEntry(v1::EnvEntry entry) {
  if (entry.id().empty() || !std::all_of(entry.id().begin(), entry.id().end(), IsIdCharacter)) {
    return BadEntry(
        "id", absl::StrCat("\"", entry.id(), "\" is not made of letters, digits and _ - . / :"));
  }
  const std::string env = EnvNamed(entry.id());
  if (entries_.contains(entry.id()))
    return absl::AlreadyExistsError(absl::StrCat("two envs have the id ", entry.id()));
  if (!entry.variant_of().empty()) {
    const auto base = entries_.find(entry.variant_of());
    if (base == entries_.end())
      return Annotate(
          BadEntry("variant_of", absl::StrCat("no env above is named \"", entry.variant_of(), "\"",
                                              NearestHint(entry.variant_of(), KeysOf(entries_)))),
          env);
    v1::EnvEntry whole = base->second;
    whole.MergeFrom(entry);
    whole.clear_variant_of();
    entry = std::move(whole);
  }
  if (entry.task().empty() && entry.has_composed()) entry.set_task(kComposedClass);
  if (entry.has_composed() != (entry.task() == kComposedClass))
    return Annotate(BadEntry("task", "composed and only it needs the field `composed`"), env);
  const auto task_class = classes_.find(entry.task());
  if (task_class == classes_.end())
    return Annotate(BadEntry("task", absl::StrCat("unknown class \"", entry.task(), "\"",
                                                  NearestHint(entry.task(), KeysOf(classes_)))),
                    env);
  if (entry.max_episode_steps() < 0)
    return Annotate(BadEntry("max_episode_steps",
                             absl::StrCat(entry.max_episode_steps(), " is below 0 (no limit)")),
                    env);
  const auto typed = ResolveOptions(OptionsOfEntry({}, task_class->second.options),
                                    {entry.options().begin(), entry.options().end()});
  if (!typed.ok()) return Annotate(typed.status(), env);
  for (auto& [name, value] : *entry.mutable_options()) value = typed->at(name);
  entries_.emplace(entry.id(), std::move(entry));
  return absl::OkStatus();
}

absl::Status Registry::AddFile(const std::string& name, const std::string& text) {
  v1::EnvFile envs;
  const auto file = TextprotoFile::Parse(name, text, envs);
  if (!file.ok()) return file.status();
  for (int i = 0; i < envs.envs_size(); ++i) {
    const absl::Status status = AddEntry(envs.envs(i));
    if (!status.ok()) return AtLine(status, *file, i);
  }
  return absl::OkStatus();
}

absl::Status Registry::AddAssetRoot(const std::string& directory) {
  std::error_code error;
  const fs::path root = fs::absolute(directory, error).lexically_normal();
  if (error || !fs::is_directory(root, error)) {
    return absl::NotFoundError(absl::StrCat("asset root ", directory, " is no folder"));
  }
  const auto paths = TextprotosBelow(root);
  if (!paths.ok()) return paths.status();
  for (const fs::path& path : *paths) {
    v1::EnvFile envs;
    const auto file = TextprotoFile::Read(path.string(), envs);
    if (!file.ok()) return file.status();
    for (int i = 0; i < envs.envs_size(); ++i) {
      v1::EnvEntry& entry = *envs.mutable_envs(i);
      if (entry.has_composed() && !entry.composed().model().empty()) {
        auto model = ResolveModelPath(entry.composed().model(), path.parent_path(), root);
        if (!model.ok()) return AtLine(Annotate(model.status(), EnvNamed(entry.id())), *file, i);
        entry.mutable_composed()->set_model(*std::move(model));
      }
      absl::Status status = AddEntry(entry);
      if (status.ok()) status = Make(entry.id(), {}).status();
      if (!status.ok()) return AtLine(status, *file, i);
    }
  }
  return absl::OkStatus();
}

std::vector<const v1::EnvEntry*> Registry::entries() const {
  std::vector<const v1::EnvEntry*> entries;
  for (const auto& [id, entry] : entries_) entries.push_back(&entry);
  return entries;
}

absl::StatusOr<std::shared_ptr<const Task>> Registry::Make(absl::string_view env_id,
                                                           const Options& options) const {
  const auto found = entries_.find(std::string(env_id));
  if (found == entries_.end())
    return MakeError(v1::ERROR_REASON_UNKNOWN_ENV,
                     absl::StrCat("unknown env \"", Excerpt(env_id), "\"",
                                  NearestHint(env_id, KeysOf(entries_))),
                     "env_id", Excerpt(env_id));
  const v1::EnvEntry& entry = found->second;
  const TaskClass& task_class = classes_.at(entry.task());
  const auto resolved = ResolveOptions(OptionsOfEntry(entry, task_class.options), options);
  if (!resolved.ok()) return Annotate(resolved.status(), EnvNamed(env_id));

  // What all envs have in common does not concern the class: it makes one task for all of that.
  Options common, own = *resolved;
  for (const v1::OptionSpec& spec : CommonOptions()) {
    if (auto option = own.extract(spec.name())) common.insert(std::move(option));
  }
  // Held while the task is made, so that a model is compiled once however many ask for it.
  MutexLock lock(cache_->mutex);
  auto task = cache_->Get(KeyOf(entry.id(), own), [&] { return task_class.make(entry, own); });
  if (task.ok()) {
    task = cache_->Get(KeyOf(entry.id(), *resolved),
                       [&] { return ApplyCommonOptions(*task, common); });
  }
  if (!task.ok()) return Annotate(task.status(), EnvNamed(env_id));
  return task;
}

}  // namespace hivewire
