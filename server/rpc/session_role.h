// What an attached stream is to its pool: its owner, which steps it, or an observer, which only
// watches. The session (session.h) speaks the protocol; a role knows what it is about.
#ifndef HIVEWIRE_SERVER_RPC_SESSION_ROLE_H_
#define HIVEWIRE_SERVER_RPC_SESSION_ROLE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hivewire/v1/session.pb.h"
#include "server/rpc/hosted_pool.h"
#include "server/rpc/pool_table.h"

namespace hivewire {

// Take and the others may be called at the same time; the others one at a time.
class SessionRole {
 public:
  virtual ~SessionRole() = default;

  // The answer to Attach.
  virtual void Describe(v1::Attached& attached) = 0;
  // Why the stream must go; OK while it may stay.
  virtual absl::Status End() const = 0;
  // Whether the client may leave like this; an error rejects the frame.
  virtual absl::Status TakeDetach(const v1::Detach&) { return absl::OkStatus(); }
  // Any other frame. An error rejects it.
  virtual absl::Status Take(v1::ClientFrame& frame) = 0;
  // The next frame to send; false where there is none yet.
  virtual bool Next(v1::ServerFrame& frame) = 0;
  // After Next was false: when to ask again at the latest, although nothing happens.
  virtual absl::Time AskAgain() const { return absl::InfiniteFuture(); }
  // The stream is over, and why. `release`: the client asked for the pool to go as well.
  virtual void Leave(const absl::Status& why, bool release) = 0;
};

// What a client's Attach comes to.
struct SessionTerms {
  std::shared_ptr<HostedPool> hosted;
  std::string peer;
  BatchPolicy policy;
  uint64_t max_message_bytes = 0;
};

// INVALID_ARGUMENT and so on name the field of Attach.
absl::StatusOr<SessionTerms> CheckAttach(const PoolTable& pools, const v1::Attach& attach);

// `wake` is called, from any thread, whenever the role may have something new to say. The owner's
// `epoch` is HostedPool::Attach's.
std::unique_ptr<SessionRole> MakeOwner(PoolTable& pools, SessionTerms terms, uint64_t epoch,
                                       uint64_t resume_after_seq, std::function<void()> wake);
std::unique_ptr<SessionRole> MakeObserver(PoolTable& pools, SessionTerms terms,
                                          std::function<void()> wake);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_SESSION_ROLE_H_
