#include "server/rollout/rollout_policy.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "base/layout.h"

namespace hivewire {
namespace {

absl::Status Bad(absl::string_view field, absl::string_view value, absl::string_view problem) {
  return MakeError(v1::ERROR_REASON_BAD_POLICY, absl::StrCat(field, ": ", value, problem), field,
                   value);
}

template <typename T>
float* ReadAs(const char* from, size_t count, float* to) {
  for (size_t k = 0; k < count; ++k) {
    T value;
    std::memcpy(&value, from + k * sizeof(T), sizeof(T));
    *to++ = static_cast<float>(value);
  }
  return to;
}

float* ReadFloats(v1::DType dtype, const char* from, size_t count, float* to) {
  switch (dtype) {
    case v1::DTYPE_FLOAT32:
      return ReadAs<float>(from, count, to);
    case v1::DTYPE_FLOAT64:
      return ReadAs<double>(from, count, to);
    case v1::DTYPE_INT32:
      return ReadAs<int32_t>(from, count, to);
    case v1::DTYPE_INT64:
      return ReadAs<int64_t>(from, count, to);
    case v1::DTYPE_UINT64:
      return ReadAs<uint64_t>(from, count, to);
    default:
      return ReadAs<uint8_t>(from, count, to);
  }
}

template <typename T>
char* WriteAs(const double* from, size_t count, char* to) {
  for (size_t k = 0; k < count; ++k) {
    const T value = static_cast<T>(from[k]);
    std::memcpy(to, &value, sizeof(T));
    to += sizeof(T);
  }
  return to;
}

char* WriteNumbers(v1::DType dtype, const double* from, size_t count, char* to) {
  switch (dtype) {
    case v1::DTYPE_FLOAT32:
      return WriteAs<float>(from, count, to);
    case v1::DTYPE_FLOAT64:
      return WriteAs<double>(from, count, to);
    case v1::DTYPE_INT32:
      return WriteAs<int32_t>(from, count, to);
    case v1::DTYPE_INT64:
      return WriteAs<int64_t>(from, count, to);
    case v1::DTYPE_UINT64:
      return WriteAs<uint64_t>(from, count, to);
    default:
      return WriteAs<uint8_t>(from, count, to);
  }
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
    observation = ReadFloats(leaf.dtype, row + leaf.offset, leaf.elements, observation);
}

void RolloutPolicy::WriteAction(const double* action, char* to) const {
  for (const ActionLeaf& leaf : action_) {
    to = WriteNumbers(leaf.dtype, action, leaf.elements, to);
    action += leaf.elements;
  }
}

}  // namespace hivewire
