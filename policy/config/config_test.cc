#include "policy/config/config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "policy/config/overrides.h"

namespace hivewire {
namespace {

std::string WriteFile(const std::string& text) {
  const std::string path = testing::TempDir() + "/config.textproto";
  std::ofstream(path) << text;
  return path;
}

TEST(LoadConfig, FillsInTheDefaults) {
  const auto config = LoadConfig({});
  ASSERT_TRUE(config.ok());
  EXPECT_TRUE(config->ppo().has_gamma());
  EXPECT_EQ(config->ppo().gamma(), 0.99);
  EXPECT_EQ(config->model().hidden_size(), 2);
}

TEST(LoadConfig, SetWinsOverFileWinsOverPresetWinsOverDefaults) {
  ConfigSources sources;
  sources.preset = "cleanrl-continuous";
  auto config = LoadConfig(sources);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->ppo().minibatch_size(), 64);  // default 512

  sources.file = WriteFile("ppo { minibatch_size: 100 gamma: 0.9 entropy_coefficient: 0 }");
  config = LoadConfig(sources);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->ppo().minibatch_size(), 100);
  EXPECT_EQ(config->ppo().gamma(), 0.9);
  EXPECT_TRUE(config->ppo().clip_value());  // from the preset still

  sources.overrides = {"ppo.gamma=0.5", "ppo.clip_value=false"};
  config = LoadConfig(sources);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->ppo().minibatch_size(), 100);
  EXPECT_EQ(config->ppo().gamma(), 0.5);
  EXPECT_FALSE(config->ppo().clip_value());
}

TEST(LoadConfig, AListReplacesAList) {
  ConfigSources sources;
  sources.file = WriteFile("model { hidden: [32] }");
  auto config = LoadConfig(sources);
  ASSERT_EQ(config->model().hidden_size(), 1);
  sources.overrides = {"model.hidden=[256,128,64]"};
  config = LoadConfig(sources);
  ASSERT_EQ(config->model().hidden_size(), 3);
  EXPECT_EQ(config->model().hidden(1), 128);
}

TEST(LoadConfig, AMistakeInAFileNamesItsLineAndTheNearestField) {
  ConfigSources sources;
  sources.file = WriteFile("ppo {\n  gama: 0.9\n}\n");
  const std::string message(LoadConfig(sources).status().message());
  EXPECT_NE(message.find("config.textproto:2"), std::string::npos) << message;
  EXPECT_NE(message.find("gamma"), std::string::npos) << message;
}

TEST(ApplyOverride, AnUnknownFieldNamesTheNearest) {
  v1::LearnerConfig config;
  const std::string message(ApplyOverride("ppo.learning_rat=1", config).message());
  EXPECT_NE(message.find("learning_rate"), std::string::npos) << message;
}

TEST(ApplyOverride, AnIllTypedValueSaysWhatIsTakenAndChangesNothing) {
  v1::LearnerConfig config;
  EXPECT_EQ(ApplyOverride("ppo.gamma=high", config).message(),
            "ppo.gamma is \"high\"; it takes a number");
  EXPECT_FALSE(ApplyOverride("env.num_envs=2.5", config).ok());
  EXPECT_FALSE(ApplyOverride("env.num_envs", config).ok());
  EXPECT_FALSE(ApplyOverride("ppo=3", config).ok());
  EXPECT_FALSE(ApplyOverride("seed.x=3", config).ok());
  EXPECT_FALSE(ApplyOverride("model.hidden=64,x", config).ok());
  EXPECT_EQ(config.ByteSizeLong(), 0u);
}

TEST(ApplyOverride, MapEntriesTakePlainValues) {
  v1::LearnerConfig config;
  for (const char* assignment :
       {"env.options.flag=true", "env.options.count=3", "env.options.weight=0.5",
        "env.options[model]=ant", "env.options.range=[1, 2.5]",
        "env.options.name={string_value: \"7\"}", "env.options.count=4"}) {
    ASSERT_TRUE(ApplyOverride(assignment, config).ok()) << assignment;
  }
  const auto& options = config.env().options();
  EXPECT_EQ(options.size(), 6u);
  EXPECT_TRUE(options.at("flag").bool_value());
  EXPECT_EQ(options.at("count").int_value(), 4);
  EXPECT_EQ(options.at("weight").double_value(), 0.5);
  EXPECT_EQ(options.at("model").string_value(), "ant");
  EXPECT_EQ(options.at("range").double_list().values(1), 2.5);
  EXPECT_EQ(options.at("name").string_value(), "7");
}

}  // namespace
}  // namespace hivewire
