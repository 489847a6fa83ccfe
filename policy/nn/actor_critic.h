// The models that are built in: "mlp", a perceptron for the policy and one for the value, and
// "rnn", "lstm" and "gru", which have a recurrent layer before the last; apart or on a common
// trunk.
#ifndef HIVEWIRE_POLICY_NN_ACTOR_CRITIC_H_
#define HIVEWIRE_POLICY_NN_ACTOR_CRITIC_H_

#include <memory>

#include "absl/status/statusor.h"
#include "policy/nn/model.h"

namespace hivewire {

absl::StatusOr<std::unique_ptr<Model>> MakeActorCritic(const v1::ModelConfig& config,
                                                       const ModelShape& shape,
                                                       at::Generator& generator);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_ACTOR_CRITIC_H_
