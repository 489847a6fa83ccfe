// The vectors come from gymnasium 1.4.0, printed by vectors.py.
#include "server/tasks/classic_control/classic_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/tasks/registry.h"
#include "server/tasks/testing/task_runner.h"
#include "server/tasks/testing/values.h"

namespace hivewire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Registry& Ids() {
  static const Registry& registry = *[] {
    auto* registry = new Registry;
    EXPECT_EQ(RegisterClassicControl(*registry), absl::OkStatus());
    return registry;
  }();
  return registry;
}

std::shared_ptr<const Task> Make(const std::string& id, const Options& options = {}) {
  auto task = Ids().Make(id, options);
  EXPECT_TRUE(task.ok()) << task.status();
  return *task;
}

// FNV-1a over all that an env gave, observations in float32 as Gymnasium has them.
class Trace {
 public:
  void Add(const std::vector<double>& observation, double reward, bool terminated) {
    for (const double element : observation) AddBytes(static_cast<float>(element));
    AddBytes(reward);
    AddBytes(terminated);
  }
  uint64_t hash() const { return hash_; }

 private:
  template <typename Number>
  void AddBytes(Number number) {
    unsigned char bytes[sizeof(number)];
    std::memcpy(bytes, &number, sizeof(number));
    for (const unsigned char byte : bytes) hash_ = (hash_ ^ byte) * 0x100000001b3;
  }

  uint64_t hash_ = 0xcbf29ce484222325;
};

using Policy = std::function<double(const std::vector<double>& observation, int step)>;

// Keeps the pole up for whole episodes; float32 like the observation.
double Balance(const std::vector<double>& observation, int) {
  const float position = observation[0], angle = observation[2], velocity = observation[3];
  return angle + 0.3f * velocity + 0.02f * position > 0;
}

double PushRight(const std::vector<double>&, int) { return 1; }

// Actions that all dtypes hold exactly alike, some of them beyond the box.
double Wiggle(const std::vector<double>&, int step) {
  return static_cast<float>((step * 37 % 101 - 50) / 20.0);
}

// Drives the way the car rolls anyway, which takes it out of the valley.
double PumpDiscrete(const std::vector<double>& observation, int) {
  return observation[1] >= 0 ? 2 : 0;
}

// Forces within the box and beyond it.
double PumpContinuous(const std::vector<double>& observation, int step) {
  return (observation[1] >= 0 ? 1 : -1) * (0.7 + step % 5 / 8.0);
}

// As float32 actions arrive.
double PumpContinuous32(const std::vector<double>& observation, int step) {
  return static_cast<float>(PumpContinuous(observation, step));
}

// Works along with the second link's velocity, which takes the acrobot up.
double Swing(const std::vector<double>& observation, int) { return observation[5] >= 0 ? 2 : 0; }

struct Run {
  std::string id;
  uint64_t seed;
  Policy policy;
  int steps;
  uint64_t hash;
  std::vector<double> last_state;
  Options options = {};
  Options reset_options = {};
  v1::DType dtype = v1::DTYPE_FLOAT32;
};

void ExpectEqualToGymnasium(const Run& run) {
  SCOPED_TRACE(run.id + " seed " + std::to_string(run.seed));
  TaskRunner env(Make(run.id, run.options));
  ASSERT_EQ(env.Reset(run.seed, run.reset_options), absl::OkStatus());
  Trace trace;
  trace.Add(env.observation(), 0, false);
  bool terminated = false;
  int step = 0;
  for (; step < run.steps && !terminated; ++step) {
    const Outcome outcome = env.Step({run.policy(env.observation(), step)}, run.dtype);
    terminated = outcome.terminated;
    trace.Add(env.observation(), outcome.reward, terminated);
  }
  EXPECT_EQ(step, run.steps);
  for (size_t i = 0; i < run.last_state.size(); ++i)
    EXPECT_EQ(env.state()[i], run.last_state[i]) << "state " << i;
  EXPECT_EQ(trace.hash(), run.hash);
}

TEST(CartPole, WholeEpisodesAreBitEqualToGymnasium) {
  ExpectEqualToGymnasium({"CartPole-v1",
                          0,
                          Balance,
                          500,
                          0xf7392d77ef5067fd,
                          {-0x1.a314d40224d76p+0, -0x1.239acad8b4c38p-6, -0x1.0b5d62b5ad0a1p-9,
                           -0x1.4edfcb731b734p-3}});
  ExpectEqualToGymnasium({"CartPole-v1",
                          42,
                          Balance,
                          500,
                          0x9f1632a527c46757,
                          {0x1.67136258615b4p+0, -0x1.bd0a3195c51f0p-7, -0x1.69c1a19191998p-10,
                           0x1.79d86940c6190p-3}});
  ExpectEqualToGymnasium(
      {"CartPole-v1",
       123456789,
       Balance,
       500,
       0xb06173349d5529d3,
       {0x1.ba3849a3166d2p+0, 0x1.1b3285a8fafe4p-5, -0x1.aa8f7ce2d143ap-8, 0x1.2d26f184afdf4p-3}});
}

TEST(CartPole, FallsAtTheSameStepAsGymnasium) {
  ExpectEqualToGymnasium(
      {"CartPole-v1",
       0,
       PushRight,
       8,
       0x78c11291cadc0be4,
       {0x1.ea56dc154d636p-4, 0x1.8b97fe98f4ed7p+0, -0x1.d35d59642ee78p-3, -0x1.4d77b8877b4bcp+1}});
  ExpectEqualToGymnasium(
      {"CartPole-v1",
       42,
       PushRight,
       10,
       0x60ab516075cb01e5,
       {0x1.9cddfd4775481p-3, 0x1.f2487b6dec108p+0, -0x1.c344a6fe35de6p-3, -0x1.7ed2c901b8355p+1}});
}

TEST(CartPole, SuttonBartoRewardIsMinusOneAtTheEndOnly) {
  ExpectEqualToGymnasium({.id = "CartPole-v1",
                          .seed = 42,
                          .policy = PushRight,
                          .steps = 10,
                          .hash = 0xe64acbdbb9800110,
                          .last_state = {},
                          .options = {{"sutton_barto_reward", Bool(true)}}});
}

TEST(CartPole, AResetTakesTheBoundsOfTheStart) {
  ExpectEqualToGymnasium({.id = "CartPole-v1",
                          .seed = 123,
                          .policy = Balance,
                          .steps = 0,
                          .hash = 0x697b3dec44e34f98,
                          .last_state = {0x1.2ac3ea39b2e5cp-5, -0x1.6d8283a7b3db8p-4,
                                         -0x1.ca299206fb5a4p-5, -0x1.02900762623b2p-4},
                          .reset_options = {{"low", Double(-0.1)}, {"high", Double(0.1)}}});
}

TEST(CartPole, AResetRefusesBoundsThatAreNoRange) {
  TaskRunner env(Make("CartPole-v1"));
  const absl::Status status = env.Reset(0, {{"low", Double(1)}});
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_BAD_OPTION);
  EXPECT_EQ(status.message(), "options low = 1 and high = 0.05 are no finite range");
  EXPECT_THAT(std::string(env.Reset(0, {{"lwo", Double(1)}}).message()),
              HasSubstr("unknown option \"lwo\"; nearest: low"));
}

TEST(CartPole, SpecIsThatOfGymnasium) {
  const auto task = Make("CartPole-v1");
  const v1::EnvSpec& spec = task->spec();
  EXPECT_EQ(spec.max_episode_steps(), 500);
  EXPECT_EQ(spec.reward_threshold(), 475);
  EXPECT_EQ(spec.action(0).cardinality(), 2);
  EXPECT_EQ(spec.observation(0).dtype(), v1::DTYPE_FLOAT32);
  EXPECT_THAT(spec.observation(0).shape(), ElementsAre(4));
  EXPECT_EQ(spec.observation(0).high(0), 4.800000190734863);
  EXPECT_EQ(spec.observation(0).high(2), 0.41887903213500977);
  EXPECT_EQ(Make("CartPole-v0")->spec().max_episode_steps(), 200);
}

TEST(Pendulum, WholeEpisodesAreBitEqualToGymnasium) {
  ExpectEqualToGymnasium({"Pendulum-v1",
                          0,
                          Wiggle,
                          200,
                          0xa3cf7cef31ae4a0c,
                          {0x1.0b61e0b829085p+1, 0x1.6aae2f85ecc7cp+2}});
  ExpectEqualToGymnasium({"Pendulum-v1",
                          42,
                          Wiggle,
                          200,
                          0xd1116e16b0d429e2,
                          {0x1.1ea900e2886acp+2, 0x1.76bd822fb54c2p+1}});
  ExpectEqualToGymnasium({"Pendulum-v1",
                          123456789,
                          Wiggle,
                          200,
                          0x5df6609aa6bba992,
                          {-0x1.3e1af8fda4595p+1, -0x1.ccb4c1477bb90p-6}});
}

TEST(Pendulum, ComputesInTheDtypeOfTheActionAsNumpyDoes) {
  ExpectEqualToGymnasium({.id = "Pendulum-v1",
                          .seed = 42,
                          .policy = Wiggle,
                          .steps = 200,
                          .hash = 0xdfb9cde3a9710a24,
                          .last_state = {0x1.1ea900f9dd442p+2, 0x1.76bd8012de688p+1},
                          .dtype = v1::DTYPE_FLOAT64});
}

TEST(Pendulum, GravityIsAnOption) {
  ExpectEqualToGymnasium({.id = "Pendulum-v1",
                          .seed = 42,
                          .policy = Wiggle,
                          .steps = 200,
                          .hash = 0x2b8a0fe531f66108,
                          .last_state = {0x1.03b38cc88a3f3p+2, 0x1.2bdebd5f15517p+2},
                          .options = {{"g", Double(9.81)}}});
}

TEST(Pendulum, AResetTakesTheBoundsOfTheStart) {
  ExpectEqualToGymnasium({.id = "Pendulum-v1",
                          .seed = 123,
                          .policy = Wiggle,
                          .steps = 0,
                          .hash = 0xa296204d5207597b,
                          .last_state = {0x1.1817ab9617b78p-1, -0x1.c8e32491a0d26p-2},
                          .reset_options = {{"x_init", Double(1.5)}, {"y_init", Double(0.5)}}});
  TaskRunner env(Make("Pendulum-v1"));
  EXPECT_EQ(env.Reset(0, {{"x_init", Double(-1)}}).message(),
            "option x_init = -1 is below the minimum, 0");
}

TEST(Pendulum, AnEpisodeWithoutASeedGoesOnWithTheGenerator) {
  TaskRunner env(Make("Pendulum-v1"));
  ASSERT_EQ(env.Reset(5), absl::OkStatus());
  ASSERT_EQ(env.ResetOn(), absl::OkStatus());
  EXPECT_EQ(env.state()[0], 0x1.8a6ae29f81a60p-4);
  EXPECT_EQ(env.state()[1], -0x1.b6adc41af5480p-2);
}

TEST(MountainCar, WholeEpisodesAreBitEqualToGymnasium) {
  ExpectEqualToGymnasium({"MountainCar-v0",
                          0,
                          PumpDiscrete,
                          122,
                          0xb25a538c1db10968,
                          {0x1.05113e9b54ca3p-1, 0x1.64a6435d77d71p-5}});
  ExpectEqualToGymnasium({"MountainCar-v0",
                          42,
                          PumpDiscrete,
                          121,
                          0xf0470aa978db5276,
                          {0x1.08184bac984aep-1, 0x1.443f0a0c81958p-5}});
  ExpectEqualToGymnasium({"MountainCar-v0",
                          123456789,
                          PumpDiscrete,
                          113,
                          0x3e0bcc2eb5ebb83c,
                          {0x1.12df067d478f2p-1, 0x1.993f942bc2d97p-5}});
}

TEST(MountainCar, TheGoalMayAskForAVelocity) {
  ExpectEqualToGymnasium({.id = "MountainCar-v0",
                          .seed = 42,
                          .policy = PumpDiscrete,
                          .steps = 126,
                          .hash = 0xf4a2eca402e37ae9,
                          .last_state = {0x1.3333333333333p-1, 0x1.7c94ce8766c3dp-5},
                          .options = {{"goal_velocity", Double(0.045)}}});
}

TEST(MountainCarContinuous, WholeEpisodesAreBitEqualToGymnasium) {
  ExpectEqualToGymnasium({"MountainCarContinuous-v0",
                          0,
                          PumpContinuous32,
                          107,
                          0x17abddc4330d6b3e,
                          {0x1.fb50fc0000000p-2, 0x1.e800120000000p-5}});
  ExpectEqualToGymnasium({"MountainCarContinuous-v0",
                          42,
                          PumpContinuous32,
                          108,
                          0x2ec0dff439570bd3,
                          {0x1.f9d6980000000p-2, 0x1.e871820000000p-5}});
  ExpectEqualToGymnasium({"MountainCarContinuous-v0",
                          123456789,
                          PumpContinuous32,
                          108,
                          0x1189799ec51a8a39,
                          {0x1.f9d6980000000p-2, 0x1.e871820000000p-5}});
}

TEST(MountainCarContinuous, ComputesInTheDtypeOfTheActionAsNumpyDoes) {
  ExpectEqualToGymnasium({.id = "MountainCarContinuous-v0",
                          .seed = 42,
                          .policy = PumpContinuous,
                          .steps = 108,
                          .hash = 0x783b10014873ec3d,
                          .last_state = {},
                          .dtype = v1::DTYPE_FLOAT64});
}

TEST(MountainCarContinuous, AResetTakesTheBoundsOfTheStart) {
  ExpectEqualToGymnasium({.id = "MountainCarContinuous-v0",
                          .seed = 42,
                          .policy = PumpContinuous32,
                          .steps = 0,
                          .hash = 0x4771dc945d0537f7,
                          .last_state = {-0x1.cef0219749370p-3, 0},
                          .reset_options = {{"low", Double(-1)}, {"high", Double(0)}}});
}

TEST(Acrobot, WholeEpisodesAreBitEqualToGymnasium) {
  ExpectEqualToGymnasium(
      {"Acrobot-v1",
       0,
       Swing,
       122,
       0xceae11eda6bbb0b6,
       {-0x1.0dcb2bbd089c1p+1, -0x1.d77f23bb7ad20p+0, 0x1.423fff8e399c4p-2, 0x1.0e7e354ff1173p+4}});
  ExpectEqualToGymnasium(
      {"Acrobot-v1",
       42,
       Swing,
       67,
       0xe93dcc4285a73e,
       {0x1.c8d8b2638ef46p+0, 0x1.bdff4e2f6075fp+0, 0x1.ad13bccb32e20p-1, -0x1.75e4f9ba5ff3cp-1}});
  ExpectEqualToGymnasium(
      {"Acrobot-v1",
       123456789,
       Swing,
       109,
       0x3f9bdae9eefd91a3,
       {0x1.e30e90cf7110cp+0, 0x1.13c7271e0713cp+0, 0x1.e8513dbf3d2d8p+0, -0x1.8621ded5c39bdp+3}});
}

TEST(Acrobot, AResetTakesTheBoundsOfTheStart) {
  ExpectEqualToGymnasium({.id = "Acrobot-v1",
                          .seed = 42,
                          .policy = Swing,
                          .steps = 0,
                          .hash = 0x5daa9a52977b6f7c,
                          .last_state = {0x1.a4cbe60000000p+0, -0x1.7787e60000000p-2,
                                         0x1.1367380000000p+1, 0x1.2f28440000000p+0},
                          .reset_options = {{"low", Double(-3)}, {"high", Double(3)}}});
}

}  // namespace
}  // namespace hivewire
