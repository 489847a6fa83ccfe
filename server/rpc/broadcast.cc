#include "server/rpc/broadcast.h"

#include <utility>

namespace hivewire {

std::shared_ptr<const v1::ServerFrame> Broadcast::Listener::Take() {
  MutexLock lock(mutex_);
  if (frames_.empty()) return nullptr;
  std::shared_ptr<const v1::ServerFrame> frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

void Broadcast::Listener::Add(const std::shared_ptr<const v1::ServerFrame>& frame) {
  {
    MutexLock lock(mutex_);
    if (frames_.size() == kKept) frames_.pop_front();
    frames_.push_back(frame);
  }
  on_news_();
}

std::shared_ptr<Broadcast::Listener> Broadcast::Listen(std::function<void()> on_news) {
  auto listener = std::make_shared<Listener>(std::move(on_news));
  MutexLock lock(mutex_);
  listeners_.push_back(listener);
  anybody_.store(true);
  return listener;
}

std::vector<std::shared_ptr<Broadcast::Listener>> Broadcast::Listeners() {
  MutexLock lock(mutex_);
  std::vector<std::shared_ptr<Listener>> listeners;
  std::erase_if(listeners_, [&](const std::weak_ptr<Listener>& known) {
    std::shared_ptr<Listener> listener = known.lock();
    if (listener == nullptr) return true;
    listeners.push_back(std::move(listener));
    return false;
  });
  anybody_.store(!listeners_.empty());
  return listeners;
}

void Broadcast::Publish(const v1::ServerFrame& frame) {
  if (!anybody_.load(std::memory_order_relaxed)) return;
  const auto copy = std::make_shared<const v1::ServerFrame>(frame);
  for (const auto& listener : Listeners()) listener->Add(copy);
}

void Broadcast::WakeAll() {
  for (const auto& listener : Listeners()) listener->on_news_();
}

}  // namespace hivewire
