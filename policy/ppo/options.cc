#include "policy/ppo/options.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/nearest.h"
#include "policy/nn/architecture.h"
#include "policy/nn/named.h"

namespace hivewire {
namespace {

// Collects the first complaint.
class Checks {
 public:
  template <typename Value>
  void Take(bool good, absl::string_view field, Value value, absl::string_view accepted) {
    if (good || !status_.ok()) return;
    status_ = absl::InvalidArgumentError(
        absl::StrCat("ppo.", field, " is ", value, "; it can be ", accepted));
  }

  void TakeName(absl::string_view field, const std::string& value,
                const std::vector<std::string>& known) {
    if (status_.ok()) status_ = CheckName(absl::StrCat("ppo.", field), value, known);
  }

  absl::Status status() const { return status_; }

 private:
  absl::Status status_;
};

}  // namespace

absl::Status CheckPpoConfig(const v1::LearnerConfig& config) {
  const v1::PpoConfig& ppo = config.ppo();
  const auto positive = [](double x) { return x > 0 && std::isfinite(x); };
  const auto share = [](double x) { return x >= 0 && x <= 1; };
  const auto not_negative = [](double x) { return x >= 0 && std::isfinite(x); };
  if (config.threads() < 1 || config.threads() > 1024) {
    return absl::InvalidArgumentError(
        absl::StrCat("threads is ", config.threads(), "; it can be 1 … 1024"));
  }
  Checks checks;
  checks.Take(ppo.rollout_steps() >= 1, "rollout_steps", ppo.rollout_steps(), "1 or more");
  checks.Take(ppo.epochs() >= 1, "epochs", ppo.epochs(), "1 or more");
  checks.Take(ppo.minibatch_size() >= 2, "minibatch_size", ppo.minibatch_size(), "2 or more");
  checks.Take(positive(ppo.learning_rate()), "learning_rate", ppo.learning_rate(),
              "any positive number");
  checks.TakeName("learning_rate_schedule", ppo.learning_rate_schedule(),
                  {"constant", "linear", "exponential", "kl-adaptive"});
  checks.Take(share(ppo.learning_rate_decay()) && ppo.learning_rate_decay() > 0,
              "learning_rate_decay", ppo.learning_rate_decay(), "above 0, to 1");
  checks.Take(positive(ppo.kl_target()), "kl_target", ppo.kl_target(), "any positive number");
  checks.Take(positive(ppo.min_learning_rate()), "min_learning_rate", ppo.min_learning_rate(),
              "any positive number");
  checks.Take(
      ppo.max_learning_rate() >= ppo.min_learning_rate() && positive(ppo.max_learning_rate()),
      "max_learning_rate", ppo.max_learning_rate(), "min_learning_rate or more");
  checks.Take(share(ppo.gamma()), "gamma", ppo.gamma(), "0 … 1");
  checks.Take(share(ppo.gae_lambda()), "gae_lambda", ppo.gae_lambda(), "0 … 1");
  checks.Take(positive(ppo.clip()), "clip", ppo.clip(), "any positive number");
  checks.TakeName("clip_scope", ppo.clip_scope(), {"action", "element"});
  const v1::CollectionConfig& collection = config.collection();
  checks.Take(ppo.clip_scope() != "element" || collection.mode() != "collectors" ||
                  collection.synchronous(),
              "clip_scope", "\"element\"",
              "\"action\" where collection.synchronous is false: asynchronous collectors tell how "
              "likely a whole action was");
  checks.Take(not_negative(ppo.value_coefficient()), "value_coefficient", ppo.value_coefficient(),
              "0 or more");
  checks.Take(std::isfinite(ppo.entropy_coefficient()), "entropy_coefficient",
              ppo.entropy_coefficient(), "any number");
  checks.TakeName("entropy_schedule", ppo.entropy_schedule(), {"constant", "linear"});
  checks.Take(std::isfinite(ppo.final_entropy_coefficient()), "final_entropy_coefficient",
              ppo.final_entropy_coefficient(), "any number");
  checks.Take(not_negative(ppo.max_grad_norm()), "max_grad_norm", ppo.max_grad_norm(),
              "0 (no limit) or more");
  checks.Take(not_negative(ppo.target_kl()), "target_kl", ppo.target_kl(), "0 (never) or more");
  checks.Take(not_negative(ppo.kl_coefficient()), "kl_coefficient", ppo.kl_coefficient(),
              "0 or more");
  checks.TakeName("advantage_scope", ppo.advantage_scope(), {"minibatch", "rollout"});
  checks.Take(ppo.max_rollout_bytes() >= 1, "max_rollout_bytes", ppo.max_rollout_bytes(),
              "1 or more");
  checks.Take(ppo.tbptt_steps() >= 1, "tbptt_steps", ppo.tbptt_steps(), "1 or more");
  if (IsRecurrent(config.model()) && ppo.tbptt_steps() >= 1) {
    checks.Take(ppo.minibatch_size() % ppo.tbptt_steps() == 0, "minibatch_size",
                ppo.minibatch_size(),
                absl::StrCat("a multiple of tbptt_steps (", ppo.tbptt_steps(),
                             ") where the model is recurrent"));
  }
  return checks.status();
}

absl::Status CheckRolloutSize(const v1::PpoConfig& ppo, const Problem& problem) {
  const double row = static_cast<double>(problem.observation_dim) * sizeof(float);
  const double bytes = row * (ppo.rollout_steps() + 1.0) * problem.num_lanes;
  if (bytes <= static_cast<double>(ppo.max_rollout_bytes())) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrFormat(
      "a rollout of ppo.rollout_steps %d of %d lanes (env.num_envs), %.0f bytes an observation, "
      "takes "
      "%.0f bytes; ppo.max_rollout_bytes is %d. Take fewer steps or lanes, or smaller images",
      ppo.rollout_steps(), problem.num_lanes, row, bytes, ppo.max_rollout_bytes()));
}

absl::StatusOr<std::vector<int64_t>> PolicyColumnsOf(const v1::ModelConfig& config,
                                                     const Problem& problem) {
  std::vector<std::string> known;
  for (const ObservationLeaf& leaf : problem.observation_leaves) known.push_back(leaf.name);
  const auto& kept = config.critic_only_leaves();
  for (const std::string& name : kept) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("model.critic_only_leaves has \"", name, "\"", NearestHint(name, known)));
    }
  }
  std::vector<int64_t> columns;
  if (kept.empty()) return columns;
  int64_t column = 0;
  for (const ObservationLeaf& leaf : problem.observation_leaves) {
    const bool hidden = std::find(kept.begin(), kept.end(), leaf.name) != kept.end();
    for (int i = 0; i < leaf.size; ++i, ++column) {
      if (!hidden) columns.push_back(column);
    }
  }
  if (!columns.empty()) return columns;
  return absl::InvalidArgumentError(
      "model.critic_only_leaves has every leaf; the policy must see something");
}

}  // namespace hivewire
