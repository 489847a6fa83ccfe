// A pool with its lease: who owns it, who is attached to it, and until when it lives.
//
// The owner is whoever holds the token. At most one session is attached: Attach raises the epoch,
// tells the session before it to go, and waits until it has. While a session is attached the lease
// cannot expire; its time to live runs from the end of the stream, or from the last unary call. A
// Collect (rollout_service.h) is attached like a session, but never in a session's place.
//
// Anybody may watch it (broadcast.h).
//
// Thread-safe.
#ifndef HIVEWIRE_SERVER_RPC_HOSTED_POOL_H_
#define HIVEWIRE_SERVER_RPC_HOSTED_POOL_H_

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "hivewire/v1/control.pb.h"
#include "server/pool/pool.h"
#include "server/rollout/policy_slot.h"
#include "server/rpc/broadcast.h"

namespace hivewire {

class HostedPool {
 public:
  // `description`: the pool's own, completed with id and lease.
  HostedPool(std::unique_ptr<Pool> pool, v1::PoolDescription description, std::string token,
             std::string client_name);

  Pool& pool() { return *pool_; }
  // The batches that the owner is sent, for observers.
  Broadcast& broadcast() { return broadcast_; }
  const v1::PoolDescription& description() const { return description_; }
  const std::string& id() const { return description_.pool_id(); }
  const std::string& token() const { return token_; }
  const std::string& client_name() const { return client_name_; }

  // The policy that rollouts run. It outlives the pool for steps that were given up.
  const std::shared_ptr<PolicySlot>& policy_slot() const { return policy_slot_; }

  // BAD_LEASE for another token (compared in constant time).
  absl::Status CheckToken(absl::string_view token) const;

  // Why a session must go.
  enum class End { kNone, kSuperseded, kReleased };

  // Makes the caller the attached session, once the one before has called Detach and no unary call
  // holds the pool. `attached` is then called with its epoch, at once or on the thread of whoever
  // held the pool; or with the reason why it came to nothing. `cut` breaks the caller's stream by
  // force.
  void Attach(std::function<void()> cut, std::function<void(absl::StatusOr<uint64_t>)> attached);
  // The same for a Collect, which waits here: LEASE_HELD where a session is attached, or about to
  // be.
  absl::StatusOr<uint64_t> AttachRollout(std::function<void()> cut);
  // Breaks the stream of the attached session: one that waits for it has lost patience.
  void Cut();
  void Detach();
  // Whether the session of `epoch` must go.
  End EndOf(uint64_t epoch) const;

  // Holds the pool for one unary operation: LEASE_HELD while a session is attached.
  absl::Status BeginUnary();
  void EndUnary();

  // The lease's time begins anew.
  void Touch();
  bool Expired(absl::Time now) const;
  absl::Duration LeaseLeft(absl::Time now) const;
  bool attached() const;
  bool released() const;
  uint64_t epoch() const;

  // The pool is being freed: sessions are told, further ones refused.
  void Release();

  // Numbers of the lease's batches. The attached session alone asks: the next number, and that it
  // was used.
  uint64_t NextSeq() const { return seq_.load() + 1; }
  void TookSeq() { ++seq_; }

  // Where the default camera looks at a lane: where the middle of its geoms was in the first image
  // of it. Images later on show the env move before it, as Gymnasium's viewer does.
  std::optional<std::array<double, 3>> ViewOf(uint32_t lane) const;
  void KeepView(uint32_t lane, const std::array<double, 3>& center);

  // Tells the attached session and the observers to look up from waiting (they are being drained,
  // say).
  void Wake();

 private:
  struct Waiting {
    uint64_t epoch = 0;
    std::function<void()> cut;
    std::function<void(absl::StatusOr<uint64_t>)> attached;
    bool by_rollout = false;
  };

  // `before`: who waited until now, and is told that it came to nothing.
  void Attach(std::optional<Waiting> before);
  // Attaches the session that waits, if it may be.
  void Settle();

  const std::unique_ptr<Pool> pool_;
  const std::shared_ptr<PolicySlot> policy_slot_ = std::make_shared<PolicySlot>();
  const v1::PoolDescription description_;
  const std::string token_;
  const std::string client_name_;
  const absl::Duration ttl_;
  std::atomic<uint64_t> seq_{0};
  Broadcast broadcast_;

  mutable Mutex mutex_;
  Condition unary_done_;
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  bool attached_ ABSL_GUARDED_BY(mutex_) = false;
  bool by_rollout_ ABSL_GUARDED_BY(mutex_) = false;  // whoever is attached
  bool in_unary_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> cut_ ABSL_GUARDED_BY(mutex_);
  std::optional<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);  // for the attached one to leave
  absl::Time expires_ ABSL_GUARDED_BY(mutex_);
  std::map<uint32_t, std::array<double, 3>> views_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_HOSTED_POOL_H_
