#include "policy/nn/companion.h"

#include <utility>

namespace hivewire {
namespace {

// About 50 µs: longer than the gap between two tasks of one update.
constexpr int kSpins = 2000;

// Returns once `count` is no longer `old`.
void Await(std::atomic<uint32_t>& count, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (count.load(std::memory_order_acquire) != old) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  count.wait(old, std::memory_order_acquire);
}

}  // namespace

Companion::Companion() : thread_([this] { Loop(); }) {}

Companion::~Companion() {
  finished_ = true;
  begun_.fetch_add(1, std::memory_order_release);
  begun_.notify_one();
  thread_.join();
}

void Companion::RunBoth(absl::FunctionRef<void()> there, absl::FunctionRef<void()> here) {
  const uint32_t done_before = done_.load(std::memory_order_relaxed);
  task_ = &there;
  begun_.fetch_add(1, std::memory_order_release);
  begun_.notify_one();
  std::exception_ptr error;
  try {
    here();
  } catch (...) {
    error = std::current_exception();
  }
  // `there` may use what the caller owns: it is waited for in any case.
  Await(done_, done_before);
  const std::exception_ptr other = std::exchange(error_, nullptr);
  if (error || other) std::rethrow_exception(error ? error : other);
}

void Companion::Loop() {
  for (uint32_t seen = 0;; ++seen) {
    Await(begun_, seen);
    if (finished_) return;
    try {
      (*task_)();
    } catch (...) {
      error_ = std::current_exception();
    }
    done_.fetch_add(1, std::memory_order_release);
    done_.notify_one();
  }
}

}  // namespace hivewire
