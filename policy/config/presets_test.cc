#include "policy/config/presets.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "policy/config/config.h"
#include "policy/ppo/options.h"

namespace hivewire {
namespace {

v1::LearnerConfig Load(const std::string& preset, std::vector<std::string> overrides = {}) {
  ConfigSources sources;
  sources.preset = preset;
  sources.overrides = std::move(overrides);
  auto config = LoadConfig(sources);
  EXPECT_TRUE(config.ok()) << preset << ": " << config.status();
  return config.ok() ? *config : v1::LearnerConfig();
}

TEST(Presets, EachIsValidNamedOnceAndDescribed) {
  std::set<std::string> names;
  for (const PresetSummary& preset : PresetSummaries()) {
    EXPECT_TRUE(names.insert(preset.name).second) << preset.name;
    EXPECT_FALSE(preset.description.empty()) << preset.name;
    v1::LearnerConfig config = Load(preset.name);
    config.mutable_env()->set_server("unix:/s");
    if (config.env().id().empty()) config.mutable_env()->set_id("Ant-v5");
    EXPECT_TRUE(ValidateConfig(config).ok()) << preset.name << ": " << ValidateConfig(config);
    EXPECT_TRUE(CheckPpoConfig(config).ok()) << preset.name << ": " << CheckPpoConfig(config);
  }
  EXPECT_GT(names.size(), 60u);
}

TEST(Presets, OfDexterousRobotHandAreThereByTheirNames) {
  for (const char* name : {"make_config",
                           "discrete",
                           "discrete_no_ent",
                           "discrete_shared",
                           "discrete_rnn",
                           "discrete_gru",
                           "discrete_lstm",
                           "discrete_no_norms",
                           "discrete_no_norms_short",
                           "continuous",
                           "continuous_beta",
                           "continuous_shared",
                           "continuous_rnn",
                           "continuous_gru",
                           "continuous_lstm",
                           "continuous_with_ent",
                           "continuous_no_norms",
                           "continuous_beta_rnn",
                           "continuous_beta_gru",
                           "continuous_beta_lstm",
                           "continuous_beta_shared",
                           "continuous_beta_no_norms",
                           "pendulum",
                           "pendulum_beta",
                           "beta_paper",
                           "mujoco",
                           "mujoco_beta",
                           "mujoco_beta_rnn",
                           "mujoco_beta_gru",
                           "mujoco_beta_lstm",
                           "mujoco_beta_shared",
                           "roboschool",
                           "roboschool_beta",
                           "hand",
                           "hand_manipulate",
                           "hand_no_ent",
                           "manipulate",
                           "manipulate_discrete",
                           "andrypulate",
                           "akkaypulate"}) {
    v1::LearnerConfig config;
    EXPECT_TRUE(MergePreset(name, config).ok()) << name;
  }
}

TEST(Presets, OfAReachingArmSeePixelsOrFeaturesOfThem) {
  const v1::LearnerConfig pixels = Load("recommended", {"env.id=FrankaReachRandom_v2d-v0"});
  EXPECT_EQ(pixels.model().convolution().architecture(), "small");
  EXPECT_EQ(pixels.env().options().at("render_preset").string_value(), "fast");
  const v1::LearnerConfig features = Load("franka_reach_r3m");
  EXPECT_EQ(features.env().id(), pixels.env().id());
  EXPECT_EQ(features.model().convolution().architecture(), "none");
  EXPECT_EQ(features.transforms(1).type(), "encoder");
  EXPECT_EQ(features.transforms_size(), 2);  // none of those of pixels
}

TEST(Presets, BuildOnOthers) {
  const v1::LearnerConfig config = Load("akkaypulate");
  EXPECT_EQ(config.env().num_envs(), 396);
  EXPECT_EQ(config.model().type(), "lstm");
  EXPECT_EQ(config.model().hidden(0), 1024);  // "wider", from "manipulate"
  EXPECT_EQ(config.model().recurrent_width(), 512);
  EXPECT_EQ(config.distribution().type(), "beta");
  EXPECT_EQ(config.ppo().rollout_steps(), 4096);
  EXPECT_EQ(config.ppo().gamma(), 0.998);
  EXPECT_EQ(config.ppo().value_coefficient(), 1);  // from "make_config"
}

TEST(Presets, SeveralAreLaidOverOneAnother) {
  const v1::LearnerConfig config = Load("allenact,discrete_gru", {"ppo.clip=0.3"});
  EXPECT_EQ(config.env().id(), "Ant-v4");
  EXPECT_EQ(config.model().type(), "gru");
  EXPECT_EQ(config.ppo().minibatch_size(), 128);
  EXPECT_EQ(config.ppo().clip(), 0.3);
}

TEST(Presets, TheRecommendedOneFollowsFromTheEnv) {
  EXPECT_EQ(Load("recommended", {"env.id=Pendulum-v1"}).ppo().rollout_steps(), 512);
  EXPECT_EQ(Load("recommended", {"env.id=CartPole-v1"}).env().num_envs(), 8);
  ConfigSources sources;
  sources.preset = "recommended";
  sources.overrides = {"env.id=Pendulum-v0"};
  EXPECT_NE(LoadConfig(sources).status().message().find("Pendulum-v1"), std::string::npos);
}

TEST(Presets, AnUnknownOneNamesTheNearest) {
  v1::LearnerConfig config;
  EXPECT_NE(MergePreset("cartpol", config).message().find("cartpole"), std::string::npos);
}

}  // namespace
}  // namespace hivewire
