// A lane as bytes, and back: what SaveState and LoadState move between servers (LaneSnapshot in
// snapshot.proto).
//
// A lane restored on the same build and CPU features continues bit for bit. Snapshots are
// untrusted: sizes, finiteness and ranges are checked.
#ifndef HIVEWIRE_SERVER_POOL_SNAPSHOT_H_
#define HIVEWIRE_SERVER_POOL_SNAPSHOT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/pool/lane.h"
#include "server/pool/pool_spec.h"
#include "server/pool/properties.h"

namespace hivewire {

std::string SaveSnapshot(const PoolSpec& spec, const Lane& lane);

// The lane, its row numbered `op_no`. BAD_SNAPSHOT names the field that is damaged or of another
// pool; a snapshot of other CPU features is refused unless `allow_inexact`.
absl::StatusOr<Lane> LoadSnapshot(const PoolSpec& spec, uint32_t env_id, absl::string_view bytes,
                                  uint64_t op_no, bool allow_inexact, Properties& properties);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_SNAPSHOT_H_
