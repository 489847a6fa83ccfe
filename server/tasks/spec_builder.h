// What every task class does alike when it fills in an EnvSpec.
#ifndef HIVEWIRE_SERVER_TASKS_SPEC_BUILDER_H_
#define HIVEWIRE_SERVER_TASKS_SPEC_BUILDER_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hivewire/v1/config.pb.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

// The options that an entry takes: its class's and those that every env has, with the entry's own
// values as defaults.
std::vector<v1::OptionSpec> OptionsOfEntry(const v1::EnvEntry& entry,
                                           absl::Span<const v1::OptionSpec> class_options);

// The spec of an entry as far as the entry knows it: id, description, time limit, reward threshold,
// options. The task class fills in the rest. The reward is unbounded until then.
v1::EnvSpec StartSpec(const v1::EnvEntry& entry, absl::Span<const v1::OptionSpec> class_options);

// An unbounded leaf; an empty shape is a scalar.
v1::LeafSpec MakeLeaf(absl::string_view name, v1::DType dtype, const std::vector<int64_t>& shape);

// Each of the two lists holds one bound for all elements or one an element.
v1::LeafSpec MakeBoxLeaf(absl::string_view name, v1::DType dtype, const std::vector<int64_t>& shape,
                         const std::vector<double>& low, const std::vector<double>& high);

// 0 … cardinality − 1, int64.
v1::LeafSpec MakeDiscreteLeaf(absl::string_view name, int64_t cardinality);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_SPEC_BUILDER_H_
