// What holds for every env that comes with the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "server/tasks/testing/task_runner.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {
namespace {

using ::testing::Each;
using ::testing::IsSubsetOf;
using ::testing::ResultOf;

std::vector<std::string> Ids() {
  std::vector<std::string> ids;
  for (const v1::EnvEntry* entry : BuiltinEnvs().entries()) {
    // Their models are not ours to have; robohive_test makes all of them where they are there.
    if (!entry->task().starts_with("robohive.")) ids.push_back(entry->id());
  }
  return ids;
}

// The middle of each element's range, or 0 where it has none.
std::vector<double> MiddleAction(const v1::EnvSpec& spec) {
  std::vector<double> action;
  for (const v1::LeafSpec& leaf : spec.action()) {
    int64_t elements = 1;
    for (const int64_t dimension : leaf.shape()) elements *= dimension;
    for (int64_t i = 0; i < elements; ++i) {
      double middle = 0;
      if (leaf.low_size() > 0) {
        const double low = leaf.low(leaf.low_size() == 1 ? 0 : i);
        const double high = leaf.high(leaf.high_size() == 1 ? 0 : i);
        if (std::isfinite(high - low)) middle = (low + high) / 2;
      }
      action.push_back(middle);
    }
  }
  return action;
}

TEST(Builtin, HasTheEnvsOfTheDocumentation) {
  const std::vector<std::string> documented = {"Ant-v4",
                                               "Ant-v5",
                                               "CartPole-v1",
                                               "HalfCheetah-v5",
                                               "Hopper-v5",
                                               "Pendulum-v1",
                                               "InvertedDoublePendulum-v5"};
  EXPECT_THAT(documented, IsSubsetOf(Ids()));
}

class BuiltinEnv : public testing::TestWithParam<std::string> {};

TEST_P(BuiltinEnv, SpecSaysWhatAClientNeeds) {
  const auto task = BuiltinEnvs().Make(GetParam(), {});
  ASSERT_TRUE(task.ok()) << task.status();
  const v1::EnvSpec& spec = (*task)->spec();
  EXPECT_EQ(spec.id(), GetParam());
  EXPECT_FALSE(spec.description().empty());
  EXPECT_GT(spec.max_episode_steps(), 0);
  EXPECT_GT(spec.control_dt(), 0);
  EXPECT_GE(spec.frame_skip(), 1);
  EXPECT_GT(spec.render_fps(), 0);
  EXPECT_LE(spec.reward_low(), spec.reward_high());
  EXPECT_EQ(spec.engine(), (*task)->model() == nullptr ? "none" : "mujoco-3.17.0");
  EXPECT_GT(spec.observation_size(), 0);
  EXPECT_GT(spec.action_size(), 0);
  for (const auto* leaves : {&spec.observation(), &spec.action(), &spec.info()}) {
    std::set<std::string> names;
    for (const v1::LeafSpec& leaf : *leaves) {
      EXPECT_TRUE(names.insert(leaf.name()).second) << leaf.name();
      EXPECT_NE(leaf.dtype(), v1::DTYPE_UNSPECIFIED) << leaf.name();
      EXPECT_EQ(leaf.low_size(), leaf.high_size()) << leaf.name();
      int64_t elements = 1;
      for (const int64_t dimension : leaf.shape()) elements *= dimension;
      if (leaf.low_size() > 1) {
        EXPECT_EQ(leaf.low_size(), elements) << leaf.name();
      }
      if (leaf.element_names_size() > 0) {
        EXPECT_EQ(leaf.element_names_size(), elements) << leaf.name();
      }
      if (leaf.element_units_size() > 0) {
        EXPECT_EQ(leaf.element_units_size(), elements) << leaf.name();
        EXPECT_EQ(leaf.unit(), "") << leaf.name();
      }
    }
  }
  for (const v1::OptionSpec& option : spec.options())
    EXPECT_FALSE(option.doc().empty()) << option.name();
}

TEST_P(BuiltinEnv, GivesFiniteNumbersAndRepeatsThemForASeed) {
  const auto task = BuiltinEnvs().Make(GetParam(), {});
  ASSERT_TRUE(task.ok()) << task.status();
  const v1::EnvSpec& spec = (*task)->spec();
  TaskRunner first(*task), second(*task);
  ASSERT_EQ(first.Reset(7), absl::OkStatus());
  ASSERT_EQ(second.Reset(7), absl::OkStatus());
  for (int step = 0; step < 20; ++step) {
    const Outcome outcome = first.Step(MiddleAction(spec));
    EXPECT_EQ(second.Step(MiddleAction(spec)).reward, outcome.reward);
    EXPECT_GE(outcome.reward, spec.reward_low());
    EXPECT_LE(outcome.reward, spec.reward_high());
    for (const v1::LeafSpec& leaf : spec.observation()) {
      const std::vector<double> values = first.observation(leaf.name());
      EXPECT_THAT(values, Each(ResultOf([](double x) { return std::isfinite(x); }, true)));
      EXPECT_EQ(second.observation(leaf.name()), values) << leaf.name();
    }
    for (const v1::LeafSpec& leaf : spec.info())
      EXPECT_THAT(first.info(leaf.name()),
                  Each(ResultOf([](double x) { return std::isfinite(x); }, true)))
          << leaf.name();
    if (outcome.terminated) break;
  }
}

INSTANTIATE_TEST_SUITE_P(All, BuiltinEnv, testing::ValuesIn(Ids()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

}  // namespace
}  // namespace hivewire
