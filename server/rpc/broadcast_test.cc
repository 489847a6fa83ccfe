#include "server/rpc/broadcast.h"

#include <gtest/gtest.h>

namespace hivewire {
namespace {

v1::ServerFrame Frame(uint64_t seq) {
  v1::ServerFrame frame;
  frame.set_seq(seq);
  return frame;
}

TEST(Broadcast, EveryListenerHearsEveryFrameInOrder) {
  Broadcast broadcast;
  const auto first = broadcast.Listen([] {});
  const auto second = broadcast.Listen([] {});
  for (uint64_t seq = 1; seq <= 5; ++seq) broadcast.Publish(Frame(seq));
  for (uint64_t seq = 1; seq <= 5; ++seq) {
    EXPECT_EQ(first->Take()->seq(), seq);
    EXPECT_EQ(second->Take()->seq(), seq);
  }
}

TEST(Broadcast, ASlowListenerLosesTheOldestFramesAndSeesAGap) {
  Broadcast broadcast;
  const auto slow = broadcast.Listen([] {});
  const uint64_t published = 3 * Broadcast::kKept;
  for (uint64_t seq = 1; seq <= published; ++seq) broadcast.Publish(Frame(seq));
  EXPECT_EQ(slow->Take()->seq(), published - Broadcast::kKept + 1);
}

TEST(Broadcast, AListenerThatLeftIsForgotten) {
  Broadcast broadcast;
  auto gone = broadcast.Listen([] {});
  const std::weak_ptr<Broadcast::Listener> watch = gone;
  gone.reset();
  broadcast.Publish(Frame(1));
  EXPECT_TRUE(watch.expired());
  const auto late = broadcast.Listen([] {});
  broadcast.Publish(Frame(2));
  EXPECT_EQ(late->Take()->seq(), 2u);
}

TEST(Broadcast, AListenerIsToldOfEachFrameAndWoken) {
  Broadcast broadcast;
  int told = 0;
  const auto listener = broadcast.Listen([&] { ++told; });
  broadcast.Publish(Frame(1));
  EXPECT_EQ(told, 1);
  broadcast.WakeAll();
  EXPECT_EQ(told, 2);
  EXPECT_NE(listener->Take(), nullptr);
  EXPECT_EQ(listener->Take(), nullptr);
}

}  // namespace
}  // namespace hivewire
