// One layer of configuration over another.
#ifndef HIVEWIRE_POLICY_CONFIG_MERGE_H_
#define HIVEWIRE_POLICY_CONFIG_MERGE_H_

#include "hivewire/v1/learner.pb.h"

namespace hivewire {

// Lays `over` over `config`: its single fields and map entries replace, its lists replace as a
// whole.
void MergeConfig(const v1::LearnerConfig& over, v1::LearnerConfig& config);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CONFIG_MERGE_H_
