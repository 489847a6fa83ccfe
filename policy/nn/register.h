// How a program adds networks and distributions of its own to those that a config can name.
//
// At the beginning of main, before anything else is called: the tables are not locked. A name that
// is there already is replaced.
#ifndef HIVEWIRE_POLICY_NN_REGISTER_H_
#define HIVEWIRE_POLICY_NN_REGISTER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "policy/nn/distribution.h"
#include "policy/nn/model.h"

namespace hivewire {

using ModelFactory = absl::StatusOr<std::unique_ptr<Model>> (*)(const v1::ModelConfig&,
                                                                const ModelShape&, at::Generator&);
using DistributionFactory = absl::StatusOr<std::unique_ptr<Distribution>> (*)(
    const v1::DistributionConfig&, const ActionSpace&);

// For model.type.
void RegisterModel(const std::string& name, ModelFactory factory);
// For distribution.type.
void RegisterDistribution(const std::string& name, DistributionFactory factory);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_REGISTER_H_
