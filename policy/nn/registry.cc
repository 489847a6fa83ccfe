// Every model and distribution that a config can name.
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "policy/nn/actor_critic.h"
#include "policy/nn/beta.h"
#include "policy/nn/categorical.h"
#include "policy/nn/distribution.h"
#include "policy/nn/gaussian.h"
#include "policy/nn/model.h"
#include "policy/nn/multi_categorical.h"
#include "policy/nn/named.h"
#include "policy/nn/register.h"
#include "policy/nn/tanh_gaussian.h"

namespace hivewire {
namespace {

template <typename Factory>
using Table = std::map<std::string, Factory>;

Table<ModelFactory>& Models() {
  static auto* const models = new Table<ModelFactory>{
      {"mlp", MakeActorCritic},
      {"gru", MakeActorCritic},
      {"lstm", MakeActorCritic},
      {"rnn", MakeActorCritic},
  };
  return *models;
}

Table<DistributionFactory>& Distributions() {
  static auto* const distributions = new Table<DistributionFactory>{
      {"beta", MakeBeta},
      {"beta-mean", MakeBetaMean},
      {"categorical", MakeCategorical},
      {"gaussian", MakeGaussian},
      {"multi-categorical", MakeMultiCategorical},
      {"tanh-gaussian", MakeTanhGaussian},
  };
  return *distributions;
}

template <typename Factory>
absl::StatusOr<Factory> Find(const Table<Factory>& table, absl::string_view field,
                             const std::string& name) {
  const auto found = table.find(name);
  if (found != table.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, factory] : table) names.push_back(known);
  return UnknownName(field, name, names);
}

}  // namespace

void RegisterModel(const std::string& name, ModelFactory factory) { Models()[name] = factory; }

void RegisterDistribution(const std::string& name, DistributionFactory factory) {
  Distributions()[name] = factory;
}

absl::StatusOr<std::unique_ptr<Model>> MakeModel(const v1::ModelConfig& config,
                                                 const ModelShape& shape,
                                                 at::Generator& generator) {
  absl::StatusOr<ModelFactory> factory = Find(Models(), "model.type", config.type());
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
  absl::StatusOr<DistributionFactory> factory = Find(Distributions(), "distribution.type", type);
  if (!factory.ok()) return factory.status();
  return (*factory)(config, action);
}

}  // namespace hivewire
