// Learner ranks as processes, one of which is killed: the other ends by itself, with a clear error
// and a checkpoint that as many ranks go on from.
//
// Usage: lost_rank_test --env_server=PROGRAM --learner=PROGRAM
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/ranks/testing/joined_ranks.h"
#include "tests/faults/child.h"
#include "tests/faults/learner_run.h"
#include "tests/testing/short_folder.h"

ABSL_FLAG(std::string, env_server, "", "The server's program.");
ABSL_FLAG(std::string, learner, "", "The learner's program.");

namespace hivewire {
namespace {

constexpr int kRanks = 2;

class LostRankTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    server_ = std::make_unique<ServerChild>(absl::GetFlag(FLAGS_env_server), folder_.path(),
                                            folder_.Socket("env.sock"),
                                            std::vector<std::string>{"--render=false"});
    ASSERT_TRUE(server_->Start().ok());
    run_ = folder_.path() + "/run";
  }

  std::string LogOf(int rank) const { return absl::StrCat(folder_.path(), "/rank", rank, ".log"); }

  std::string Said(int rank) const {
    std::stringstream text;
    text << std::ifstream(LogOf(rank)).rdbuf();
    return text.str();
  }

  // All ranks of the run, from its begin or from its last checkpoint.
  std::vector<std::unique_ptr<Child>> Start(int64_t frames, bool resume) {
    const std::string rendezvous = FreeRendezvous();
    std::vector<std::unique_ptr<Child>> children;
    for (int rank = 0; rank < kRanks; ++rank) {
      // Rank 0's word counts for all.
      std::vector<std::string> words = {
          absl::GetFlag(FLAGS_learner), "train", absl::StrCat("--rank=", rank),
          absl::StrCat("--ranks=", kRanks), absl::StrCat("--rendezvous=", rendezvous)};
      if (rank == 0) {
        words.insert(
            words.end(),
            {"--preset=cartpole", absl::StrCat("--server=", server_->address()),
             absl::StrCat("--frames=", frames), "--set=evaluation.episodes=0", "--set=threads=1",
             absl::StrCat(resume ? "--resume=" : "--run_folder=", run_)});
      }
      auto child = Child::Start(words, LogOf(rank));
      EXPECT_TRUE(child.ok()) << child.status();
      children.push_back(*std::move(child));
    }
    return children;
  }

  int64_t Frames() const { return LearnerRun{.learner = "", .reach = "", .folder = run_}.Frames(); }

  ShortFolder folder_;
  std::unique_ptr<ServerChild> server_;
  std::string run_;
};

TEST_P(LostRankTest, EndsTheOtherWithACheckpointThatBothGoOnFrom) {
  const int lost = GetParam(), other = 1 - lost;
  auto ranks = Start(100'000'000, /*resume=*/false);
  const absl::Time deadline = absl::Now() + absl::Minutes(4);
  while (Frames() < 4 * kFramesAnUpdate && ranks[other]->Running() && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  ASSERT_GE(Frames(), 4 * kFramesAnUpdate) << Said(0) << Said(1);
  ranks[lost]->Kill();
  EXPECT_EQ(ranks[other]->Wait(deadline), 1) << Said(other);
  EXPECT_TRUE(absl::StrContains(Said(other), "a learner rank was lost")) << Said(other);
  EXPECT_TRUE(absl::StrContains(Said(other), absl::StrCat("--resume=", run_))) << Said(other);

  const auto path = CheckpointFolder(run_ + "/checkpoints").Find("last");
  ASSERT_TRUE(path.ok()) << path.status();
  const auto checkpoint = ReadCheckpoint(*path);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const int64_t frames = checkpoint->state.frames();
  EXPECT_GE(frames, 4 * kFramesAnUpdate);
  EXPECT_EQ(frames % kFramesAnUpdate, 0);

  const int64_t end = frames + 2 * kFramesAnUpdate;
  for (const auto& rank : Start(end, /*resume=*/true)) {
    EXPECT_EQ(rank->Wait(absl::Now() + absl::Minutes(4)), 0) << Said(0) << Said(1);
  }
  EXPECT_EQ(Frames(), end);
}

INSTANTIATE_TEST_SUITE_P(Ranks, LostRankTest, testing::Values(0, 1));

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
