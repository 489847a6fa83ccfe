#include "server/rpc/session.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "server/rpc/status.h"

namespace hivewire {
namespace {

// How long a superseded session may take to say goodbye before its stream is cut.
constexpr absl::Duration kGoodbye = absl::Seconds(2);

absl::Status Gone() { return absl::CancelledError("the client is gone"); }

}  // namespace

std::shared_ptr<Session> Session::Make(PoolTable& pools, absl::Duration drain_grace,
                                       CallQueue& queue, std::atomic<uint64_t>& count,
                                       std::function<void()> began) {
  std::shared_ptr<Session> session(new Session(pools, drain_grace, queue, count, std::move(began)));
  session->self_ = session;
  return session;
}

Session::Session(PoolTable& pools, absl::Duration drain_grace, CallQueue& queue,
                 std::atomic<uint64_t>& count, std::function<void()> began)
    : QueuedCall(queue),
      pools_(pools),
      drain_grace_(drain_grace),
      count_(count),
      began_(std::move(began)) {}

void Session::OnAccepted() {
  ++count_;
  peer_ = server_context()->peer();
  std::exchange(began_, nullptr)();
  StartRead(&incoming_);
}

std::function<void()> Session::Waker() {
  return [weak = weak_from_this()] {
    if (const std::shared_ptr<Session> session = weak.lock()) session->Turn();
  };
}

void Session::OnReadDone(bool ok) {
  SessionRole* role = nullptr;
  {
    MutexLock lock(mutex_);
    role = role_.get();
  }
  if (!ok) {
    // A client that is gone also cancels, at about the same time.
    return Close(role == nullptr ? Gone() : absl::OkStatus(), false);
  }
  if (role == nullptr) {
    if (incoming_.has_attach()) return Attach(incoming_.attach());
    return Refuse(MakeError(v1::ERROR_REASON_BAD_FRAME,
                            "the first frame of a session must be Attach", "attach"));
  }
  if (role->End().ok()) {  // else it is dropped unread
    const uint64_t seq = incoming_.seq();
    const bool detach = incoming_.has_detach();
    const absl::Status status =
        detach ? role->TakeDetach(incoming_.detach()) : role->Take(incoming_);
    if (status.ok() && detach) return Close(status, incoming_.detach().release_pool());
    if (!status.ok()) {
      v1::ServerFrame reply;
      reply.mutable_rejected()->set_client_seq(seq);
      *reply.mutable_rejected()->mutable_status() = ToProto(status);
      Queue(std::move(reply));
      Turn();
    }
  }
  StartRead(&incoming_);
}

void Session::OnWriteDone(bool ok) {
  if (!ok) broken_.store(true);
  writing_.store(false);
  Turn();
}

void Session::OnCancel() { Close(Gone(), false); }

void Session::OnGone() {
  std::unique_ptr<SessionRole> role;
  {
    MutexLock lock(mutex_);
    role = std::move(role_);
  }
  role.reset();
  if (began_ == nullptr) --count_;
  self_.reset();
}

void Session::OnAlarm(bool ok) {
  if (ok) Turn();
  End();
}

void Session::Attach(const v1::Attach& attach) {
  auto terms = CheckAttach(pools_, attach);
  if (!terms.ok()) return Refuse(terms.status());
  terms->peer = peer_;
  if (attach.observe()) return Attached(MakeObserver(pools_, *std::move(terms), Waker()));
  const std::shared_ptr<HostedPool> hosted = terms->hosted;
  {
    MutexLock lock(mutex_);
    awaited_ = hosted;
    patience_ = absl::Now() + kGoodbye;
  }
  const std::shared_ptr<Session> self = shared_from_this();
  hosted->Attach(
      [weak = weak_from_this()] {
        if (const std::shared_ptr<Session> session = weak.lock())
          session->server_context()->TryCancel();
      },
      [self, terms = *std::move(terms),
       after = attach.resume_after_seq()](absl::StatusOr<uint64_t> epoch) {
        if (!epoch.ok()) return self->Refuse(epoch.status());
        self->Attached(MakeOwner(self->pools_, terms, *epoch, after, self->Waker()));
      });
  Turn();
}

void Session::Attached(std::unique_ptr<SessionRole> role) {
  v1::ServerFrame frame;
  role->Describe(*frame.mutable_attached());
  Queue(std::move(frame));
  {
    MutexLock lock(mutex_);
    awaited_.reset();
    role_ = std::move(role);
  }
  StartRead(&incoming_);
  Turn();
}

void Session::Refuse(const absl::Status& status) {
  spdlog::info("session of {} refused: {}", peer_, std::string(status.message()));
  QueueFatal(status);
  {
    MutexLock lock(mutex_);
    awaited_.reset();
  }
  Close(status, false);
}

void Session::Close(const absl::Status& status, bool release) {
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      closed_ = true;
      release_ = release;
      if (end_.ok()) end_ = status;
    }
  }
  Turn();
}

void Session::Queue(v1::ServerFrame frame) {
  MutexLock lock(mutex_);
  queued_.push_back(std::move(frame));
}

void Session::QueueFatal(const absl::Status& status) {
  v1::ServerFrame frame;
  *frame.mutable_fatal()->mutable_status() = ToProto(status);
  Queue(std::move(frame));
}

void Session::Turn() {
  // Whoever is at it takes one more turn for all that came meanwhile.
  const std::shared_ptr<Session> self = shared_from_this();
  if (due_.fetch_add(1) > 0) return;
  int taken = 0;
  do {
    taken = due_.load();
    TakeTurn();
  } while (due_.fetch_sub(taken) != taken);
}

void Session::TakeTurn() {
  if (over_ || writing_.load()) return;
  SessionRole* role = nullptr;
  bool closed = false;
  std::shared_ptr<HostedPool> awaited;
  absl::Time patience;
  {
    MutexLock lock(mutex_);
    role = role_.get();
    closed = closed_;
    awaited = awaited_;
    patience = patience_;
  }
  if (role != nullptr) LookAround(*role);
  if (!broken_.load() && StartQueued()) return;
  if (awaited != nullptr) {
    // The session before must leave first; even a client that is gone waits for that.
    if (absl::Now() < patience) return TurnAt(patience);
    return awaited->Cut();
  }
  if (closed) return EndCall(role);
  if (role == nullptr || saying_goodbye_ || broken_.load()) return;
  if (role->Next(batch_frame_)) {
    writing_.store(true);
    StartWrite(batch_frame_);
  } else {
    TurnAt(role->AskAgain());
  }
}

void Session::LookAround(const SessionRole& role) {
  if (saying_goodbye_) return;
  const absl::Status end = role.End();
  if (!end.ok()) {
    // The client is told why, and is expected to half-close; a later session cuts the stream if it
    // does not.
    saying_goodbye_ = true;
    QueueFatal(end);
    MutexLock lock(mutex_);
    end_ = end;
  } else if (!told_draining_ && pools_.draining()) {
    told_draining_ = true;
    v1::ServerFrame frame;
    frame.mutable_draining()->set_grace_ms(
        static_cast<uint64_t>(absl::ToInt64Milliseconds(drain_grace_)));
    Queue(std::move(frame));
  }
}

bool Session::StartQueued() {
  {
    MutexLock lock(mutex_);
    if (queued_.empty()) return false;
    control_frame_ = std::move(queued_.front());
    queued_.pop_front();
  }
  writing_.store(true);
  StartWrite(control_frame_);
  return true;
}

void Session::TurnAt(absl::Time time) {
  if (time == absl::InfiniteFuture() || (alarm_ != nullptr && alarm_time_ == time)) return;
  alarm_ = std::make_unique<grpc::Alarm>();
  alarm_time_ = time;
  Begin();
  alarm_->Set(queue().get(), absl::ToChronoTime(time),
              static_cast<CallQueue::Event*>(&alarm_event_));
}

void Session::EndCall(SessionRole* role) {
  alarm_.reset();
  absl::Status status;
  bool release = false;
  {
    MutexLock lock(mutex_);
    status = end_;
    release = release_;
  }
  if (role != nullptr) role->Leave(status, release);
  {
    // OnGone, which takes the role down on another thread, is to see all of this.
    MutexLock lock(mutex_);
    over_ = true;
  }
  Finish(ToGrpc(status));  // and from here on, OnGone may come
}

}  // namespace hivewire
