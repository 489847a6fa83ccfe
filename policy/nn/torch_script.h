// A policy as a TorchScript module, for programs that have torch and nothing of ours.
//
//   module = torch.jit.load("policy.pt")
//   actions = module(observations)          # (rows, observation_dim) float32, as envs show them
//
// forward gives what an evaluation without noise sends: (rows, dim) float32 of boxes, (rows) or
// (rows, dim) int64 of choices. `outputs` gives what the policy's network does (means, logits),
// `value` what its critic does, where it has one. Normalisation is inside.
//
// A policy that remembers takes and gives what it remembers, (rows, memory width) float32, all 0
// where an episode starts; `outputs` alike:
//
//   memory = module.no_memory(rows)
//   actions, memory = module(observations, memory)
#ifndef HIVEWIRE_POLICY_NN_TORCH_SCRIPT_H_
#define HIVEWIRE_POLICY_NN_TORCH_SCRIPT_H_

#include <string>

#include "absl/status/statusor.h"
#include "hivewire/v1/policy.pb.h"

namespace hivewire {

// The bytes of the module's file. Refuses what PortablePolicy::Create refuses.
absl::StatusOr<std::string> TorchScript(const v1::Policy& policy);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_TORCH_SCRIPT_H_
