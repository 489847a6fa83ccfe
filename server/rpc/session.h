// One session stream: attaches to a pool, takes the client's frames to it and sends its batches.
//
// It has no thread. Whoever brings news (whoever polls the queue: a frame came, one was sent, the
// client is gone; a worker: a batch is ready; a later session, a drain) takes the session's next
// turn, one at a time, and so sends what is to be sent: a frame is taken by a worker between two
// steps, and a batch leaves from the worker that finished it. Nothing in a turn waits.
#ifndef HIVEWIRE_SERVER_RPC_SESSION_H_
#define HIVEWIRE_SERVER_RPC_SESSION_H_

#include <grpcpp/alarm.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "hivewire/v1/session.pb.h"
#include "server/rpc/pool_table.h"
#include "server/rpc/queued_call.h"
#include "server/rpc/session_role.h"

namespace hivewire {

class Session final : public QueuedCall<v1::ClientFrame, v1::ServerFrame>,
                      public std::enable_shared_from_this<Session> {
 public:
  // For a call that is still to come. It lives until that is over; `count` is raised while it
  // lasts. `began` is called once it has come.
  static std::shared_ptr<Session> Make(PoolTable& pools, absl::Duration drain_grace,
                                       CallQueue& queue, std::atomic<uint64_t>& count,
                                       std::function<void()> began);
  ~Session() override = default;

 private:
  Session(PoolTable& pools, absl::Duration drain_grace, CallQueue& queue,
          std::atomic<uint64_t>& count, std::function<void()> began);

  void OnAccepted() override;
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnGone() override;
  void OnAlarm(bool ok);

  // By the first frame.
  void Attach(const v1::Attach& attach);
  void Attached(std::unique_ptr<SessionRole> role);
  void Refuse(const absl::Status& status);
  // No further frame of the client's is taken.
  void Close(const absl::Status& status, bool release);

  // A turn is due.
  void Turn();
  void TakeTurn();
  void LookAround(const SessionRole& role);
  void Queue(v1::ServerFrame frame);
  void QueueFatal(const absl::Status& status);
  bool StartQueued();
  void TurnAt(absl::Time time);
  void EndCall(SessionRole* role);
  std::function<void()> Waker();

  PoolTable& pools_;
  const absl::Duration drain_grace_;
  std::atomic<uint64_t>& count_;
  std::function<void()> began_;
  std::string peer_;               // once it has come
  std::shared_ptr<Session> self_;  // until OnGone
  v1::ClientFrame incoming_;       // of the read that is under way

  std::atomic<int> due_{0};
  std::atomic<bool> writing_{false};
  std::atomic<bool> broken_{false};  // nothing can be sent any more

  // Of whoever takes the turn.
  bool told_draining_ = false;
  bool saying_goodbye_ = false;
  bool over_ = false;
  v1::ServerFrame control_frame_;
  v1::ServerFrame batch_frame_;
  std::unique_ptr<grpc::Alarm> alarm_;
  absl::Time alarm_time_ = absl::InfiniteFuture();
  OwnersEvent<Session, &Session::OnAlarm> alarm_event_{*this};

  Mutex mutex_;
  std::deque<v1::ServerFrame> queued_ ABSL_GUARDED_BY(mutex_);
  // From Attached to OnGone.
  std::unique_ptr<SessionRole> role_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<HostedPool> awaited_ ABSL_GUARDED_BY(mutex_);  // another session must leave it
  absl::Time patience_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool release_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_SESSION_H_
