// What of a frame can be checked without looking at the lanes: ids, sizes, numbers.
#ifndef HIVEWIRE_SERVER_POOL_FRAME_CHECKS_H_
#define HIVEWIRE_SERVER_POOL_FRAME_CHECKS_H_

#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/pool/pool_spec.h"

namespace hivewire {

// The lanes that are meant: those of `env_ids`, or all in order where it is empty. BAD_ENV_ID for
// one that is out of range or stands there twice. `seen` is scratch memory, to be used again.
absl::Status CheckLanes(const PoolSpec& spec,
                        const google::protobuf::RepeatedField<uint32_t>& env_ids,
                        std::vector<bool>& seen, std::vector<uint32_t>& lanes);
absl::StatusOr<std::vector<uint32_t>> CheckLanes(
    const PoolSpec& spec, const google::protobuf::RepeatedField<uint32_t>& env_ids);

// BAD_SHAPE for a payload of another size, BAD_ACTION for a number that is not finite or outside a
// discrete range, naming leaf, lane and element.
absl::Status CheckActions(const PoolSpec& spec, absl::Span<const uint32_t> lanes,
                          const std::string& actions);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_FRAME_CHECKS_H_
