#include "policy/ranks/gloo_ranks.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "policy/ranks/testing/joined_ranks.h"

namespace hivewire {
namespace {

class GlooRanksTest : public testing::TestWithParam<int> {};

TEST_P(GlooRanksTest, SumsAreTheSameBitsOnAllRanks) {
  const int size = GetParam();
  std::vector<std::vector<float>> sums(size);
  RunRanks(size, [&](Ranks& ranks) {
    std::vector<float> values(1001);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = 0.1f * static_cast<float>(i) + 1e-3f * static_cast<float>(ranks.rank());
    }
    EXPECT_TRUE(ranks.Sum(absl::MakeSpan(values)).ok());
    sums[ranks.rank()] = values;
  });
  for (int rank = 0; rank < size; ++rank) EXPECT_EQ(sums[rank], sums[0]);
  EXPECT_NEAR(sums[0][1000], 100.0f * size + 1e-3f * size * (size - 1) / 2, 1e-3);
}

TEST_P(GlooRanksTest, SharedTextsComeInTheOrderOfRanksWhateverTheirLengths) {
  const int size = GetParam();
  RunRanks(size, [&](Ranks& ranks) {
    const auto all = ranks.Share(std::string(ranks.rank() * 3, 'a' + ranks.rank()));
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_EQ(all->size(), static_cast<size_t>(size));
    for (int rank = 0; rank < size; ++rank) {
      EXPECT_EQ((*all)[rank], std::string(rank * 3, 'a' + rank));
    }
    const auto nothing = ranks.Share(std::string());
    ASSERT_TRUE(nothing.ok());
    EXPECT_EQ(*nothing, std::vector<std::string>(size));
  });
}

TEST_P(GlooRanksTest, CountsAddUpAndOneErrorIsEverybodys) {
  const int size = GetParam();
  RunRanks(size, [&](Ranks& ranks) {
    const auto sum = Agree(ranks, ranks.rank() + 1);
    ASSERT_TRUE(sum.ok()) << sum.status();
    EXPECT_EQ(*sum, size * (size + 1) / 2);
    const int last = size - 1;
    const absl::StatusOr<int64_t> own =
        ranks.rank() == last ? absl::StatusOr<int64_t>(absl::DataLossError("no luck")) : 1;
    const absl::Status agreed = Agree(ranks, own).status();
    EXPECT_TRUE(absl::IsDataLoss(agreed)) << agreed;
    EXPECT_EQ(agreed.message(), ranks.rank() == last
                                    ? "no luck"
                                    : absl::StrCat("rank ", last, " of ", size, ": no luck"));
    EXPECT_FALSE(ranks.broken());
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes, GlooRanksTest, testing::Values(1, 2, 4));

TEST(GlooRanks, OneThatLeavesIsNoticedByTheOthersInEveryLaterCall) {
  RunRanks(3, [&](Ranks& ranks) {
    const std::vector<double> own = {1.0};
    ASSERT_TRUE(ranks.Share(own).ok());
    if (ranks.rank() == 2) return;
    const absl::Time begin = absl::Now();
    absl::Status status;
    // The first may still have what the lost one sent.
    for (int k = 0; k < 3 && status.ok(); ++k) status = ranks.Share(own).status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "a learner rank was lost")) << status;
    EXPECT_LT(absl::Now() - begin, absl::Seconds(50)) << "noticed by its timeout alone";
    EXPECT_TRUE(ranks.broken());
    std::vector<float> values = {1.0f};
    EXPECT_EQ(ranks.Sum(absl::MakeSpan(values)), status);
  });
}

TEST(GlooRanks, WhoDoesNotComeIsNamed) {
  const absl::Status status = JoinRanks({0, 2, FreeRendezvous(), absl::Seconds(1)}).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "rank 1 of 2 has not come within 1s")) << status;
}

TEST(GlooRanks, OptionsThatCannotBeAreAnsweredByName) {
  const auto message = [](const RankOptions& options) {
    const absl::Status status = JoinRanks(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_TRUE(absl::StrContains(message({2, 2, "tcp:127.0.0.1:1"}), "rank is 2 and ranks is 2"));
  EXPECT_TRUE(absl::StrContains(message({-1, 2, "tcp:127.0.0.1:1"}), "rank is -1"));
  for (const char* wrong : {"", "127.0.0.1:1", "unix:/tmp/x", "tcp:127.0.0.1", "tcp:127.0.0.1:0",
                            "tcp::1", "tcp:127.0.0.1:70000"}) {
    EXPECT_TRUE(absl::StrContains(message({0, 2, wrong}), "rendezvous is")) << wrong;
  }
  EXPECT_TRUE(
      absl::StrContains(message({0, 2, "tcp:127.0.0.1:1", absl::ZeroDuration()}), "rank_timeout"));
}

TEST(GlooRanks, AnotherNumberOfRanksIsRefused) {
  const std::string rendezvous = FreeRendezvous();
  std::thread first([&] {
    // Nobody comes.
    EXPECT_FALSE(JoinRanks({0, 3, rendezvous, absl::Seconds(4)}).ok());
  });
  const absl::Status status = JoinRanks({1, 2, rendezvous, absl::Seconds(4)}).status();
  first.join();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "ranks is 2; rank 0 has 3")) << status;
}

}  // namespace
}  // namespace hivewire
