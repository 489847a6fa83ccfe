#include "policy/ppo/ppo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "policy/testing/plain_policy.h"

namespace hivewire {
namespace {

constexpr int kLanes = 8;

v1::LearnerConfig SmallConfig() {
  v1::LearnerConfig config;
  // Beside other tests two threads would wait for each other.
  config.set_threads(1);
  config.mutable_model()->add_hidden(16);
  config.mutable_ppo()->set_rollout_steps(16);
  config.mutable_ppo()->set_minibatch_size(32);
  config.mutable_ppo()->set_learning_rate(0.003);
  config.mutable_ppo()->set_learning_rate_schedule("constant");
  return config;
}

// One-step episodes with an observation of (1, −1): the reward is a function of the action's bytes.
class Bandit {
 public:
  Bandit(const v1::LearnerConfig& config, const ActionSpace& action,
         std::function<float(const char*)> reward)
      : action_(action), reward_(std::move(reward)) {
    for (int lane = 0; lane < kLanes; ++lane) {
      observations_.insert(observations_.end(), {1.0f, -1.0f});
    }
    auto made = MakeAlgorithm(config, {kLanes, 2, action});
    EXPECT_TRUE(made.ok()) << made.status();
    algorithm_ = *std::move(made);
  }

  // Mean reward of each rollout.
  std::vector<double> Train(int updates) {
    std::vector<double> means;
    for (int update = 0; update < updates; ++update) {
      double sum = 0;
      int steps = 0;
      while (algorithm_->StepsUntilUpdate() > 0) {
        std::vector<char> actions(kLanes * action_.row_bytes());
        EXPECT_TRUE(algorithm_->Act({0, kLanes}, observations_, absl::MakeSpan(actions)).ok());
        std::vector<float> rewards(kLanes);
        for (int lane = 0; lane < kLanes; ++lane) {
          rewards[lane] = reward_(&actions[lane * action_.row_bytes()]);
          sum += rewards[lane];
          ++steps;
        }
        const std::vector<uint8_t> ones(kLanes, 1), zeros(kLanes, 0);
        EXPECT_TRUE(
            algorithm_->Record({0, kLanes}, {observations_, rewards, ones, zeros, ones}).ok());
      }
      const auto statistics = algorithm_->Update(0);
      EXPECT_TRUE(statistics.ok()) << statistics.status();
      means.push_back(sum / steps);
    }
    return means;
  }

  Algorithm& algorithm() { return *algorithm_; }
  const std::vector<float>& observations() const { return observations_; }

 private:
  ActionSpace action_;
  std::function<float(const char*)> reward_;
  std::vector<float> observations_;
  std::unique_ptr<Algorithm> algorithm_;
};

float NearHalf(const char* action) {
  float value;
  std::memcpy(&value, action, sizeof(value));
  return -(value - 0.5f) * (value - 0.5f);
}

float IsTwo(const char* action) {
  int64_t choice;
  std::memcpy(&choice, action, sizeof(choice));
  return choice == 2;
}

TEST(Ppo, LearnsWhichChoicePays) {
  Bandit bandit(SmallConfig(), ActionSpace::Discrete(4), IsTwo);
  const std::vector<double> means = bandit.Train(20);
  EXPECT_LT(means.front(), 0.5);
  EXPECT_GT(means.back(), 0.95);
}

TEST(Ppo, LearnsWhichPointOfABoxPays) {
  Bandit bandit(SmallConfig(), ActionSpace::Box({-3}, {3}), NearHalf);
  const std::vector<double> means = bandit.Train(60);
  EXPECT_LT(means.front(), -0.5);
  EXPECT_GT(means.back(), -0.1);
  std::vector<char> action(kLanes * sizeof(float));
  ASSERT_TRUE(
      bandit.algorithm().ActGreedily(bandit.observations(), {}, absl::MakeSpan(action)).ok());
  EXPECT_GT(NearHalf(action.data()), -0.02);
}

TEST(Ppo, ASharedTrunkAndAnEntropyBonusLearnToo) {
  v1::LearnerConfig config = SmallConfig();
  config.mutable_model()->set_shared_trunk(true);
  config.mutable_model()->set_activation("relu");
  config.mutable_ppo()->set_entropy_coefficient(0.001);
  config.mutable_ppo()->set_clip_value(true);
  Bandit bandit(config, ActionSpace::Discrete(4), IsTwo);
  EXPECT_GT(bandit.Train(20).back(), 0.95);
}

// Episodes of three steps: the observation is ±1 in the first, then 0; in the third, choice 1 pays
// after +1 and choice 0 after −1. Each is followed by the step that only starts the next.
class Recall {
 public:
  explicit Recall(const v1::LearnerConfig& config) {
    auto made = MakeAlgorithm(config, {kLanes, 1, action_});
    EXPECT_TRUE(made.ok()) << made.status();
    algorithm_ = *std::move(made);
    for (int lane = 0; lane < kLanes; ++lane) StartEpisode(lane);
    algorithm_->StartEpisodes({0, kLanes});
  }

  // Share of the episodes of the last rollout that paid.
  double Train(int updates) {
    double share = 0;
    for (int update = 0; update < updates; ++update) {
      int paid = 0, episodes = 0;
      while (algorithm_->StepsUntilUpdate() > 0) Step(paid, episodes);
      const auto statistics = algorithm_->Update(0);
      EXPECT_TRUE(statistics.ok()) << statistics.status();
      share = static_cast<double>(paid) / episodes;
    }
    return share;
  }

  // Share of pays, by the most likely action and a memory of the caller's.
  double Evaluate() {
    int paid = 0;
    for (const float cue : {-1.0f, 1.0f}) {
      std::vector<float> memory(static_cast<size_t>(algorithm_->memory_width()));
      std::vector<char> action(action_.row_bytes());
      for (const float seen : {cue, 0.0f, 0.0f}) {
        EXPECT_TRUE(
            algorithm_->ActGreedily({&seen, 1}, absl::MakeSpan(memory), absl::MakeSpan(action))
                .ok());
      }
      int64_t choice;
      std::memcpy(&choice, action.data(), sizeof(choice));
      paid += choice == (cue > 0);
    }
    return paid / 2.0;
  }

  Algorithm& algorithm() { return *algorithm_; }

 private:
  void StartEpisode(int lane) {
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    cue_[lane] = random_ >> 63 ? 1 : -1;
    observations_[lane] = cue_[lane];
    at_[lane] = 0;
  }

  void Step(int& paid, int& episodes) {
    std::vector<char> actions(kLanes * action_.row_bytes());
    EXPECT_TRUE(algorithm_->Act({0, kLanes}, observations_, absl::MakeSpan(actions)).ok());
    std::vector<float> rewards(kLanes);
    std::vector<uint8_t> terminated(kLanes), truncated(kLanes), valid(kLanes, 1);
    for (int lane = 0; lane < kLanes; ++lane) {
      observations_[lane] = 0;
      if (++at_[lane] == 4) {
        valid[lane] = 0;
        StartEpisode(lane);
      } else if (at_[lane] == 3) {
        int64_t choice;
        std::memcpy(&choice, &actions[lane * sizeof(choice)], sizeof(choice));
        terminated[lane] = 1;
        rewards[lane] = choice == (cue_[lane] > 0);
        paid += rewards[lane] > 0;
        ++episodes;
      }
    }
    EXPECT_TRUE(
        algorithm_->Record({0, kLanes}, {observations_, rewards, terminated, truncated, valid})
            .ok());
  }

  const ActionSpace action_ = ActionSpace::Discrete(2);
  std::unique_ptr<Algorithm> algorithm_;
  uint64_t random_ = 1;
  std::vector<float> observations_ = std::vector<float>(kLanes);
  std::vector<float> cue_ = std::vector<float>(kLanes);
  std::vector<int> at_ = std::vector<int>(kLanes);
};

v1::LearnerConfig RecallConfig(const std::string& type) {
  v1::LearnerConfig config = SmallConfig();
  config.mutable_model()->set_type(type);
  config.mutable_ppo()->set_rollout_steps(30);
  // Neither episodes nor rollouts are of its length.
  config.mutable_ppo()->set_tbptt_steps(8);
  config.mutable_ppo()->set_minibatch_size(64);
  config.mutable_ppo()->set_learning_rate(0.003);
  return config;
}

class RecurrentPpoTest : public testing::TestWithParam<const char*> {};

TEST_P(RecurrentPpoTest, LearnsWhatOnlyAMemoryCanKnow) {
  for (const bool shared : {false, true}) {
    v1::LearnerConfig config = RecallConfig(GetParam());
    config.mutable_model()->set_shared_trunk(shared);
    // Or what is learned is undone now and then (see the next test), on each kind of CPU at another
    // update.
    config.mutable_ppo()->set_normalize_advantage(false);
    Recall recall(config);
    EXPECT_GT(recall.Train(40), 0.9) << shared;
    EXPECT_EQ(recall.Evaluate(), 1) << shared;
  }
}

// Once every episode pays, advantages are noise around 0, and normalising them makes that as large
// as what there was to learn: at a learning rate like this one it undoes a policy, with any kind of
// memory and trunk. Without, what is learned stays.
TEST_P(RecurrentPpoTest, KeepsWhatItHasLearnedWhereAdvantagesAreNotNormalized) {
  v1::LearnerConfig config = RecallConfig(GetParam());
  config.mutable_model()->set_shared_trunk(true);
  config.mutable_ppo()->set_learning_rate(0.01);
  config.mutable_ppo()->set_normalize_advantage(false);
  Recall recall(config);
  recall.Train(20);
  for (int k = 0; k < 20; ++k) EXPECT_GT(recall.Train(2), 0.9) << k;
}

TEST_P(RecurrentPpoTest, AnUpdateWithoutAStepChangesNothing) {
  Recall recall(RecallConfig(GetParam()));
  recall.Train(1);
  TensorMap before, after;
  ASSERT_TRUE(recall.algorithm().Save(before).ok());
  const auto statistics = recall.algorithm().Update(0);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  ASSERT_TRUE(recall.algorithm().Save(after).ok());
  for (const auto& [name, tensor] : before.tensors()) {
    EXPECT_EQ(tensor.bytes, after.tensors().at(name).bytes) << name;
  }
}

TEST_P(RecurrentPpoTest, GoesOnFromSavedStateBitForBit) {
  const v1::LearnerConfig config = RecallConfig(GetParam());
  Recall whole(config), half(config);
  whole.Train(3);
  half.Train(3);
  // In the middle of episodes, so that what is remembered matters.
  TensorMap saved;
  ASSERT_TRUE(half.algorithm().Save(saved).ok());
  v1::LearnerConfig other_seed = config;
  other_seed.set_seed(99);
  auto loaded = *MakeAlgorithm(other_seed, {kLanes, 1, ActionSpace::Discrete(2)});
  loaded->StartEpisodes({0, kLanes});
  ASSERT_TRUE(loaded->Load(saved).ok());
  TensorMap again;
  ASSERT_TRUE(loaded->Save(again).ok());
  std::vector<float> observations(kLanes, 0.3f);
  std::vector<char> expected(kLanes * 8), got(kLanes * 8);
  for (int step = 0; step < 10; ++step) {
    ASSERT_TRUE(whole.algorithm().Act({0, kLanes}, observations, absl::MakeSpan(expected)).ok());
    ASSERT_TRUE(loaded->Act({0, kLanes}, observations, absl::MakeSpan(got)).ok());
    EXPECT_EQ(expected, got) << step;
    const std::vector<float> rewards(kLanes);
    const std::vector<uint8_t> zeros(kLanes), ones(kLanes, 1);
    for (Algorithm* algorithm : {&whole.algorithm(), loaded.get()}) {
      ASSERT_TRUE(algorithm->Record({0, kLanes}, {observations, rewards, zeros, zeros, ones}).ok());
    }
  }
}

TEST_P(RecurrentPpoTest, LearnsTheSameOnOneThreadAndOnTwo) {
  TensorMap learned[2];
  for (const int threads : {1, 2}) {
    v1::LearnerConfig config = RecallConfig(GetParam());
    config.set_threads(threads);
    Recall recall(config);
    recall.Train(2);
    ASSERT_TRUE(recall.algorithm().Save(learned[threads - 1]).ok());
  }
  for (const auto& [name, tensor] : learned[0].tensors()) {
    EXPECT_EQ(tensor.bytes, learned[1].tensors().at(name).bytes) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentPpoTest, testing::Values("rnn", "lstm", "gru"));

TEST(Ppo, WithoutAMemoryRecallIsAGuess) {
  Recall recall(RecallConfig("mlp"));
  EXPECT_LT(recall.Train(40), 0.7);
}

TEST(Ppo, EveryOptionLearnsWhichPointOfABoxPays) {
  struct Option {
    std::function<void(v1::LearnerConfig&)> set;
    double greedy = -0.05;
  };
  const std::vector<Option> options = {
      {[](auto& c) { c.mutable_distribution()->set_type("beta"); }},
      // Samples scatter evenly about 0.5, which is where their mean is. The mode, farther from the
      // middle by (2v + 1) / (2v − 1) with spread v ≥ 2.1, is then at 0.81 or less.
      {[](auto& c) { c.mutable_distribution()->set_type("beta-mean"); }, -0.31 * 0.31},
      {[](auto& c) { c.mutable_distribution()->set_type("tanh-gaussian"); }},
      {[](auto& c) { c.mutable_distribution()->set_std("state"); }},
      {[](auto& c) {
        c.mutable_distribution()->set_type("tanh-gaussian");
        c.mutable_distribution()->set_std("state");
      }},
      {[](auto& c) {
        c.mutable_distribution()->set_std("fixed");
        c.mutable_distribution()->set_initial_log_std(-1.5);
      }},
      {[](auto& c) { c.mutable_ppo()->set_advantage_scope("rollout"); }},
      {[](auto& c) { c.mutable_ppo()->set_recompute_advantages(true); }},
      {[](auto& c) { c.mutable_ppo()->set_normalize_value(true); }},
      {[](auto& c) { c.mutable_ppo()->set_kl_coefficient(0.1); }},
      {[](auto& c) {
        c.mutable_ppo()->set_learning_rate_schedule("kl-adaptive");
        c.mutable_ppo()->set_kl_target(0.02);
      }},
      {[](auto& c) {
        c.mutable_ppo()->set_learning_rate_schedule("exponential");
        c.mutable_ppo()->set_entropy_schedule("linear");
        c.mutable_ppo()->set_entropy_coefficient(0.001);
      }},
      {[](auto& c) {
        c.mutable_model()->set_initialization("uniform");
        c.mutable_model()->set_architecture("deeper");
      }},
  };
  for (size_t i = 0; i < options.size(); ++i) {
    v1::LearnerConfig config = SmallConfig();
    options[i].set(config);
    Bandit bandit(config, ActionSpace::Box({-3}, {3}), NearHalf);
    const std::vector<double> means = bandit.Train(60);
    // Rewards are negative.
    EXPECT_GT(means.back(), 0.5 * means.front()) << "option " << i;
    std::vector<char> action(kLanes * sizeof(float));
    ASSERT_TRUE(
        bandit.algorithm().ActGreedily(bandit.observations(), {}, absl::MakeSpan(action)).ok());
    EXPECT_GT(NearHalf(action.data()), options[i].greedy) << "option " << i;
  }
}

TEST(Ppo, LearnsWhereEachElementIsClippedByItself) {
  v1::LearnerConfig config = SmallConfig();
  config.mutable_ppo()->set_clip_scope("element");
  const auto both = [](const char* action) {
    return NearHalf(action) + NearHalf(action + sizeof(float));
  };
  Bandit bandit(config, ActionSpace::Box({-3, -3}, {3, 3}), both);
  const std::vector<double> means = bandit.Train(60);
  EXPECT_GT(means.back(), 0.5 * means.front());
  std::vector<char> action(2 * kLanes * sizeof(float));
  ASSERT_TRUE(
      bandit.algorithm().ActGreedily(bandit.observations(), {}, absl::MakeSpan(action)).ok());
  EXPECT_GT(both(action.data()), -0.05);
}

TEST(Ppo, ClipsByElementOnlyWhatItsOwnPolicyDid) {
  v1::LearnerConfig config = SmallConfig();
  config.mutable_ppo()->set_clip_scope("element");
  config.mutable_collection()->set_mode("collectors");
  const Problem problem = {kLanes, 2, ActionSpace::Box({-1}, {1})};
  EXPECT_TRUE(MakeAlgorithm(config, problem).ok());
  config.mutable_collection()->set_synchronous(false);
  EXPECT_NE(MakeAlgorithm(config, problem).status().message().find("ppo.clip_scope is \"element\""),
            std::string::npos);
  config.mutable_ppo()->set_clip_scope("elements");
  EXPECT_NE(MakeAlgorithm(config, problem).status().message().find("element"), std::string::npos);
}

TEST(Ppo, LearnsSeveralChoicesAtOnce) {
  const auto both = [](const char* action) {
    int64_t choices[2];
    std::memcpy(choices, action, sizeof(choices));
    return static_cast<float>(choices[0] == 2) + static_cast<float>(choices[1] == 0);
  };
  Bandit bandit(SmallConfig(), ActionSpace::MultiDiscrete(2, 3), both);
  EXPECT_GT(bandit.Train(30).back(), 1.9);
}

TEST(Ppo, NamesTheCriticsLeafThatThereIsNot) {
  v1::LearnerConfig config = SmallConfig();
  config.mutable_model()->add_critic_only_leaves("velocty");
  const Problem problem = {kLanes, 2, ActionSpace::Discrete(2), {{"position", 1}, {"velocity", 1}}};
  EXPECT_NE(MakeAlgorithm(config, problem).status().message().find("velocity"), std::string::npos);
  config.mutable_model()->set_critic_only_leaves(0, "velocity");
  EXPECT_TRUE(MakeAlgorithm(config, problem).ok());
}

TEST(Ppo, MinibatchesOfARecurrentModelAreWholeStretches) {
  v1::LearnerConfig config = RecallConfig("gru");
  config.mutable_ppo()->set_minibatch_size(60);
  EXPECT_NE(MakeAlgorithm(config, {kLanes, 1, ActionSpace::Discrete(2)})
                .status()
                .message()
                .find("minibatch_size is 60; it can be a multiple of tbptt_steps (8)"),
            std::string::npos);
}

TEST(Ppo, GoesOnFromSavedStateBitForBit) {
  const v1::LearnerConfig config = SmallConfig();
  const ActionSpace action = ActionSpace::Box({-1}, {1});
  Bandit whole(config, action, NearHalf), first(config, action, NearHalf);
  v1::LearnerConfig other_seed = config;
  other_seed.set_seed(99);
  Bandit second(other_seed, action, NearHalf);

  whole.Train(6);
  first.Train(3);
  TensorMap saved;
  ASSERT_TRUE(first.algorithm().Save(saved).ok());
  ASSERT_TRUE(second.algorithm().Load(saved).ok());
  second.Train(3);

  TensorMap expected, got;
  ASSERT_TRUE(whole.algorithm().Save(expected).ok());
  ASSERT_TRUE(second.algorithm().Save(got).ok());
  ASSERT_EQ(expected.tensors().size(), got.tensors().size());
  for (const auto& [name, tensor] : expected.tensors()) {
    EXPECT_EQ(tensor.bytes, got.tensors().at(name).bytes) << name;
  }
}

TEST(Ppo, LearnsTheSameOnOneThreadAndOnTwo) {
  v1::LearnerConfig config = SmallConfig();
  TensorMap learned[2];
  for (const int threads : {1, 2}) {
    config.set_threads(threads);
    Bandit bandit(config, ActionSpace::Box({-3}, {3}), NearHalf);
    bandit.Train(3);
    ASSERT_TRUE(bandit.algorithm().Save(learned[threads - 1]).ok());
  }
  for (const auto& [name, tensor] : learned[0].tensors()) {
    EXPECT_EQ(tensor.bytes, learned[1].tensors().at(name).bytes) << name;
  }
}

// Observations of a lane that moves on by itself.
std::vector<float> ObservationsAt(int step) {
  std::vector<float> rows;
  for (int lane = 0; lane < kLanes; ++lane) {
    const float at = static_cast<float>(step);
    rows.push_back(std::sin(0.1f * at + static_cast<float>(lane)));
    rows.push_back(std::cos(0.3f * at - static_cast<float>(lane)));
  }
  return rows;
}

class PpoScopeTest : public testing::TestWithParam<const char*> {};

TEST_P(PpoScopeTest, LearnsFromChoicesOfItsExportedPolicyAsFromItsOwn) {
  // So wide that nothing is clipped.
  const ActionSpace action = ActionSpace::Box({-100}, {100});
  v1::LearnerConfig config = SmallConfig();
  config.mutable_ppo()->set_clip_scope(GetParam());
  const auto own = *MakeAlgorithm(config, {kLanes, 2, action});
  const auto remote = *MakeAlgorithm(config, {kLanes, 2, action});
  const LaneRange lanes = {0, kLanes};
  std::vector<float> rewards(kLanes), log_probs(kLanes);
  std::vector<uint8_t> terminated(kLanes), truncated(kLanes);
  const std::vector<uint8_t> valid(kLanes, 1);
  for (int update = 0; update < 2; ++update) {
    const v1::Policy policy = *remote->Export();
    for (int step = 0; own->StepsUntilUpdate() > 0; ++step) {
      const std::vector<float> observations = ObservationsAt(step);
      const std::vector<float> next = ObservationsAt(step + 1);
      std::vector<char> actions(kLanes * action.row_bytes());
      ASSERT_TRUE(own->Act(lanes, observations, absl::MakeSpan(actions)).ok());
      for (int lane = 0; lane < kLanes; ++lane) {
        float chosen;
        std::memcpy(&chosen, &actions[lane * sizeof(chosen)], sizeof(chosen));
        const absl::Span<const float> row(&observations[2 * lane], 2);
        log_probs[lane] = static_cast<float>(LogProbByHand(
            policy, ActorByHand(policy, NormalizedByHand(policy, row)), {&chosen, 1}));
        rewards[lane] = chosen * observations[2 * lane];
        terminated[lane] = (step + lane) % 5 == 4;
        truncated[lane] = (step + lane) % 7 == 6;
      }
      ASSERT_TRUE(remote->TakeChoices(lanes, {observations, actions, log_probs}).ok());
      ASSERT_TRUE(own->Record(lanes, {next, rewards, terminated, truncated, valid}).ok());
      ASSERT_TRUE(remote->Record(lanes, {next, rewards, terminated, truncated, valid}).ok());
    }
    // The same shuffles from here on: only its own actions took random numbers.
    TensorMap before;
    ASSERT_TRUE(own->Save(before).ok());
    ASSERT_TRUE(remote->Load(before).ok());
    ASSERT_TRUE(own->Update(0).ok());
    ASSERT_TRUE(remote->Update(0).ok());
    TensorMap learned, expected;
    ASSERT_TRUE(remote->Save(learned).ok());
    ASSERT_TRUE(own->Save(expected).ok());
    for (const auto& [name, tensor] : expected.tensors()) {
      if (name.rfind("model.", 0) != 0) continue;
      ASSERT_NE(tensor.bytes, before.tensors().at(name).bytes) << name;
      const auto size = static_cast<int64_t>(tensor.bytes.size() / sizeof(float));
      std::vector<float> a(size), b(size);
      ASSERT_TRUE(expected.GetFloats(name, absl::MakeSpan(a)).ok());
      ASSERT_TRUE(learned.GetFloats(name, absl::MakeSpan(b)).ok());
      for (size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 1e-4) << name << " " << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ClipScopes, PpoScopeTest, testing::Values("action", "element"));

TEST(Ppo, RefusesAChoiceThatThereIsNot) {
  const ActionSpace action = ActionSpace::Discrete(3);
  const auto ppo = *MakeAlgorithm(SmallConfig(), {1, 1, action});
  std::vector<char> actions(action.row_bytes());
  action.WriteDiscrete({3}, absl::MakeSpan(actions));
  const float zero = 0;
  const absl::Span<const float> one(&zero, 1);
  const absl::Status status = ppo->TakeChoices({0, 1}, {one, actions, one});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("is 3; it can be 0 … 2"), std::string::npos) << status;
}

TEST(Ppo, LoadNamesTheTensorThatDoesNotFit) {
  Bandit small(SmallConfig(), ActionSpace::Box({-1}, {1}), NearHalf);
  v1::LearnerConfig config = SmallConfig();
  config.mutable_model()->set_hidden(0, 17);
  Bandit wide(config, ActionSpace::Box({-1}, {1}), NearHalf);
  TensorMap saved;
  ASSERT_TRUE(small.algorithm().Save(saved).ok());
  const absl::Status status = wide.algorithm().Load(saved);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("model.actor.0.weight"), std::string::npos) << status;
}

TEST(Ppo, RefusesAConfigOutOfRangeAndNamesTheField) {
  v1::LearnerConfig config;
  config.mutable_ppo()->set_gamma(1.5);
  const auto made = MakeAlgorithm(config, {kLanes, 2, ActionSpace::Discrete(2)});
  EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(made.status().message().find("ppo.gamma is 1.5"), std::string::npos);
}

}  // namespace
}  // namespace hivewire
