// A second thread that computes one thing while the caller computes another.
//
// For work of some ten microseconds: the thread waits for the next task by spinning for a moment
// before it sleeps. One caller at a time.
#ifndef HIVEWIRE_POLICY_NN_COMPANION_H_
#define HIVEWIRE_POLICY_NN_COMPANION_H_

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>

#include "absl/functional/function_ref.h"

namespace hivewire {

class Companion {
 public:
  Companion();
  ~Companion();
  Companion(const Companion&) = delete;
  Companion& operator=(const Companion&) = delete;

  // Runs `there` on the second thread and `here` on this one; returns when both have. What either
  // throws is thrown here.
  void RunBoth(absl::FunctionRef<void()> there, absl::FunctionRef<void()> here);

 private:
  void Loop();

  // Tasks begun and tasks done; the caller raises the first, the thread the second.
  std::atomic<uint32_t> begun_ = 0;
  std::atomic<uint32_t> done_ = 0;
  std::atomic<bool> finished_ = false;
  // Written by one side between the other's two counts.
  const absl::FunctionRef<void()>* task_ = nullptr;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_NN_COMPANION_H_
