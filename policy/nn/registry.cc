// Every model and distribution that a config can name.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "base/nearest.h"
#include "policy/nn/actor_critic.h"
#include "policy/nn/beta.h"
#include "policy/nn/categorical.h"
#include "policy/nn/distribution.h"
#include "policy/nn/gaussian.h"
#include "policy/nn/model.h"
#include "policy/nn/multi_categorical.h"
#include "policy/nn/tanh_gaussian.h"

namespace hivewire {
namespace {

template <typename Factory>
struct Entry {
  const char* name;
  Factory factory;
};

using ModelFactory = absl::StatusOr<std::unique_ptr<Model>> (*)(const v1::ModelConfig&,
                                                                const ModelShape&, at::Generator&);
using DistributionFactory = absl::StatusOr<std::unique_ptr<Distribution>> (*)(
    const v1::DistributionConfig&, const ActionSpace&);

constexpr Entry<ModelFactory> kModels[] = {
    {"mlp", MakeActorCritic},
    {"gru", MakeActorCritic},
    {"lstm", MakeActorCritic},
    {"rnn", MakeActorCritic},
};

constexpr Entry<DistributionFactory> kDistributions[] = {
    {"beta", MakeBeta},
    {"beta-mean", MakeBetaMean},
    {"categorical", MakeCategorical},
    {"gaussian", MakeGaussian},
    {"multi-categorical", MakeMultiCategorical},
    {"tanh-gaussian", MakeTanhGaussian},
};

template <typename Factory>
absl::StatusOr<Factory> Find(absl::Span<const Entry<Factory>> entries, absl::string_view field,
                             const std::string& name) {
  std::vector<std::string> names;
  for (const Entry<Factory>& entry : entries) {
    if (name == entry.name) return entry.factory;
    names.push_back(entry.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is \"", name, "\"", NearestHint(name, names)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeModel(const v1::ModelConfig& config,
                                                 const ModelShape& shape,
                                                 at::Generator& generator) {
  absl::StatusOr<ModelFactory> factory = Find<ModelFactory>(kModels, "model.type", config.type());
  if (!factory.ok()) return factory.status();
  return (*factory)(config, shape, generator);
}

absl::StatusOr<std::unique_ptr<Distribution>> MakeDistribution(const v1::DistributionConfig& config,
                                                               const ActionSpace& action) {
  std::string type = config.type();
  if (type == "auto") {
    const bool single = action.dim() == 1;
    type = !action.discrete() ? "gaussian" : single ? "categorical" : "multi-categorical";
  }
  absl::StatusOr<DistributionFactory> factory =
      Find<DistributionFactory>(kDistributions, "distribution.type", type);
  if (!factory.ok()) return factory.status();
  return (*factory)(config, action);
}

}  // namespace hivewire
