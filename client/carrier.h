// A Carrier takes frames to one pool and brings batches back: the seam between VectorEnv and the
// way to a server.
//
// Who calls whom:
//   1. a CarrierFactory makes a pool at an address and attaches to it;
//   2. VectorEnv calls Send for each group of lanes (several may be in flight, for different
//   lanes);
//   3. VectorEnv calls Receive until each group has come back. Each frame comes back as batches
//   whose rows are the frame's
//      lanes, in order within a frame.
//
// A broken connection is the carrier's own business: it attaches again, and nobody notices but by
// the delay.
//
// Send and Receive may be called from two threads; each from one at a time. Operations are numbered
// by the carrier.
#ifndef HIVEWIRE_CLIENT_CARRIER_H_
#define HIVEWIRE_CLIENT_CARRIER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "hivewire/v1/control.pb.h"
#include "hivewire/v1/session.pb.h"

namespace hivewire {

struct ConnectionOptions;

class Carrier {
 public:
  // Releases the pool, unless Leave was called.
  virtual ~Carrier() = default;

  virtual const v1::PoolDescription& pool() const = 0;

  // Each Send gives the frame's number, by which a refusal names it.
  //
  // `actions` by the pool's action layout, rows in the order of env_ids.
  virtual absl::StatusOr<uint64_t> SendStep(absl::Span<const uint32_t> env_ids,
                                            absl::Span<const char> actions) = 0;
  // `seeds` one a lane, or empty.
  virtual absl::StatusOr<uint64_t> SendReset(absl::Span<const uint32_t> env_ids,
                                             absl::Span<const uint64_t> seeds) = 0;

  // A batch, or the refusal of a frame, of which nothing ran.
  struct Answer {
    const v1::Batch* batch = nullptr;  // valid until the next Receive
    uint64_t refused_frame = 0;
    absl::Status refusal;
  };
  // The next answer. DEADLINE_EXCEEDED; UNAVAILABLE when the server is gone; NOT_FOUND
  // (UNKNOWN_POOL) when the server is there and the pool is not; ABORTED when another session took
  // the pool.
  virtual absl::StatusOr<Answer> Receive(absl::Time deadline) = 0;

  // Snapshots of lanes that have nothing outstanding; and back, as an operation whose results come
  // from Receive.
  virtual absl::StatusOr<std::vector<std::string>> SaveState(
      absl::Span<const uint32_t> env_ids) = 0;
  virtual absl::StatusOr<uint64_t> SendLoad(absl::Span<const uint32_t> env_ids,
                                            absl::Span<const std::string> snapshots) = 0;

  virtual absl::StatusOr<v1::RenderResponse> Render(const v1::RenderRequest& request) = 0;

  // Properties of lanes that have nothing outstanding. Pool and token of the requests are the
  // carrier's business.
  virtual absl::StatusOr<v1::GetPropertiesResponse> GetProperties(
      const v1::GetPropertiesRequest& request) = 0;
  virtual absl::Status SetProperties(const v1::SetPropertiesRequest& request) = 0;

  // What attaches to the pool again, from any process; empty for a pool of this process.
  virtual std::string lease_token() const { return ""; }
  // Lanes whose last operation another process sent: their results come without being asked for.
  virtual std::vector<uint32_t> lanes_to_come() const { return {}; }
  // The server said that it is going away.
  virtual bool draining() const { return false; }
  // Lets the pool live on, until its lease runs out, when this object goes.
  virtual void Leave() {}
};

// Makes a pool as `request` asks at `address`, and attaches.
using CarrierFactory = std::function<absl::StatusOr<std::unique_ptr<Carrier>>(
    const std::string& address, const ConnectionOptions& connection,
    const v1::CreatePoolRequest& request)>;

// Carriers for unix: and tcp: addresses.
CarrierFactory GrpcCarriers();

// Attaches to a pool that is there, whoever made it. NOT_FOUND (UNKNOWN_POOL) where it is gone.
absl::StatusOr<std::unique_ptr<Carrier>> AttachToPool(const std::string& address,
                                                      const ConnectionOptions& connection,
                                                      const std::string& pool_id,
                                                      const std::string& lease_token);

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_CARRIER_H_
