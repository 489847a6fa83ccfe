#include "client/outbox.h"

#include <gtest/gtest.h>

namespace hivewire {
namespace {

const v1::ClientFrame& Step(Outbox& outbox, uint64_t seq, std::vector<uint32_t> lanes) {
  auto frame = std::make_unique<v1::ClientFrame>();
  frame->set_seq(seq);
  auto& op_nos = *frame->mutable_step()->mutable_op_nos();
  return *outbox.Put(lanes, op_nos, std::move(frame));
}

std::vector<uint64_t> Resent(const Outbox& outbox, const std::vector<uint64_t>& accepted) {
  std::vector<Outbox::Frame> frames;
  EXPECT_TRUE(outbox.Unaccepted(accepted, frames).ok());
  std::vector<uint64_t> seqs;
  for (const Outbox::Frame& frame : frames) seqs.push_back(frame->seq());
  return seqs;
}

TEST(Outbox, NumbersEachLanesOperationsWithoutGaps) {
  Outbox outbox(3);
  EXPECT_EQ(Step(outbox, 1, {0, 1, 2}).step().op_nos_size(), 1);
  ASSERT_TRUE(outbox.Answered(0, 1).ok());
  const v1::ClientFrame& one = Step(outbox, 2, {0});
  EXPECT_EQ(one.step().op_nos(0), 2u);
  for (const uint32_t lane : {1, 2}) ASSERT_TRUE(outbox.Answered(lane, 1).ok());
  ASSERT_TRUE(outbox.Answered(0, 2).ok());
  const v1::ClientFrame& mixed = Step(outbox, 3, {2, 0});
  ASSERT_EQ(mixed.step().op_nos_size(), 2);
  EXPECT_EQ(mixed.step().op_nos(0), 2u);
  EXPECT_EQ(mixed.step().op_nos(1), 3u);
}

TEST(Outbox, SendsAgainWhatWasNotAcceptedAndNothingElse) {
  Outbox outbox(4);
  Step(outbox, 1, {0, 1});
  Step(outbox, 2, {2, 3});
  EXPECT_EQ(Resent(outbox, {0, 0, 0, 0}), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(Resent(outbox, {1, 1, 0, 0}), (std::vector<uint64_t>{2}));
  EXPECT_EQ(Resent(outbox, {0, 0, 1, 1}), (std::vector<uint64_t>{1}));
  ASSERT_TRUE(outbox.Answered(0, 1).ok());  // half a batch had come
  EXPECT_EQ(Resent(outbox, {1, 1, 1, 1}), (std::vector<uint64_t>{}));
}

TEST(Outbox, AResultIsTakenOnce) {
  Outbox outbox(1);
  Step(outbox, 1, {0});
  EXPECT_FALSE(outbox.Answered(0, 2).ok());
  EXPECT_FALSE(outbox.Answered(1, 1).ok());
  EXPECT_TRUE(outbox.Answered(0, 1).ok());
  EXPECT_FALSE(outbox.Answered(0, 1).ok());
}

TEST(Outbox, NumbersOfARefusedFrameAreUsedAgain) {
  Outbox outbox(2);
  Step(outbox, 5, {0, 1});
  EXPECT_TRUE(outbox.Refused(5));
  EXPECT_FALSE(outbox.Refused(5));
  EXPECT_EQ(Step(outbox, 6, {1}).step().op_nos(0), 1u);
}

TEST(Outbox, NumbersThatCannotBeThisClientsAreRefused) {
  Outbox outbox(2);
  Step(outbox, 1, {0, 1});
  std::vector<Outbox::Frame> frames;
  EXPECT_FALSE(outbox.Unaccepted({2, 2}, frames).ok());
  EXPECT_FALSE(outbox.Unaccepted({1, 0}, frames).ok());  // half of a frame
  EXPECT_FALSE(outbox.Unaccepted({1}, frames).ok());
  ASSERT_TRUE(outbox.Answered(0, 1).ok());
  EXPECT_FALSE(outbox.Unaccepted({0, 0}, frames).ok());  // less than was answered
}

TEST(Outbox, APoolTakenOverAnswersItsLastOperationsFirst) {
  Outbox outbox(3);
  EXPECT_EQ(outbox.TakeOver({7, 0, 9}), (std::vector<uint32_t>{0, 2}));
  EXPECT_EQ(Resent(outbox, {7, 0, 9}), (std::vector<uint64_t>{}));
  EXPECT_TRUE(outbox.Answered(0, 7).ok());
  EXPECT_TRUE(outbox.Answered(2, 9).ok());
  const v1::ClientFrame& next = Step(outbox, 1, {0, 1, 2});
  EXPECT_EQ(next.step().op_nos(0), 8u);
  EXPECT_EQ(next.step().op_nos(1), 1u);
  EXPECT_EQ(next.step().op_nos(2), 10u);
}

}  // namespace
}  // namespace hivewire
