// learner export.
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/checkpoint_choice.h"
#include "policy/commands.h"
#include "policy/nn/torch_script.h"
#include "policy/trained_policy.h"

namespace hivewire {
namespace {

constexpr char kTorchScript[] = ".pt";
constexpr char kProto[] = ".binpb";

}  // namespace

absl::Status Export(const ExportOptions& options) {
  const bool torch_script = absl::EndsWith(options.file, kTorchScript);
  if (!torch_script && !absl::EndsWith(options.file, kProto)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--file is \"", options.file, "\"; its name can end with ", kTorchScript,
                     " (TorchScript) or ", kProto, " (a hivewire.v1.Policy)"));
  }
  absl::StatusOr<CheckpointChoice> choice =
      ChooseCheckpoint(options.policy.target, options.policy.checkpoint, options.policy.runs);
  if (!choice.ok()) return choice.status();
  absl::StatusOr<TrainedPolicy> trained =
      LoadTrainedPolicy(choice->paths[0], options.policy.overrides, 1, options.policy.reach);
  if (!trained.ok()) return trained.status();
  if (!torch_script && !trained->config.transforms().empty()) {
    return absl::InvalidArgumentError(
        "a Policy has no room for the run's transforms; write TorchScript (.pt), which takes what "
        "they give");
  }
  absl::StatusOr<v1::Policy> policy = trained->algorithm->Export();
  if (!policy.ok()) return policy.status();
  policy->set_version(1);
  for (const v1::LayoutLeaf& leaf : trained->env->observation_leaves()) {
    policy->add_observation_leaves(leaf.name());
  }
  *policy->add_action() = ActionLeaf(*trained->env);
  if (trained->normalizer != nullptr) {
    *policy->mutable_observation_normalizer() = trained->normalizer->Export();
  }

  std::string bytes = policy->SerializeAsString();
  if (torch_script) {
    absl::StatusOr<std::string> script = TorchScript(*policy);
    if (!script.ok()) return script.status();
    bytes = *std::move(script);
  }
  if (absl::Status status = WriteFileAtomically(options.file, {bytes}); !status.ok()) return status;
  std::printf("%s\n", options.file.c_str());
  return absl::OkStatus();
}

}  // namespace hivewire
