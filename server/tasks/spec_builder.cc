#include "server/tasks/spec_builder.h"

#include <limits>
#include <string>
#include <utility>

#include "server/tasks/common_options.h"

namespace hivewire {

std::vector<v1::OptionSpec> OptionsOfEntry(const v1::EnvEntry& entry,
                                           absl::Span<const v1::OptionSpec> class_options) {
  std::vector<v1::OptionSpec> specs(class_options.begin(), class_options.end());
  for (v1::OptionSpec& common : CommonOptions()) specs.push_back(std::move(common));
  for (v1::OptionSpec& spec : specs) {
    const auto own = entry.options().find(spec.name());
    if (own != entry.options().end()) *spec.mutable_default_value() = own->second;
  }
  return specs;
}

v1::EnvSpec StartSpec(const v1::EnvEntry& entry, absl::Span<const v1::OptionSpec> class_options) {
  v1::EnvSpec spec;
  spec.set_id(entry.id());
  spec.set_description(entry.description());
  spec.set_max_episode_steps(entry.max_episode_steps());
  if (entry.has_reward_threshold()) spec.set_reward_threshold(entry.reward_threshold());
  spec.set_reward_low(-std::numeric_limits<double>::infinity());
  spec.set_reward_high(std::numeric_limits<double>::infinity());
  for (const v1::OptionSpec& option : OptionsOfEntry(entry, class_options))
    *spec.add_options() = option;
  return spec;
}

v1::LeafSpec MakeLeaf(absl::string_view name, v1::DType dtype, const std::vector<int64_t>& shape) {
  v1::LeafSpec leaf;
  leaf.set_name(std::string(name));
  leaf.set_dtype(dtype);
  leaf.mutable_shape()->Assign(shape.begin(), shape.end());
  return leaf;
}

v1::LeafSpec MakeBoxLeaf(absl::string_view name, v1::DType dtype, const std::vector<int64_t>& shape,
                         const std::vector<double>& low, const std::vector<double>& high) {
  v1::LeafSpec leaf = MakeLeaf(name, dtype, shape);
  leaf.mutable_low()->Assign(low.begin(), low.end());
  leaf.mutable_high()->Assign(high.begin(), high.end());
  return leaf;
}

v1::LeafSpec MakeDiscreteLeaf(absl::string_view name, int64_t cardinality) {
  v1::LeafSpec leaf = MakeLeaf(name, v1::DTYPE_INT64, {});
  leaf.set_cardinality(cardinality);
  return leaf;
}

}  // namespace hivewire
