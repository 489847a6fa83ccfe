#include "base/ring_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>

namespace hivewire {
namespace {

TEST(RingQueue, DoesWhatADequeDoes) {
  RingQueue<int> queue;
  std::deque<int> expected;
  std::mt19937 random(1);
  for (int k = 0; k < 10000; ++k) {
    // Longer and longer, then shorter again.
    const bool grows = random() % 100 < (k % 2000 < 1000 ? 60u : 40u);
    if (grows && random() % 2 == 0) {
      queue.push_back(k);
      expected.push_back(k);
    } else if (grows) {
      queue.push_front(k);
      expected.push_front(k);
    } else if (!expected.empty()) {
      EXPECT_EQ(queue.front(), expected.front());
      queue.pop_front();
      expected.pop_front();
    }
    ASSERT_EQ(queue.size(), expected.size());
    for (size_t n = 0; n < expected.size(); ++n) ASSERT_EQ(queue[n], expected[n]);
  }
}

TEST(RingQueue, RemovesOneAndKeepsTheOrderOfTheOthers) {
  for (int removed = -1; removed <= 5; ++removed) {
    RingQueue<int> queue;
    for (int k = 2; k < 5; ++k) queue.push_back(k);
    for (int k = 1; k >= 0; --k) queue.push_front(k);
    queue.Remove(removed);
    std::deque<int> expected;
    for (int k = 0; k < 5; ++k) {
      if (k != removed) expected.push_back(k);
    }
    ASSERT_EQ(queue.size(), expected.size());
    for (size_t n = 0; n < expected.size(); ++n) EXPECT_EQ(queue[n], expected[n]);
  }
}

TEST(RingQueue, LetsGoOfWhatWasTaken) {
  RingQueue<std::shared_ptr<int>> queue;
  const auto value = std::make_shared<int>(1);
  queue.push_back(value);
  queue.push_back(value);
  queue.pop_front();
  EXPECT_EQ(value.use_count(), 2);
  queue.clear();
  EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace hivewire
