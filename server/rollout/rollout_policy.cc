#include "server/rollout/rollout_policy.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/elements.h"
#include "base/error.h"
#include "base/layout.h"

namespace hivewire {
namespace {

absl::Status Bad(absl::string_view field, absl::string_view value, absl::string_view problem) {
  return MakeError(v1::ERROR_REASON_BAD_POLICY, absl::StrCat(field, ": ", value, problem), field,
                   value);
}

// What makes an action of one leaf one of another.
std::string Essence(const v1::LeafSpec& leaf) {
  std::string essence = absl::StrCat("\"", leaf.name(), "\" ", v1::DType_Name(leaf.dtype()), " [",
                                     absl::StrJoin(leaf.shape(), ", "), "]");
  if (leaf.cardinality() != 0) {
    absl::StrAppend(&essence, ", ", leaf.cardinality(), " choices from ", leaf.start());
  } else {
    absl::StrAppend(&essence, ", low [", absl::StrJoin(leaf.low(), ", "), "], high [",
                    absl::StrJoin(leaf.high(), ", "), "]");
  }
  return essence;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const RolloutPolicy>> RolloutPolicy::Fit(
    std::shared_ptr<const PortablePolicy> policy, const PoolSpec& spec) {
  const v1::EnvSpec& env = spec.description().spec();
  auto fitted = std::shared_ptr<RolloutPolicy>(new RolloutPolicy);
  size_t elements = 0;
  for (const std::string& name : policy->observation_leaves()) {
    const auto leaf = std::find_if(
        spec.observation().begin(), spec.observation().end(), [&](const RowLeaf& of_pool) {
          return env.observation(static_cast<int>(of_pool.task_leaf)).name() == name;
        });
    if (leaf == spec.observation().end()) {
      const std::string known =
          absl::StrJoin(spec.observation(), ", ", [&](std::string* out, const RowLeaf& of_pool) {
            absl::StrAppend(out, env.observation(static_cast<int>(of_pool.task_leaf)).name());
          });
      return Bad("observation_leaves", absl::StrCat("\"", name, "\""),
                 absl::StrCat(" is no observation leaf that this pool sends; there are: ", known));
    }
    elements += leaf->elements;
    fitted->observation_.push_back(*leaf);
  }
  if (elements != policy->observation_dim()) {
    return Bad(
        "actor[0].inputs", absl::StrCat(policy->observation_dim()),
        absl::StrCat(" where the pool's leaves ", absl::StrJoin(policy->observation_leaves(), ", "),
                     " have ", elements, " elements"));
  }
  if (policy->action().size() != env.action_size()) {
    return Bad("action", absl::StrCat(policy->action().size()),
               absl::StrCat(" leaves where the pool has ", env.action_size()));
  }
  for (int k = 0; k < env.action_size(); ++k) {
    const std::string own = Essence(policy->action()[k]);
    const std::string pool = Essence(env.action(k));
    if (own != pool) {
      return Bad(absl::StrCat("action[", k, "]"), own, absl::StrCat(" where the pool has ", pool));
    }
    fitted->action_.push_back({env.action(k).dtype(), NumElements(env.action(k).shape())});
  }
  fitted->policy_ = std::move(policy);
  return fitted;
}

void RolloutPolicy::Observe(const char* row, float* observation) const {
  for (const RowLeaf& leaf : observation_)
    observation = ReadElements(leaf.dtype, row + leaf.offset, leaf.elements, observation);
}

void RolloutPolicy::WriteAction(const double* action, char* to) const {
  for (const ActionLeaf& leaf : action_) {
    to = WriteElements(leaf.dtype, action, leaf.elements, to);
    action += leaf.elements;
  }
}

}  // namespace hivewire
