#include "server/tasks/gymnasium/gymnasium.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/tasks/registry.h"
#include "server/tasks/testing/allocations.h"
#include "server/tasks/testing/task_runner.h"
#include "server/tasks/testing/values.h"

namespace hivewire {
namespace {

const Registry& Suite() {
  static const Registry& registry = *[] {
    auto* suite = new Registry;
    EXPECT_EQ(RegisterGymnasium(*suite), absl::OkStatus());
    return suite;
  }();
  return registry;
}

std::shared_ptr<const Task> MakeTask(const std::string& id, const Options& options = {}) {
  auto task = Suite().Make(id, options);
  EXPECT_TRUE(task.ok()) << task.status();
  return *task;
}

absl::Status Refusal(const std::string& id, const Options& options) {
  return Suite().Make(id, options).status();
}

size_t ActionSize(const Task& task) { return static_cast<size_t>(task.spec().action(0).shape(0)); }

// Values that float32 holds exactly, different for each element and step.
std::vector<double> Wiggle(const Task& task, int step) {
  std::vector<double> action;
  for (int k = 0; k < static_cast<int>(ActionSize(task)); ++k)
    action.push_back(static_cast<float>(((step * 7 + 3 * k) % 11 - 5) / 5.0));
  return action;
}

double SumOfMagnitudes(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::abs(value);
  return sum;
}

// What the original does with the same seed and actions. (To the last bit only where the C library
// uses the same instructions: see tests/parity.)
struct Episode {
  const char* id;
  uint64_t seed;
  size_t observed;
  double first_observation;  // sum of magnitudes
  double last_observation;
  double rewards;     // sum
  int terminated_at;  // step, or -1
};

class GymnasiumEpisode : public testing::TestWithParam<Episode> {};

TEST_P(GymnasiumEpisode, GoesAsTheOriginalDoes) {
  const Episode& expected = GetParam();
  const auto task = MakeTask(expected.id);
  TaskRunner runner(task);
  ASSERT_EQ(runner.Reset(expected.seed), absl::OkStatus());
  EXPECT_EQ(runner.observation().size(), expected.observed);
  EXPECT_NEAR(SumOfMagnitudes(runner.observation()), expected.first_observation, 1e-12);
  double rewards = 0;
  int terminated_at = -1;
  for (int step = 0; step < 20 && terminated_at < 0; ++step) {
    const Outcome outcome = runner.Step(Wiggle(*task, step));
    rewards += outcome.reward;
    if (outcome.terminated) terminated_at = step + 1;
  }
  EXPECT_NEAR(SumOfMagnitudes(runner.observation()) / expected.last_observation, 1, 1e-7);
  EXPECT_NEAR(rewards / expected.rewards, 1, 1e-7);
  EXPECT_EQ(terminated_at, expected.terminated_at);
}

INSTANTIATE_TEST_SUITE_P(
    All, GymnasiumEpisode,
    testing::Values(
        Episode{"Ant-v5", 0, 105, 3.110899806673337, 42.11821222169638, -4.682752793284676, -1},
        Episode{"Ant-v5", 123456789, 105, 3.988904221534919, 48.52639060230339, -28.94677644190046,
                -1},
        Episode{"HalfCheetah-v5", 0, 17, 1.1869572335617014, 51.56579187787206, -12.27964256086306,
                -1},
        Episode{"HalfCheetah-v5", 123456789, 17, 1.0417287298194913, 51.402270531381575,
                -11.191956580623732, -1},
        Episode{"Hopper-v5", 0, 11, 1.2806625617673288, 2.933131316950618, 18.2365533054706, -1},
        Episode{"Hopper-v5", 123456789, 11, 1.2824963149806257, 2.876626173669609,
                18.346903232777393, -1},
        Episode{"InvertedDoublePendulum-v5", 0, 9, 2.2600406505125035, 11.422104636883759,
                35.168573909743095, 5},
        Episode{"InvertedDoublePendulum-v5", 123456789, 9, 2.5774789175338175, 12.999968385593984,
                34.98531180483414, 5},
        Episode{"InvertedPendulum-v5", 0, 4, 0.026193476281857208, 1.9254059073248355, 12.0, 13},
        Episode{"InvertedPendulum-v5", 123456789, 4, 0.027705562926442977, 1.2484874335765164, 10.0,
                11},
        Episode{"Humanoid-v5", 0, 348, 84.94399022492289, 783.2850105637065, 85.8191157284749, -1},
        Episode{"HumanoidStandup-v5", 0, 348, 74.61071717389902, 843.0046956460476,
                823.8120196112881, -1},
        Episode{"Pusher-v5", 0, 23, 3.1318860882565915, 6.42006025562888, -19.473345329246452, -1},
        Episode{"Reacher-v5", 0, 10, 2.469620483593728, 6.094958377730825, -19.92200710524621, -1},
        Episode{"Swimmer-v5", 0, 8, 0.49667088180352803, 3.0356825389426394, 0.7655642081909758,
                -1},
        Episode{"Walker2d-v5", 0, 17, 1.2984871484644136, 32.634016020639734, 9.418880558141321,
                -1},
        Episode{"Walker2d-v5", 123456789, 17, 1.3001895970605775, 34.16569882854099,
                9.536062728187652, -1}),
    [](const auto& info) {
      std::string name = info.param.id + std::string("_") + std::to_string(info.param.seed);
      for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
      }
      return name;
    });

TEST(Gymnasium, AStepAllocatesNothing) {
  ASSERT_GT(AllocationCount(), 0);
  for (const v1::EnvEntry* entry : Suite().entries()) {
    const auto task = MakeTask(entry->id());
    auto simulation = Simulation::Create(task->model()).value();
    std::vector<double> state(static_cast<size_t>(task->state_size()));
    std::vector<double> row(static_cast<size_t>(task->model()->state_size()));
    std::vector<std::vector<double>> leaves;
    std::vector<double*> observation, info;
    const auto add = [&leaves](const auto& specs, std::vector<double*>& pointers) {
      for (const v1::LeafSpec& leaf : specs) {
        leaves.emplace_back(leaf.shape_size() == 0 ? 1 : leaf.shape(0));
        pointers.push_back(leaves.back().data());
      }
    };
    add(task->spec().observation(), observation);
    add(task->spec().info(), info);
    NumpyRng rng(1);
    TaskContext context{simulation.get(), absl::MakeSpan(state), &rng};
    simulation->Reset();
    ASSERT_EQ(task->Reset(context, {}, absl::MakeSpan(info)), absl::OkStatus());
    simulation->Save(absl::MakeSpan(row));
    const std::vector<double> values = Wiggle(*task, 0);
    const Action action{values, v1::DTYPE_FLOAT32};
    const int64_t before = AllocationCount();
    for (int step = 0; step < 5; ++step) {
      simulation->Load(row);
      task->Act(context, action);
      task->Advance(context);
      task->Evaluate(context, action, absl::MakeSpan(info));
      task->Observe(context, absl::MakeSpan(observation));
      simulation->Save(absl::MakeSpan(row));
    }
    EXPECT_EQ(AllocationCount(), before) << entry->id();
  }
}

TEST(Gymnasium, AControlCostIsRoundedInTheDtypeOfTheAction) {
  const auto task = MakeTask("HalfCheetah-v5");
  TaskRunner narrow(task), wide(task);
  ASSERT_EQ(narrow.Reset(3), absl::OkStatus());
  ASSERT_EQ(wide.Reset(3), absl::OkStatus());
  const std::vector<double> action(6, static_cast<float>(0.7));
  narrow.Step(action, v1::DTYPE_FLOAT32);
  wide.Step(action, v1::DTYPE_FLOAT64);
  EXPECT_EQ(narrow.observation(), wide.observation());
  const double cost = narrow.info("reward_ctrl")[0];
  EXPECT_EQ(cost, static_cast<float>(cost));
  EXPECT_NE(cost, wide.info("reward_ctrl")[0]);
  EXPECT_NEAR(cost, wide.info("reward_ctrl")[0], 1e-7);
}

TEST(Gymnasium, OptionsDecideWhatIsObserved) {
  EXPECT_EQ(MakeTask("Ant-v5")->spec().observation(0).shape(0), 105);
  EXPECT_EQ(MakeTask("Ant-v5", {{"include_cfrc_ext_in_observation", Bool(false)}})
                ->spec()
                .observation(0)
                .shape(0),
            27);
  const auto whole =
      MakeTask("Ant-v5", {{"exclude_current_positions_from_observation", Bool(false)}});
  const v1::LeafSpec& observation = whole->spec().observation(0);
  EXPECT_EQ(observation.shape(0), 107);
  EXPECT_EQ(observation.element_names(0), "root.x");
  TaskRunner runner(whole);
  ASSERT_EQ(runner.Reset(5), absl::OkStatus());
  EXPECT_EQ(runner.observation()[0], runner.info("x_position")[0]);
  EXPECT_EQ(runner.observation()[1], runner.info("y_position")[0]);
}

TEST(Gymnasium, V4ObservesWhatOlderPapersUsed) {
  const auto width = [](const std::string& id, const Options& options = {}) {
    return MakeTask(id, options)->spec().observation(0).shape(0);
  };
  EXPECT_EQ(width("Ant-v4"), 27);
  EXPECT_EQ(width("Ant-v4", {{"use_contact_forces", Bool(true)}}), 111);
  EXPECT_EQ(width("Humanoid-v4"), 376);
  EXPECT_EQ(width("HumanoidStandup-v4"), 376);
  EXPECT_EQ(width("InvertedDoublePendulum-v4"), 11);
  EXPECT_EQ(width("Reacher-v4"), 11);
}

TEST(Gymnasium, V4RewardsTheStepThatFalls) {
  const Options tight = {{"healthy_z_range", Doubles({5, 6})}};
  for (const auto& [id, reward] : {std::pair("Ant-v4", 1.0), std::pair("Ant-v5", 0.0)}) {
    TaskRunner runner(MakeTask(id, tight));
    ASSERT_EQ(runner.Reset(1), absl::OkStatus());
    EXPECT_TRUE(runner.Step(std::vector<double>(8, 0.0)).terminated) << id;
    EXPECT_EQ(runner.info("reward_survive")[0], reward) << id;
  }
}

TEST(Gymnasium, V4RewardsWhereTheFingertipWasBeforeTheStep) {
  TaskRunner runner(MakeTask("Reacher-v4"));
  ASSERT_EQ(runner.Reset(1), absl::OkStatus());
  const auto distance = [&runner] {
    const std::vector<double> observation = runner.observation();
    return std::hypot(observation[8], observation[9], observation[10]);
  };
  for (int step = 0; step < 3; ++step) {
    const double before = distance();
    const double reward = runner.Step({0.5, -0.5}).reward;
    EXPECT_NEAR(reward, -before - 0.5, 1e-7);
    EXPECT_NE(distance(), before);
  }
}

TEST(Gymnasium, FrameSkipDecidesTheTimeBetweenActions) {
  const v1::EnvSpec spec = MakeTask("Hopper-v5", {{"frame_skip", Int(10)}})->spec();
  EXPECT_EQ(spec.frame_skip(), 10);
  EXPECT_DOUBLE_EQ(spec.physics_dt(), 0.002);
  EXPECT_DOUBLE_EQ(spec.control_dt(), 0.02);
  EXPECT_DOUBLE_EQ(spec.render_fps(), 50);
  EXPECT_EQ(FieldOf(Refusal("Hopper-v5", {{"frame_skip", Int(0)}})), "options.frame_skip");
}

TEST(Gymnasium, ABodyThatNeverEndsGoesOnAfterItFell) {
  TaskRunner runner(MakeTask("Hopper-v5", {{"terminate_when_unhealthy", Bool(false)}}));
  ASSERT_EQ(runner.Reset(1), absl::OkStatus());
  double survived = 0;
  for (int step = 0; step < 200; ++step) {
    EXPECT_FALSE(runner.Step({1, 1, 1}).terminated);
    survived += runner.info("reward_survive")[0];
  }
  EXPECT_GT(survived, 0);
  EXPECT_EQ(runner.info("reward_survive")[0], 0);
}

TEST(Gymnasium, TasksWithOtherOptionsShareTheModel) {
  const auto plain = MakeTask("Ant-v5");
  EXPECT_EQ(MakeTask("Ant-v5", {{"healthy_reward", Double(2)}})->model(), plain->model());
}

TEST(Gymnasium, AnAntsMainBodyGoesByNameOrNumber) {
  for (const char* body : {"1", "torso"}) {
    TaskRunner runner(MakeTask("Ant-v5", {{"main_body", String(body)}}));
    ASSERT_EQ(runner.Reset(2), absl::OkStatus());
    runner.Step(std::vector<double>(8, 0.5));
    EXPECT_NE(runner.info("x_velocity")[0], 0);
  }
  for (const char* body : {"99", "-1", "tail", "1x"}) {
    EXPECT_EQ(FieldOf(Refusal("Ant-v5", {{"main_body", String(body)}})), "options.main_body")
        << body;
  }
}

TEST(Gymnasium, AModelThatDoesNotFitIsRefused) {
  EXPECT_TRUE(Refusal("Walker2d-v5", {{"xml_file", String("hopper.xml")}}).ok());
  const absl::Status narrow = Refusal("Hopper-v5", {{"xml_file", String("inverted_pendulum.xml")}});
  EXPECT_EQ(FieldOf(narrow), "options.xml_file") << narrow;
  const absl::Status without_tip =
      Refusal("InvertedDoublePendulum-v5", {{"xml_file", String("hopper.xml")}});
  EXPECT_EQ(FieldOf(without_tip), "options.xml_file") << without_tip;
  const absl::Status unknown = Refusal("Hopper-v5", {{"xml_file", String("hoper.xml")}});
  EXPECT_EQ(FieldOf(unknown), "options.xml_file");
  EXPECT_NE(unknown.message().find("nearest: hopper.xml"), absl::string_view::npos) << unknown;
  EXPECT_EQ(FieldOf(Refusal("Hopper-v5", {{"xml_file", String("/etc/passwd")}})),
            "options.xml_file");
}

TEST(Gymnasium, ARangeIsTwoNumbers) {
  for (const std::vector<double>& range :
       {std::vector<double>{}, std::vector<double>{1}, std::vector<double>{1, 2, 3}}) {
    const absl::Status status = Refusal("Hopper-v5", {{"healthy_z_range", Doubles(range)}});
    EXPECT_EQ(FieldOf(status), "options.healthy_z_range") << status;
  }
}

TEST(Gymnasium, AResetTakesNoOptions) {
  TaskRunner runner(MakeTask("Ant-v5"));
  EXPECT_EQ(ReasonOf(runner.Reset(0, {{"x_init", Double(1)}})), v1::ERROR_REASON_BAD_OPTION);
}

TEST(Gymnasium, ActionsAreBoundedByTheActuators) {
  const v1::LeafSpec action = MakeTask("Ant-v5")->spec().action(0);
  EXPECT_EQ(action.dtype(), v1::DTYPE_FLOAT32);
  ASSERT_EQ(action.low_size(), 8);
  EXPECT_EQ(action.low(0), -1);
  EXPECT_EQ(action.high(7), 1);
  EXPECT_EQ(action.element_names(0), "hip_4");
}

}  // namespace
}  // namespace hivewire
