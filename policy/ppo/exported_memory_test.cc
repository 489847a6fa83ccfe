// What a policy remembers where it acts elsewhere is what PPO begins with.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "policy/acting_policy.h"
#include "policy/algorithm.h"
#include "policy/exported_actor.h"
#include "policy/fragment_collector.h"
#include "policy/fragment_source.h"

namespace hivewire {
namespace {

constexpr int kLanes = 3;
constexpr int kSteps = 12;

// Lanes that move on by themselves, in episodes of eight steps.
class Lanes : public FragmentSource {
 public:
  // `forgets`: fragments come without what was remembered before them.
  explicit Lanes(bool forgets) : forgets_(forgets) {
    action_leaf_.set_name("action");
    action_leaf_.set_dtype(v1::DTYPE_INT64);
    action_leaf_.set_cardinality(3);
  }

  const Problem& problem() const override { return problem_; }
  const v1::LeafSpec& action_leaf() const override { return action_leaf_; }
  absl::Status Start(uint64_t) override { return absl::OkStatus(); }
  int64_t losses() const override { return 0; }
  absl::Status Save(bool, TensorMap&) override { return absl::OkStatus(); }
  absl::Status Load(const TensorMap&, uint64_t, absl::Status&) override { return absl::OkStatus(); }

  absl::StatusOr<std::vector<Experience>> Gather(const v1::Policy& policy, int steps) override {
    const auto made = MakeCpuPolicy(policy);
    if (!made.ok()) return made.status();
    actor_.Begin(steps, [&] { return *made; });
    for (int t = 0; t < steps; ++t) {
      std::vector<char> actions(kLanes * problem_.action.row_bytes());
      absl::Status status = actor_.Act({0, kLanes}, Observations(), absl::MakeSpan(actions));
      if (!status.ok()) return status;
      const std::vector<float> rewards(kLanes, 1);
      const std::vector<uint8_t> none(kLanes), ended(kLanes, time_ % 9 == 7);
      // The step after an end only starts the next episode.
      const std::vector<uint8_t> valid(kLanes, time_ % 9 != 8);
      ++time_;
      const std::vector<float> next = Observations();
      status = actor_.Record({0, kLanes}, {next, rewards, ended, none, valid, none});
      if (!status.ok()) return status;
    }
    std::vector<Experience> parts = {actor_.Take()};
    if (forgets_) std::fill(parts[0].first_memory.begin(), parts[0].first_memory.end(), 0.0f);
    return parts;
  }

 private:
  std::vector<float> Observations() const {
    std::vector<float> rows;
    for (int lane = 0; lane < kLanes; ++lane) {
      rows.push_back(std::sin(0.4f * static_cast<float>(time_ + 5 * lane)));
      rows.push_back(std::cos(0.9f * static_cast<float>(time_ - 3 * lane)));
    }
    return rows;
  }

  const bool forgets_;
  const Problem problem_ = {kLanes, 2, ActionSpace::Discrete(3)};
  v1::LeafSpec action_leaf_;
  ExportedActor actor_{problem_.action, 2, 0, kLanes, 5};
  int time_ = 0;
};

// How far the policy that PPO begins an update with is from the one that acted, in each of three.
std::vector<double> Divergences(const std::string& type, bool forgets) {
  Lanes lanes(forgets);
  v1::LearnerConfig config;
  config.mutable_env()->set_num_envs(kLanes);
  config.mutable_normalization()->set_observation(false);
  v1::ModelConfig& model = *config.mutable_model();
  model.set_type(type);
  model.add_hidden(8);
  model.set_recurrent_width(6);
  model.set_policy_gain(2);
  config.mutable_ppo()->set_rollout_steps(kSteps);
  config.mutable_ppo()->set_tbptt_steps(4);
  config.mutable_ppo()->set_minibatch_size(400);
  config.mutable_ppo()->set_epochs(1);
  const auto algorithm = *MakeAlgorithm(config, lanes.problem());
  FragmentCollector collector(lanes, *algorithm, config);
  std::vector<double> divergences;
  for (int update = 0; update < 3; ++update) {
    EXPECT_EQ(*collector.Collect(1000), kSteps * kLanes);
    const auto statistics = algorithm->Update(0);
    for (const Statistic& statistic : *statistics) {
      if (statistic.tag == "losses/approx_kl") divergences.push_back(statistic.value);
    }
  }
  EXPECT_EQ(divergences.size(), 3u);
  return divergences;
}

class ExportedMemoryTest : public testing::TestWithParam<const char*> {};

TEST_P(ExportedMemoryTest, PpoBeginsWithWhatTheActingPolicyRemembered) {
  for (const double divergence : Divergences(GetParam(), /*forgets=*/false)) {
    EXPECT_NEAR(divergence, 0, 1e-6);
  }
  const std::vector<double> without = Divergences(GetParam(), /*forgets=*/true);
  EXPECT_NEAR(without[0], 0, 1e-6);  // nothing was remembered yet
  EXPECT_GT(without[1], 1e-5);
  EXPECT_GT(without[2], 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Cells, ExportedMemoryTest, testing::Values("rnn", "lstm", "gru"));

}  // namespace
}  // namespace hivewire
