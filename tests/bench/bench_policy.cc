#include "tests/bench/bench_policy.h"

#include "policy/portable/testing/random_policy.h"

namespace hivewire {

absl::StatusOr<v1::Policy> BenchPolicy(const v1::EnvSpec& spec,
                                       const std::vector<uint32_t>& hidden) {
  if (spec.observation_size() != 1 || spec.observation(0).shape_size() != 1 ||
      spec.action_size() != 1) {
    return absl::InvalidArgumentError("--env: takes one flat observation and one action leaf");
  }
  RandomPolicyOptions options;
  options.observation_dim = static_cast<uint32_t>(spec.observation(0).shape(0));
  options.leaves = {spec.observation(0).name()};
  options.hidden = hidden;
  if (spec.action(0).cardinality() > 0) options.head = v1::ActionHead::KIND_CATEGORICAL;
  v1::Policy policy = RandomPolicy(options, spec.action());
  policy.mutable_head()->set_clip_to_box(options.head == v1::ActionHead::KIND_GAUSSIAN);
  return policy;
}

}  // namespace hivewire
