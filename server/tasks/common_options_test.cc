#include "server/tasks/common_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "server/tasks/registry.h"
#include "server/tasks/testing/task_runner.h"
#include "server/tasks/testing/values.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::shared_ptr<const Task> Make(const std::string& id, const Options& options = {}) {
  const auto task = BuiltinEnvs().Make(id, options);
  EXPECT_TRUE(task.ok()) << task.status();
  return *task;
}

absl::Status Refusal(const std::string& id, const Options& options) {
  const absl::Status status = BuiltinEnvs().Make(id, options).status();
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_BAD_OPTION) << status;
  return status;
}

TEST(CommonOptions, EveryEnvDescribesThemAndTakesThem) {
  for (const v1::EnvEntry* entry : BuiltinEnvs().entries()) {
    // Their models may be missing here, and one observes a single number, which no mask can take.
    if (entry->task().starts_with("robohive.")) continue;
    SCOPED_TRACE(entry->id());
    const v1::EnvSpec plain = Make(entry->id())->spec();
    std::vector<std::string> names;
    for (const v1::OptionSpec& option : plain.options()) names.push_back(option.name());
    for (const v1::OptionSpec& option : CommonOptions())
      EXPECT_THAT(names, Contains(option.name()));

    TaskRunner runner(Make(entry->id(), {{"action_repeat", Int(2)},
                                         {"observation_mask", Strings({"0"})},
                                         {"max_episode_steps", Int(5)}}));
    const v1::EnvSpec& spec = runner.task().spec();
    EXPECT_EQ(spec.max_episode_steps(), 5);
    EXPECT_EQ(spec.observation(0).shape(0), plain.observation(0).shape(0) - 1);
    EXPECT_DOUBLE_EQ(spec.control_dt(), 2 * plain.control_dt());
    ASSERT_EQ(runner.Reset(1), absl::OkStatus());
    const int64_t width = spec.action(0).shape_size() == 0 ? 1 : spec.action(0).shape(0);
    runner.Step(std::vector<double>(static_cast<size_t>(width), 0));
  }
}

TEST(CommonOptions, AMaskLeavesTheOtherElementsAsTheyAre) {
  TaskRunner plain(Make("HalfCheetah-v5"));
  TaskRunner masked(Make("HalfCheetah-v5", {{"observation_mask", Strings({"*velocity*"})}}));
  EXPECT_THAT(masked.task().spec().observation(0).element_names(),
              Not(Contains(HasSubstr("velocity"))));
  ASSERT_EQ(masked.task().spec().observation(0).shape(0), 8);
  ASSERT_EQ(plain.Reset(3), absl::OkStatus());
  ASSERT_EQ(masked.Reset(3), absl::OkStatus());
  for (int step = 0; step < 5; ++step) {
    const std::vector<double> action(6, 0.1 * step);
    EXPECT_EQ(masked.Step(action).reward, plain.Step(action).reward);
    const std::vector<double> all = plain.observation();
    EXPECT_EQ(masked.observation(), std::vector<double>(all.begin(), all.begin() + 8));
  }
}

TEST(CommonOptions, ARepeatedActionIsThatManySteps) {
  TaskRunner plain(Make("Ant-v5"));
  TaskRunner repeated(Make("Ant-v5", {{"action_repeat", Int(4)}}));
  EXPECT_EQ(repeated.task().spec().max_episode_steps(), 250);
  ASSERT_EQ(plain.Reset(3), absl::OkStatus());
  ASSERT_EQ(repeated.Reset(3), absl::OkStatus());
  const std::vector<double> action(8, 0.3);
  for (int step = 0; step < 5; ++step) {
    double reward = 0;
    for (int k = 0; k < 4; ++k) reward += plain.Step(action).reward;
    EXPECT_EQ(repeated.Step(action).reward, reward);
    EXPECT_EQ(repeated.observation(), plain.observation());
    EXPECT_EQ(repeated.info("x_velocity"), plain.info("x_velocity"));
  }
}

TEST(CommonOptions, ARepeatedActionStopsWhereTheEpisodeTerminates) {
  TaskRunner plain(Make("InvertedPendulum-v5"));
  TaskRunner repeated(Make("InvertedPendulum-v5", {{"action_repeat", Int(1000)}}));
  ASSERT_EQ(plain.Reset(3), absl::OkStatus());
  ASSERT_EQ(repeated.Reset(3), absl::OkStatus());
  Outcome outcome;
  double reward = 0;
  while (!outcome.terminated) {
    outcome = plain.Step({1});
    reward += outcome.reward;
  }
  const Outcome all = repeated.Step({1});
  EXPECT_TRUE(all.terminated);
  EXPECT_EQ(all.reward, reward);
  EXPECT_EQ(repeated.observation(), plain.observation());
}

TEST(CommonOptions, ATimeLimitCountsActions) {
  const auto limit = [](const Options& options) {
    return Make("CartPole-v1", options)->spec().max_episode_steps();
  };
  EXPECT_EQ(limit({}), 500);
  EXPECT_EQ(limit({{"max_episode_steps", Int(0)}}), 0);
  EXPECT_EQ(limit({{"action_repeat", Int(3)}}), 167);
  EXPECT_EQ(limit({{"action_repeat", Int(3)}, {"max_episode_steps", Int(20)}}), 20);
}

TEST(CommonOptions, VariantsThatDifferOnlyInThemShareAModel) {
  const auto one = Make("Ant-v5", {{"action_repeat", Int(2)}});
  const auto other = Make("Ant-v5", {{"observation_mask", Strings({"root.z"})}});
  EXPECT_NE(one, other);
  EXPECT_EQ(one->model(), other->model());
  EXPECT_EQ(one, Make("Ant-v5", {{"action_repeat", Int(2)}}));
}

TEST(CommonOptions, AnEntryMayFixThem) {
  Registry registry = Registry::Builtin().value();
  ASSERT_EQ(registry.AddFile("variants", R"pb(
    envs {
      id: "HalfCheetah-NoVelocity"
      task: "gymnasium.HalfCheetah"
      options {
        key: "observation_mask"
        value { string_list { values: "*velocity*" } }
      }
    })pb"),
            absl::OkStatus());
  EXPECT_EQ((*registry.Make("HalfCheetah-NoVelocity", {}))->spec().observation(0).shape(0), 8);
}

TEST(CommonOptions, BadValuesAreRefusedByName) {
  EXPECT_THAT(Refusal("Pendulum-v1", {{"action_repeat", Int(0)}}).message(),
              HasSubstr("action_repeat = 0 is below the minimum, 1"));
  EXPECT_THAT(Refusal("Pendulum-v1", {{"max_episode_steps", Int(-1)}}).message(),
              HasSubstr("max_episode_steps"));
  EXPECT_THAT(Refusal("Pendulum-v1", {{"max_episode_steps", Int(1LL << 40)}}).message(),
              HasSubstr("max_episode_steps"));
  EXPECT_THAT(Refusal("Pendulum-v1", {{"observation_mask", Int(1)}}).message(),
              HasSubstr("is not a list of strings"));
  EXPECT_THAT(Refusal("Pendulum-v1", {{"observation_mask", Strings({"speed"})}}).message(),
              HasSubstr("env \"Pendulum-v1\": option observation_mask: \"speed\""));
}

}  // namespace
}  // namespace hivewire
