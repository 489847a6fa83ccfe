// What servers say, checked before memory is read or written by it.
//
// Pure functions. Each returns DATA_LOSS, naming the field, for what breaks the protocol.
#ifndef HIVEWIRE_CLIENT_WIRE_CHECK_H_
#define HIVEWIRE_CLIENT_WIRE_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/layout.h"
#include "hivewire/v1/control.pb.h"
#include "hivewire/v1/session.pb.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

// Rows of each leaf have the bytes of its dtype and shape.
absl::Status CheckLayout(absl::string_view field, const v1::Layout& layout);

// A pool has its layouts, with one leaf of each number that every step has, and shows at an
// episode's end what it shows at a step. `num_envs`: as many lanes as were asked for, or 0 for any.
absl::Status CheckPool(const v1::PoolDescription& pool, uint32_t num_envs);

// Two layouts have the same leaves in a role, in the same order.
absl::Status CheckSameLeaves(absl::string_view field, v1::LeafRole role, const v1::Layout& expected,
                             const v1::Layout& got);

// A session's batch is of `num_envs` lanes, and its payloads are as long as their rows say.
absl::Status CheckBatch(const v1::Batch& batch, const PayloadLayout& result_layout,
                        const PayloadLayout& final_layout, uint32_t num_envs);

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_WIRE_CHECK_H_
