#include "server/rpc/call_queue.h"

#include "base/gpr_time.h"

namespace hivewire {

CallQueue::~CallQueue() {
  queue_->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) static_cast<Event*>(tag)->Happened(ok);
}

void CallQueue::WaitForHolds() {
  MutexLock lock(mutex_);
  changed_.Wait(lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return holds_ == 0; });
}

bool CallQueue::Poll(absl::Time deadline) {
  void* tag = nullptr;
  bool ok = false;
  if (queue_->AsyncNext(&tag, &ok, ToGprTime(deadline)) != grpc::CompletionQueue::GOT_EVENT)
    return false;
  static_cast<Event*>(tag)->Happened(ok);
  return true;
}

void CallQueue::Wake() {
  if (!woken_.under_way.exchange(true))
    alarm_.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_REALTIME), static_cast<Event*>(&woken_));
}

void CallQueue::Change(int holds) {
  MutexLock lock(mutex_);
  holds_ += holds;
  if (holds_ == 0) changed_.NotifyAll();
}

}  // namespace hivewire
