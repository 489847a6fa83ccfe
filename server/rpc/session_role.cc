#include "server/rpc/session_role.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {
namespace {

// A day: as good as no limit.
constexpr uint64_t kMaxWaitMicroseconds = 86400000000;

class Owner final : public SessionRole {
 public:
  Owner(PoolTable& pools, SessionTerms terms, uint64_t epoch, uint64_t resume_after_seq,
        std::function<void()> wake)
      : pools_(pools),
        terms_(std::move(terms)),
        epoch_(epoch),
        resume_after_seq_(resume_after_seq) {
    pool().SetBatchPolicy(terms_.policy);
    pool().SetListener(std::move(wake));
    spdlog::info("{} attached by {} (epoch {})", terms_.hosted->id(), terms_.peer, epoch_);
  }

  // The pool may have to wait for lanes that run before it can go, so the session does not.
  ~Owner() override { pools_.Bury(std::move(terms_.hosted)); }

  void Describe(v1::Attached& attached) override {
    *attached.mutable_pool() = terms_.hosted->description();
    attached.set_epoch(epoch_);
    attached.set_max_message_bytes(terms_.max_message_bytes);
    pool().DescribeLanes(attached);
    // What was missed comes after this.
    pool().Redeliver(resume_after_seq_);
  }

  absl::Status End() const override {
    const std::string& id = terms_.hosted->id();
    switch (terms_.hosted->EndOf(epoch_)) {
      case HostedPool::End::kNone:
        break;
      case HostedPool::End::kSuperseded:
        return MakeError(v1::ERROR_REASON_SUPERSEDED,
                         absl::StrCat("a newer stream attached to pool ", id));
      case HostedPool::End::kReleased:
        return MakeError(v1::ERROR_REASON_UNKNOWN_POOL, absl::StrCat("pool ", id, " was released"));
    }
    return absl::OkStatus();
  }

  absl::Status Take(v1::ClientFrame& frame) override {
    const size_t bytes = frame.ByteSizeLong();
    if (bytes > pools_.limits().max_message_bytes) {
      return MakeError(v1::ERROR_REASON_LIMIT,
                       absl::StrCat("the frame has ", bytes, " bytes where this server takes ",
                                    pools_.limits().max_message_bytes),
                       "frame", absl::StrCat(bytes));
    }
    switch (frame.frame_case()) {
      case v1::ClientFrame::kStep:
        return pool().Step(std::move(*frame.mutable_step()));
      case v1::ClientFrame::kReset:
        return pool().Reset(std::move(*frame.mutable_reset()));
      case v1::ClientFrame::kLoad:
        return pool().Load(frame.load());
      default:
        return MakeError(v1::ERROR_REASON_BAD_FRAME,
                         "the frame is none of step, reset, load and detach", "frame");
    }
  }

  bool Next(v1::ServerFrame& frame) override {
    const uint64_t seq = terms_.hosted->NextSeq();
    if (!pool().TryNext(seq, *frame.mutable_batch())) return false;
    frame.set_seq(seq);
    terms_.hosted->TookSeq();
    terms_.hosted->broadcast().Publish(frame);
    return true;
  }

  absl::Time AskAgain() const override { return terms_.hosted->pool().NextLeave(); }

  void Leave(const absl::Status& why, bool release) override {
    pool().SetListener(nullptr);
    terms_.hosted->Detach();
    if (release) pools_.Release(terms_.hosted);
    spdlog::info("{} detached (epoch {}): {}", terms_.hosted->id(), epoch_,
                 why.ok() ? "done" : std::string(why.message()));
  }

 private:
  Pool& pool() { return terms_.hosted->pool(); }

  PoolTable& pools_;
  SessionTerms terms_;
  const uint64_t epoch_;
  const uint64_t resume_after_seq_;
};

class Observer final : public SessionRole {
 public:
  Observer(PoolTable& pools, SessionTerms terms, std::function<void()> wake)
      : pools_(pools),
        terms_(std::move(terms)),
        listener_(terms_.hosted->broadcast().Listen(std::move(wake))) {}

  ~Observer() override { pools_.Bury(std::move(terms_.hosted)); }

  void Describe(v1::Attached& attached) override {
    *attached.mutable_pool() = terms_.hosted->description();
    attached.set_epoch(terms_.hosted->epoch());
    attached.set_max_message_bytes(terms_.max_message_bytes);
    terms_.hosted->pool().DescribeLanes(attached);
  }

  absl::Status End() const override {
    if (!terms_.hosted->released()) return absl::OkStatus();
    return MakeError(v1::ERROR_REASON_UNKNOWN_POOL,
                     absl::StrCat("pool ", terms_.hosted->id(), " was released"));
  }

  absl::Status TakeDetach(const v1::Detach& detach) override {
    return detach.release_pool() ? NotItsOwn() : absl::OkStatus();
  }

  absl::Status Take(v1::ClientFrame&) override { return NotItsOwn(); }

  static absl::Status NotItsOwn() {
    return MakeError(v1::ERROR_REASON_BAD_FRAME,
                     "an observer may only Detach; the pool is its owner's", "frame");
  }

  bool Next(v1::ServerFrame& frame) override {
    while (const std::shared_ptr<const v1::ServerFrame> next = listener_->Take()) {
      if (next->ByteSizeLong() > terms_.max_message_bytes) continue;
      frame = *next;
      return true;
    }
    return false;
  }

  void Leave(const absl::Status&, bool) override {}

 private:
  PoolTable& pools_;
  SessionTerms terms_;
  const std::shared_ptr<Broadcast::Listener> listener_;
};

}  // namespace

absl::StatusOr<SessionTerms> CheckAttach(const PoolTable& pools, const v1::Attach& attach) {
  auto found = attach.observe() ? pools.Find(attach.pool_id())
                                : pools.Find(attach.pool_id(), attach.lease_token());
  if (!found.ok()) return found.status();
  SessionTerms terms;
  terms.hosted = *std::move(found);
  const uint64_t expected = terms.hosted->description().result_layout().hash();
  if (attach.layout_hash() != 0 && attach.layout_hash() != expected) {
    return MakeError(
        v1::ERROR_REASON_LAYOUT_MISMATCH,
        absl::StrCat("layout_hash: ", attach.layout_hash(), " where the pool's is ", expected),
        "layout_hash", absl::StrCat(attach.layout_hash()));
  }
  terms.policy.recv_batch = attach.recv_batch();
  if (attach.max_wait_us() > 0) {
    terms.policy.max_wait =
        absl::Microseconds(std::min(attach.max_wait_us(), kMaxWaitMicroseconds));
  }
  const uint64_t limit = pools.limits().max_message_bytes;
  terms.max_message_bytes =
      attach.max_message_bytes() == 0 ? limit : std::min(limit, attach.max_message_bytes());
  terms.policy.max_rows = terms.hosted->pool().MaxRows(terms.max_message_bytes);
  if (terms.policy.max_rows == 0) {
    return MakeError(v1::ERROR_REASON_LIMIT,
                     absl::StrCat("max_message_bytes: ", terms.max_message_bytes,
                                  " does not hold one row of this pool"),
                     "max_message_bytes", absl::StrCat(terms.max_message_bytes));
  }
  return terms;
}

std::unique_ptr<SessionRole> MakeOwner(PoolTable& pools, SessionTerms terms, uint64_t epoch,
                                       uint64_t resume_after_seq, std::function<void()> wake) {
  return std::make_unique<Owner>(pools, std::move(terms), epoch, resume_after_seq, std::move(wake));
}

std::unique_ptr<SessionRole> MakeObserver(PoolTable& pools, SessionTerms terms,
                                          std::function<void()> wake) {
  return std::make_unique<Observer>(pools, std::move(terms), std::move(wake));
}

}  // namespace hivewire
