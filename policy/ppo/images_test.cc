// Learning from images alone: by a convolution, from a rollout that is kept, saved and taken back.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/textproto.h"
#include "policy/algorithm.h"

namespace hivewire {
namespace {

constexpr int kLanes = 8, kSide = 12;
constexpr int kPixels = kSide * kSide;

v1::LearnerConfig Config(bool shared_trunk) {
  v1::LearnerConfig config;
  const auto parsed = TextprotoFile::Parse("config", R"(
      threads: 1
      model {
        hidden: 16
        convolution { layers { channels: 4 kernel: 4 stride: 2 } features: 16 }
      }
      ppo { rollout_steps: 16 minibatch_size: 32 learning_rate: 3e-3 epochs: 4 }
  )",
                                           config);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  config.mutable_model()->set_shared_trunk(shared_trunk);
  return config;
}

// One-step episodes: a bright square lies somewhere in the left or the right half of a dark image,
// and choosing its half pays 1.
class Spots {
 public:
  explicit Spots(const v1::LearnerConfig& config) {
    Problem problem = {kLanes, kPixels, ActionSpace::Discrete(2)};
    problem.observation_leaves = {{"camera", kPixels, {1, kSide, kSide}}};
    auto made = MakeAlgorithm(config, problem);
    EXPECT_TRUE(made.ok()) << made.status();
    algorithm_ = *std::move(made);
  }

  // Mean reward of the last rollout.
  double Train(int updates) {
    double mean = 0;
    for (int update = 0; update < updates; ++update) {
      double sum = 0;
      int steps = 0;
      std::vector<int64_t> halves = Show();
      while (algorithm_->StepsUntilUpdate() > 0) {
        std::vector<char> actions(kLanes * sizeof(int64_t));
        EXPECT_TRUE(algorithm_->Act({0, kLanes}, images_, absl::MakeSpan(actions)).ok());
        std::vector<float> rewards(kLanes);
        for (int lane = 0; lane < kLanes; ++lane) {
          int64_t choice;
          std::memcpy(&choice, &actions[static_cast<size_t>(lane) * sizeof(choice)],
                      sizeof(choice));
          rewards[static_cast<size_t>(lane)] = choice == halves[static_cast<size_t>(lane)];
          sum += rewards[static_cast<size_t>(lane)];
          ++steps;
        }
        halves = Show();
        const std::vector<uint8_t> ones(kLanes, 1), zeros(kLanes, 0);
        EXPECT_TRUE(algorithm_->Record({0, kLanes}, {images_, rewards, ones, zeros, ones}).ok());
      }
      const auto statistics = algorithm_->Update(0);
      EXPECT_TRUE(statistics.ok()) << statistics.status();
      for (const Statistic& statistic : *statistics) {
        EXPECT_TRUE(std::isfinite(statistic.value)) << statistic.tag;
      }
      mean = sum / steps;
    }
    return mean;
  }

  TensorMap Saved() const {
    TensorMap tensors;
    EXPECT_TRUE(algorithm_->Save(tensors).ok());
    return tensors;
  }

  // Goes on from what another one saved, and shows what that would show next.
  void GoOnFrom(const Spots& other, const TensorMap& tensors) {
    EXPECT_TRUE(algorithm_->Load(tensors).ok());
    shown_ = other.shown_;
  }

 private:
  // New images; which half each one's square lies in.
  std::vector<int64_t> Show() {
    images_.assign(kLanes * kPixels, 0.0f);
    std::vector<int64_t> halves;
    for (int lane = 0; lane < kLanes; ++lane) {
      shown_ = shown_ * 6364136223846793005u + 1442695040888963407u;
      const int64_t half = static_cast<int64_t>(shown_ >> 60) % 2;
      const int left = static_cast<int>(half) * (kSide / 2) + static_cast<int>(shown_ >> 40) % 4;
      const int top = static_cast<int>(shown_ >> 50) % 10;
      for (const int y : {top, top + 1}) {
        for (const int x : {left, left + 1}) {
          images_[static_cast<size_t>(lane * kPixels + y * kSide + x)] = 1;
        }
      }
      halves.push_back(half);
    }
    return halves;
  }

  std::unique_ptr<Algorithm> algorithm_;
  std::vector<float> images_;
  uint64_t shown_ = 1;
};

TEST(PpoOfImages, LearnsWhereSomethingLies) {
  for (const bool shared_trunk : {false, true}) {
    Spots spots(Config(shared_trunk));
    EXPECT_LT(spots.Train(1), 0.7);
    EXPECT_GT(spots.Train(30), 0.9);
  }
}

TEST(PpoOfImages, GoesOnFromACheckpointToTheSameBits) {
  Spots whole(Config(true));
  whole.Train(2);
  const TensorMap saved = whole.Saved();
  Spots resumed(Config(true));
  resumed.GoOnFrom(whole, saved);
  whole.Train(2);
  resumed.Train(2);
  const TensorMap a = whole.Saved(), b = resumed.Saved();
  for (const auto& [name, tensor] : a.tensors()) {
    EXPECT_EQ((*b.Get(name))->bytes, tensor.bytes) << name;
    if (name.find("vision") == std::string::npos || name.rfind("model", 0) != 0) continue;
    EXPECT_NE((*saved.Get(name))->bytes, tensor.bytes) << name << " has learned nothing";
  }
}

TEST(PpoOfImages, ARolloutThatTakesTooMuchIsRefusedByItsBytes) {
  v1::LearnerConfig config = Config(true);
  config.mutable_ppo()->set_rollout_steps(1000000);
  Problem problem = {64, 4 * 84 * 84, ActionSpace::Discrete(2)};
  problem.observation_leaves = {{"camera", 4 * 84 * 84, {4, 84, 84}}};
  const absl::Status status = MakeAlgorithm(config, problem).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  for (const char* part : {"ppo.rollout_steps 1000000 of 64 lanes", "7225351225344 bytes",
                           "ppo.max_rollout_bytes is 8589934592"}) {
    EXPECT_NE(status.message().find(part), std::string::npos) << status;
  }
}

TEST(PpoOfImages, AnOrdinaryModelIsNoLongerNarrowerThanItsImages) {
  v1::LearnerConfig config = Config(true);
  config.mutable_model()->clear_convolution();
  const auto made = MakeAlgorithm(config, {kLanes, 9000, ActionSpace::Discrete(2)});
  ASSERT_TRUE(made.ok()) << made.status();
  // It acts where it learns; what travels is bounded.
  EXPECT_TRUE(absl::IsUnimplemented((*made)->Export().status()));
}

}  // namespace
}  // namespace hivewire
