#include "policy/config/config.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/error.h"
#include "base/textproto.h"
#include "policy/config/merge.h"
#include "policy/config/overrides.h"
#include "policy/config/presets.h"
#include "policy/nn/architecture.h"

namespace hivewire {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsSingleMessage(const FieldDescriptor& field) {
  return !field.is_repeated() && field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

void FillDefaults(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->is_repeated()) continue;
    if (IsSingleMessage(*field)) {
      // Of a oneof only the chosen member; a Value has no defaults.
      if (field->containing_oneof() == nullptr || reflection.HasField(message, field)) {
        FillDefaults(*reflection.MutableMessage(&message, field));
      }
      continue;
    }
    if (!field->has_default_value() || reflection.HasField(message, field)) continue;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        reflection.SetInt32(&message, field, field->default_value_int32());
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&message, field, field->default_value_int64());
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection.SetUInt64(&message, field, field->default_value_uint64());
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection.SetDouble(&message, field, field->default_value_double());
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&message, field, field->default_value_bool());
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        reflection.SetString(&message, field, field->default_value_string());
        break;
      default:  // No field of LearnerConfig has another type.
        break;
    }
  }
}

// The layers but the preset, over `config`.
absl::Status MergeOwn(const ConfigSources& sources, v1::LearnerConfig& config) {
  if (!sources.file.empty()) {
    v1::LearnerConfig file;
    absl::Status status = TextprotoFile::Read(sources.file, file).status();
    if (!status.ok()) return status;
    MergeConfig(file, config);
  }
  for (const std::string& assignment : sources.overrides) {
    absl::Status status = ApplyOverride(assignment, config);
    if (!status.ok()) return Annotate(status, "--set " + assignment);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::LearnerConfig> LoadConfig(const ConfigSources& sources) {
  v1::LearnerConfig config;
  for (absl::string_view name : absl::StrSplit(sources.preset, ',', absl::SkipEmpty())) {
    std::string preset(name);
    if (preset == kRecommended) {
      // Which it is follows from the env, which the layers above name.
      v1::LearnerConfig own;
      if (absl::Status status = MergeOwn(sources, own); !status.ok()) return status;
      absl::StatusOr<std::string> recommended = RecommendedPreset(own.env().id());
      if (!recommended.ok()) return recommended.status();
      preset = *std::move(recommended);
    }
    if (absl::Status status = MergePreset(preset, config); !status.ok()) return status;
  }
  if (absl::Status status = MergeOwn(sources, config); !status.ok()) return status;
  return WithDefaults(config);
}

v1::LearnerConfig WithDefaults(const v1::LearnerConfig& config) {
  v1::LearnerConfig filled = config;
  if (filled.algorithm_case() == v1::LearnerConfig::ALGORITHM_NOT_SET) filled.mutable_ppo();
  FillDefaults(filled);
  // A name that is none stays as it is: the model tells of it.
  ResolveArchitecture(*filled.mutable_model()).IgnoreError();
  const int64_t frames = filled.collection().frames_per_batch();
  if (frames > 0 && filled.env().num_envs() > 0 && filled.has_ppo()) {
    filled.mutable_ppo()->set_rollout_steps(static_cast<int>(frames / filled.env().num_envs()));
  }
  return filled;
}

absl::Status ValidateConfig(const v1::LearnerConfig& config) {
  const auto check = [](bool good, absl::string_view field, auto value,
                        absl::string_view accepted) -> absl::Status {
    if (good) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, "; it can be ", accepted));
  };
  if (config.env().id().empty()) {
    return absl::InvalidArgumentError(
        "env.id is empty: name an env with --env=ID, or choose a preset");
  }
  // Where others have the lanes, a server is needed for evaluations alone.
  const bool needs_server =
      config.collection().mode() != kCollectors || config.evaluation().episodes() > 0;
  if (needs_server && config.env().server().empty()) {
    return absl::InvalidArgumentError(
        "env.server is empty: name one with --server=unix:/path or --server=tcp:host:port");
  }
  const v1::EnvConfig& env = config.env();
  const v1::CollectionConfig& collection = config.collection();
  const v1::NormalizationConfig& normalization = config.normalization();
  for (const absl::Status& status : {
           check(env.num_envs() >= 1, "env.num_envs", env.num_envs(), "1 or more"),
           check(env.step_timeout() > 0, "env.step_timeout", env.step_timeout(),
                 "any positive number of seconds"),
           check(collection.total_frames() >= 1, "collection.total_frames",
                 collection.total_frames(), "1 or more"),
           check(collection.groups() == 1 || collection.groups() == 2, "collection.groups",
                 collection.groups(), "1 or 2"),
           check(collection.mode() == kSteps || collection.mode() == kCollectors ||
                     collection.mode() == kRemotePolicy,
                 "collection.mode", absl::StrCat("\"", collection.mode(), "\""),
                 "steps, collectors or remote-policy"),
           check(normalization.init_stats() >= 0 &&
                     normalization.init_stats() < collection.total_frames(),
                 "normalization.init_stats", normalization.init_stats(),
                 "0 … collection.total_frames - 1"),
           check(normalization.init_stats() == 0 || normalization.observation(),
                 "normalization.init_stats", normalization.init_stats(),
                 "0 where normalization.observation is false"),
           check(collection.mode() != kRemotePolicy || config.transforms().empty(), "transforms",
                 absl::StrCat("a chain of ", config.transforms_size()),
                 "empty with collection.mode remote-policy: env servers show what they have"),
           check(collection.init_random_frames() >= 0 &&
                     collection.init_random_frames() < collection.total_frames(),
                 "collection.init_random_frames", collection.init_random_frames(),
                 "0 … collection.total_frames - 1"),
           check(collection.frames_per_batch() >= 0 && env.num_envs() >= 1 &&
                     collection.frames_per_batch() % env.num_envs() == 0,
                 "collection.frames_per_batch", collection.frames_per_batch(),
                 absl::StrCat("0, or a multiple of env.num_envs (", env.num_envs(), ")")),
           check(collection.max_frames_per_traj() >= 0, "collection.max_frames_per_traj",
                 collection.max_frames_per_traj(), "0 (env.max_episode_steps) or more"),
           check(std::isfinite(normalization.reward_scale()), "normalization.reward_scale",
                 normalization.reward_scale(), "any number"),
           check(normalization.observation_clip() > 0, "normalization.observation_clip",
                 normalization.observation_clip(), "any positive number"),
           check(normalization.reward_clip() > 0, "normalization.reward_clip",
                 normalization.reward_clip(), "any positive number"),
           check(config.evaluation().episodes() >= 0, "evaluation.episodes",
                 config.evaluation().episodes(), "0 (no evaluation) or more"),
           check(config.evaluation().interval() >= 0, "evaluation.interval",
                 config.evaluation().interval(), "0 (at the end only) or more"),
           check(config.evaluation().num_envs() >= 1, "evaluation.num_envs",
                 config.evaluation().num_envs(), "1 or more"),
           check(config.checkpoint().interval() >= 0, "checkpoint.interval",
                 config.checkpoint().interval(), "0 (at the end only) or more"),
           check(config.checkpoint().keep() >= 1, "checkpoint.keep", config.checkpoint().keep(),
                 "1 or more"),
           check(!config.output().folder().empty(), "output.folder", "empty", "a folder's path"),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hivewire
