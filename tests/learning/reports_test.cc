// What a run tells while it trains, and what a new one takes over from an old one.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/curve/event_file.h"
#include "policy/trainer.h"
#include "tests/learning/inproc_training.h"

namespace hivewire {
namespace {

constexpr int kUpdate = InprocTraining::kUpdate;
constexpr int kTotal = 4 * kUpdate;

std::vector<int64_t> Steps(const RunFolder& folder, const std::string& tag) {
  const auto points = ReadScalars(folder.path(), tag);
  std::vector<int64_t> steps;
  if (!points.ok()) return steps;
  for (const ScalarPoint& point : *points) steps.push_back(point.step);
  return steps;
}

TEST(Reports, EachUpdateIsARowAndAnEvent) {
  InprocTraining training("CartPole-v1");
  const RunFolder folder = training.Train("rows", kTotal);
  const std::vector<std::string> rows =
      absl::StrSplit(*ReadFile(folder.progress_csv()), '\n', absl::SkipEmpty());
  ASSERT_EQ(rows.size(), 5u);
  const std::vector<std::string> header = absl::StrSplit(rows[0], ',');
  const std::vector<std::string> last = absl::StrSplit(rows[4], ',');
  ASSERT_EQ(header.size(), last.size());
  EXPECT_EQ(header[0], "frames");
  EXPECT_EQ(last[0], absl::StrCat(kTotal));
  // There are no collectors.
  const std::set<std::string> absent = {"staleness_mean", "staleness_max", "fragments_dropped",
                                        "collectors"};
  for (size_t i = 0; i < header.size(); ++i) {
    EXPECT_EQ(last[i].empty(), absent.count(header[i]) > 0) << header[i];
  }
  EXPECT_EQ(Steps(folder, "charts/episodic_return"),
            (std::vector<int64_t>{kUpdate, 2 * kUpdate, 3 * kUpdate, kTotal}));
}

TEST(Reports, ARowSaysWhereTheTimeWent) {
  InprocTraining training("CartPole-v1");
  const RunFolder folder = training.Train("times", kTotal);
  const auto sum = [&](const std::string& tag) {
    double total = 0;
    const auto points = ReadScalars(folder.path(), tag);
    EXPECT_TRUE(points.ok()) << points.status();
    if (!points.ok()) return total;
    for (const ScalarPoint& point : *points) {
      EXPECT_GT(point.value, 0) << tag;
      total += point.value;
    }
    return total;
  };
  const double parts = sum("charts/wait_seconds") + sum("charts/observe_seconds") +
                       sum("charts/act_seconds") + sum("charts/update_seconds");
  const auto seconds = ReadScalars(folder.path(), "charts/seconds");
  ASSERT_TRUE(seconds.ok()) << seconds.status();
  EXPECT_LE(parts, seconds->back().value + 1e-3);  // events hold single floats
}

TEST(Reports, TrackersAreThoseAskedFor) {
  InprocTraining training("CartPole-v1");
  training.Set({"output.trackers=[wandb]"});
  const RunFolder folder = training.Train("wandb_only", kTotal);
  EXPECT_FALSE(std::filesystem::exists(folder.progress_csv()));
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/wandb"));
  EXPECT_FALSE(ReadScalars(folder.path(), "charts/SPS").ok());

  training.Set({"output.trackers=[tensorbord]"});
  const absl::Status status =
      Trainer::Create(training.config(), training.reach(), nullptr).status();
  EXPECT_NE(status.message().find("tensorboard"), std::string::npos) << status;
}

TEST(Reports, EvaluationsBeginBeforeTheFirstUpdateIfAsked) {
  InprocTraining training("CartPole-v1");
  training.Set({"evaluation.episodes=3", "evaluation.at_start=true",
                absl::StrCat("evaluation.interval=", 2 * kUpdate)});
  const RunFolder folder = training.Train("at_start", kTotal);
  EXPECT_EQ(Steps(folder, "eval/episodic_return"), (std::vector<int64_t>{0, 2 * kUpdate, kTotal}));
}

TEST(Reports, EvaluatedEpisodesAreWholeWhereThoseOfTrainingAreCut) {
  InprocTraining training("CartPole-v1");
  training.Set({"evaluation.episodes=3", "collection.max_frames_per_traj=5"});
  const RunFolder folder = training.Train("cut", kTotal);
  const auto trained = ReadScalars(folder.path(), "charts/episodic_length");
  const auto evaluated = ReadScalars(folder.path(), "eval/episodic_length");
  ASSERT_TRUE(trained.ok() && evaluated.ok());
  EXPECT_EQ(trained->back().value, 5);
  EXPECT_GT(evaluated->back().value, 5);
}

TEST(Reports, StatisticsAreOfEvaluationsAloneIfAsked) {
  InprocTraining training("CartPole-v1");
  training.Set({"evaluation.episodes=3", "evaluation.only_statistics=true"});
  const RunFolder folder = training.Train("only_evaluations", kTotal);
  EXPECT_EQ(Steps(folder, "eval/episodic_return"), (std::vector<int64_t>{kTotal}));
  EXPECT_EQ(Steps(folder, "charts/episodic_return"), std::vector<int64_t>{});
  EXPECT_EQ(Steps(folder, "losses/entropy").size(), 4u);
}

// Videos that can be made are in tests/end_to_end and tests/readers: pools in process do not
// render.
TEST(Reports, ARunGoesOnWithoutAVideoThatCannotBeMade) {
  InprocTraining training("CartPole-v1");
  training.Set({absl::StrCat("output.video_interval=", 2 * kUpdate)});
  const RunFolder folder = training.Train("videos", kTotal);
  EXPECT_FALSE(std::filesystem::exists(folder.video(2 * kUpdate)));
  EXPECT_EQ(Steps(folder, "losses/entropy").size(), 4u);
}

TEST(Weights, ANewRunBeginsWithThePolicyOfAnOldOne) {
  InprocTraining training("InvertedDoublePendulum-v5");
  training.Set({"evaluation.episodes=3", "evaluation.at_start=true"});
  const RunFolder old = training.Train("old", kTotal);
  const std::string last = *CheckpointFolder(old.checkpoints()).Find("last");
  const Checkpoint weights = *ReadCheckpoint(last);

  training.Set({"seed=7"});
  auto trainer = Trainer::Create(training.config(), training.reach(), nullptr, &weights);
  ASSERT_TRUE(trainer.ok()) << trainer.status();
  std::filesystem::remove_all(testing::TempDir() + "/new");
  auto folder = RunFolder::Create(training.config(), testing::TempDir() + "/new");
  ASSERT_TRUE(folder.ok()) << folder.status();
  ASSERT_TRUE((*trainer)->Run(*folder, [] { return false; }).ok());
  const auto before = ReadScalars(old.path(), "eval/episodic_return");
  const auto after = ReadScalars(folder->path(), "eval/episodic_return");
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->back().step, kTotal);
  EXPECT_EQ(after->front().step, 0);
  EXPECT_EQ(after->front().value, before->back().value);
  EXPECT_NE(after->front().value, before->front().value);
  EXPECT_EQ((*trainer)->frames(), kTotal);

  InprocTraining other("CartPole-v1");
  const absl::Status refused =
      Trainer::Create(other.config(), other.reach(), nullptr, &weights).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace hivewire
