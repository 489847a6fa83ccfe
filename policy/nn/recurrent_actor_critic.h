// The models "rnn", "lstm" and "gru": dense layers, then a recurrent one, then a policy and a
// value; apart or on a common trunk.
#ifndef HIVEWIRE_POLICY_NN_RECURRENT_ACTOR_CRITIC_H_
#define HIVEWIRE_POLICY_NN_RECURRENT_ACTOR_CRITIC_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/nn/model.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Model>> MakeRecurrentActorCritic(const v1::ModelConfig& config,
                                                                const ModelShape& shape,
                                                                at::Generator& generator);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_RECURRENT_ACTOR_CRITIC_H_
