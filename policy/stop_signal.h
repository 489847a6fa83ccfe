// SIGINT and SIGTERM as a question: should we stop? The first asks to finish, the second ends the
// process at once.
#ifndef HIVEWIRE_POLICY_STOP_SIGNAL_H_
#define HIVEWIRE_POLICY_STOP_SIGNAL_H_

#include <atomic>
#include <thread>

namespace hivewire {

class StopSignal {
 public:
  // Make it before any other thread: the signals are blocked in this one and those that it starts,
  // and taken by a thread of ours.
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Thread-safe.
  bool requested() const { return requested_; }

 private:
  void Watch();

  std::atomic<bool> requested_ = false;
  std::atomic<bool> finished_ = false;
  std::thread watcher_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_STOP_SIGNAL_H_
