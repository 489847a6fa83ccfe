#include "server/rpc/hosted_pool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"

namespace hivewire {
namespace {

// How long a superseded session may take to say goodbye before its stream is cut.
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

absl::StatusOr<uint64_t> HostedPool::Attach(std::function<void()> cut) {
  MutexLock lock(mutex_);
  const uint64_t epoch = ++epoch_;
  const auto free = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !attached_ && !in_unary_; };
  if (attached_) {
    pool_->Interrupt();
    if (!detached_.WaitUntil(lock, absl::Now() + kGoodbye, free) && cut_ != nullptr) cut_();
  }
  detached_.Wait(lock, free);
  if (released_)
    return MakeError(v1::ERROR_REASON_UNKNOWN_POOL, absl::StrCat("pool ", id(), " was released"));
  if (epoch != epoch_) {
    return MakeError(v1::ERROR_REASON_SUPERSEDED,
                     absl::StrCat("a newer stream attached to pool ", id()));
  }
  attached_ = true;
  cut_ = std::move(cut);
  return epoch;
}

void HostedPool::Detach(uint64_t) {
  MutexLock lock(mutex_);
  attached_ = false;
  cut_ = nullptr;
  expires_ = absl::Now() + ttl_;
  detached_.NotifyAll();
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
  detached_.Wait(lock, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !in_unary_; });
  if (released_)
    return MakeError(v1::ERROR_REASON_UNKNOWN_POOL, absl::StrCat("pool ", id(), " was released"));
  in_unary_ = true;
  return absl::OkStatus();
}

void HostedPool::EndUnary() {
  MutexLock lock(mutex_);
  in_unary_ = false;
  expires_ = absl::Now() + ttl_;
  detached_.NotifyAll();
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
