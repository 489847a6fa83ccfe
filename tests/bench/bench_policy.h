// The policy that benches publish: of the size that learners use for such envs.
#ifndef HIVEWIRE_TESTS_BENCH_BENCH_POLICY_H_
#define HIVEWIRE_TESTS_BENCH_BENCH_POLICY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "hivewire/v1/policy.pb.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

// Actor and critic with random weights and tanh layers as wide as `hidden` says. INVALID_ARGUMENT
// for an env with more than one flat observation leaf or one action leaf.
absl::StatusOr<v1::Policy> BenchPolicy(const v1::EnvSpec& spec,
                                       const std::vector<uint32_t>& hidden = {64, 64});

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_BENCH_POLICY_H_
