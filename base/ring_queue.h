// A queue that keeps its memory: once it has been as long as it gets, it allocates nothing.
//
// Not thread-safe.
#ifndef HIVEWIRE_BASE_RING_QUEUE_H_
#define HIVEWIRE_BASE_RING_QUEUE_H_

#include <cstddef>
#include <utility>
#include <vector>

namespace hivewire {

template <typename T>
class RingQueue {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // The n-th from the front.
  T& operator[](size_t n) { return slots_[Place(n)]; }
  T& front() { return slots_[begin_]; }
  const T& front() const { return slots_[begin_]; }

  void push_back(T value) {
    Reserve();
    slots_[Place(size_++)] = std::move(value);
  }
  void push_front(T value) {
    Reserve();
    begin_ = Place(slots_.size() - 1);
    slots_[begin_] = std::move(value);
    ++size_;
  }
  void pop_front() {
    slots_[begin_] = T();
    begin_ = Place(1);
    --size_;
  }
  void clear() {
    while (!empty()) pop_front();
  }
  // The first that equals `value`, if there is one; the others keep their order.
  void Remove(const T& value) {
    size_t n = 0;
    while (n < size_ && !((*this)[n] == value)) ++n;
    if (n == size_) return;
    for (; n > 0; --n) (*this)[n] = std::move((*this)[n - 1]);
    pop_front();
  }

 private:
  static constexpr size_t kFirstSlots = 16;

  // `slots_` is a power of two long.
  size_t Place(size_t n) const { return (begin_ + n) & (slots_.size() - 1); }
  // Makes room for one more.
  void Reserve() {
    if (size_ < slots_.size()) return;
    std::vector<T> more(slots_.empty() ? kFirstSlots : 2 * slots_.size());
    for (size_t n = 0; n < size_; ++n) more[n] = std::move((*this)[n]);
    slots_ = std::move(more);
    begin_ = 0;
  }

  std::vector<T> slots_;
  size_t begin_ = 0;
  size_t size_ = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_RING_QUEUE_H_
