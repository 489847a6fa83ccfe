#include "server/rpc/hosted_pool.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"

namespace hivewire {
namespace {

// How long a Collect that was superseded may take to end before its stream is cut.
constexpr absl::Duration kGoodbye = absl::Seconds(2);

bool EqualInConstantTime(absl::string_view a, absl::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t k = 0; k < a.size(); ++k) {
    difference |= static_cast<unsigned char>(a[k]) ^
                  static_cast<unsigned char>(b.empty() ? 0 : b[k % b.size()]);
  }
  return difference == 0;
}

}  // namespace

HostedPool::HostedPool(std::unique_ptr<Pool> pool, v1::PoolDescription description,
                       std::string token, std::string client_name)
    : pool_(std::move(pool)),
      description_(std::move(description)),
      token_(std::move(token)),
      client_name_(std::move(client_name)),
      ttl_(absl::Milliseconds(description_.lease_ttl_ms())),
      expires_(absl::Now() + ttl_) {}

absl::Status HostedPool::CheckToken(absl::string_view token) const {
  if (EqualInConstantTime(token_, token)) return absl::OkStatus();
  return MakeError(v1::ERROR_REASON_BAD_LEASE,
                   absl::StrCat("lease_token: is not that of pool ", id()), "lease_token");
}

void HostedPool::Attach(std::function<void()> cut,
                        std::function<void(absl::StatusOr<uint64_t>)> attached) {
  std::optional<Waiting> before;
  {
    MutexLock lock(mutex_);
    before = std::move(waiting_);
    waiting_ = Waiting{++epoch_, std::move(cut), std::move(attached), /*by_rollout=*/false};
  }
  Attach(std::move(before));
}

absl::StatusOr<uint64_t> HostedPool::AttachRollout(std::function<void()> cut) {
  const auto answer = std::make_shared<std::promise<absl::StatusOr<uint64_t>>>();
  std::future<absl::StatusOr<uint64_t>> epoch = answer->get_future();
  std::optional<Waiting> before;
  {
    MutexLock lock(mutex_);
    if ((attached_ && !by_rollout_) || (waiting_.has_value() && !waiting_->by_rollout)) {
      return MakeError(v1::ERROR_REASON_LEASE_HELD,
                       absl::StrCat("pool ", id(), " has a session attached"), "pool_id", id());
    }
    before = std::move(waiting_);
    waiting_ = Waiting{++epoch_, std::move(cut),
                       [answer](absl::StatusOr<uint64_t> given) { answer->set_value(given); },
                       /*by_rollout=*/true};
  }
  Attach(std::move(before));
  if (epoch.wait_for(absl::ToChronoMilliseconds(kGoodbye)) != std::future_status::ready) Cut();
  return epoch.get();
}

void HostedPool::Attach(std::optional<Waiting> before) {
  if (before.has_value()) {
    before->attached(MakeError(v1::ERROR_REASON_SUPERSEDED,
                               absl::StrCat("a newer stream attached to pool ", id())));
  }
  pool_->Interrupt();
  Settle();
}

void HostedPool::Settle() {
  std::optional<Waiting> next;
  bool released = false;
  {
    MutexLock lock(mutex_);
    if (!waiting_.has_value() || attached_ || in_unary_) return;
    next = std::move(waiting_);
    waiting_.reset();
    released = released_;
    if (!released) {
      attached_ = true;
      cut_ = std::move(next->cut);
      by_rollout_ = next->by_rollout;
    }
  }
  if (released) {
    next->attached(
        MakeError(v1::ERROR_REASON_UNKNOWN_POOL, absl::StrCat("pool ", id(), " was released")));
  } else {
    next->attached(next->epoch);
  }
}

void HostedPool::Cut() {
  MutexLock lock(mutex_);
  if (waiting_.has_value() && cut_ != nullptr) cut_();
}

void HostedPool::Detach() {
  {
    MutexLock lock(mutex_);
    attached_ = false;
    cut_ = nullptr;
    expires_ = absl::Now() + ttl_;
  }
  Settle();
}

HostedPool::End HostedPool::EndOf(uint64_t epoch) const {
  MutexLock lock(mutex_);
  if (released_) return End::kReleased;
  return epoch == epoch_ ? End::kNone : End::kSuperseded;
}

absl::Status HostedPool::BeginUnary() {
  MutexLock lock(mutex_);
  if (attached_) {
    return MakeError(v1::ERROR_REASON_LEASE_HELD,
                     absl::StrCat("pool ", id(), " has a session attached"), "pool_id", id());
  }
  unary_done_.Wait(lock, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !in_unary_; });
  if (released_)
    return MakeError(v1::ERROR_REASON_UNKNOWN_POOL, absl::StrCat("pool ", id(), " was released"));
  in_unary_ = true;
  return absl::OkStatus();
}

void HostedPool::EndUnary() {
  {
    MutexLock lock(mutex_);
    in_unary_ = false;
    expires_ = absl::Now() + ttl_;
    unary_done_.NotifyAll();
  }
  Settle();
}

void HostedPool::Touch() {
  MutexLock lock(mutex_);
  expires_ = absl::Now() + ttl_;
}

bool HostedPool::Expired(absl::Time now) const {
  MutexLock lock(mutex_);
  return !attached_ && !in_unary_ && now >= expires_;
}

absl::Duration HostedPool::LeaseLeft(absl::Time now) const {
  MutexLock lock(mutex_);
  return attached_ ? absl::ZeroDuration() : std::max(absl::ZeroDuration(), expires_ - now);
}

bool HostedPool::attached() const {
  MutexLock lock(mutex_);
  return attached_;
}

bool HostedPool::released() const {
  MutexLock lock(mutex_);
  return released_;
}

uint64_t HostedPool::epoch() const {
  MutexLock lock(mutex_);
  return epoch_;
}

void HostedPool::Release() {
  {
    MutexLock lock(mutex_);
    released_ = true;
    ++epoch_;
  }
  Wake();
}

void HostedPool::Wake() {
  pool_->Interrupt();
  broadcast_.WakeAll();
}

std::optional<std::array<double, 3>> HostedPool::ViewOf(uint32_t lane) const {
  MutexLock lock(mutex_);
  const auto view = views_.find(lane);
  if (view == views_.end()) return std::nullopt;
  return view->second;
}

void HostedPool::KeepView(uint32_t lane, const std::array<double, 3>& center) {
  MutexLock lock(mutex_);
  views_.try_emplace(lane, center);
}

}  // namespace hivewire
