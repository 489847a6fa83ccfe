#include "server/sim/simulation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "server/sim/model.h"

namespace hivewire {
namespace {

constexpr absl::string_view kPendulums = R"(
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <geom type="plane" size="5 5 .1"/>
    <body pos="0 0 .6">
      <joint name="hinge" axis="0 1 0" damping=".1"/>
      <geom type="capsule" fromto="0 0 0 .4 0 0" size=".05"/>
      <body pos=".4 0 0">
        <joint axis="0 1 0"/>
        <geom type="capsule" fromto="0 0 0 .4 0 0" size=".05"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="hinge" ctrlrange="-1 1"/></actuator>
</mujoco>)";

std::shared_ptr<const Model> Pendulums() {
  auto model = Model::FromXml(kPendulums, "pendulums");
  EXPECT_TRUE(model.ok()) << model.status();
  return *model;
}

std::unique_ptr<Simulation> MakeSimulation(const std::shared_ptr<const Model>& model) {
  auto simulation = Simulation::Create(model);
  EXPECT_TRUE(simulation.ok()) << simulation.status();
  return *std::move(simulation);
}

TEST(Model, AnMjcfThatDoesNotCompileIsAnErrorWithMuJoCosMessage) {
  const auto model =
      Model::FromXml("<mujoco><worldbody><geom size='-1'/></worldbody></mujoco>", "broken.xml");
  ASSERT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(model.status().message().find("broken.xml"), absl::string_view::npos);
  EXPECT_NE(model.status().message().find("size"), absl::string_view::npos) << model.status();
  EXPECT_FALSE(Model::FromXml("<mujoco", "broken.xml").ok());
}

TEST(Model, AFileThatIsNotThereIsNamed) {
  const auto model = Model::FromFile("/nonexistent/robot.xml");
  EXPECT_EQ(model.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(model.status().message().find("/nonexistent/robot.xml"), absl::string_view::npos);
}

TEST(Model, SleepIsRefusedSinceARowDoesNotHoldIt) {
  const auto model = Model::FromXml(
      "<mujoco><option><flag sleep='enable'/></option><worldbody/></mujoco>", "sleepy.xml");
  ASSERT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(model.status().message().find("sleep"), absl::string_view::npos);
}

// Two envs that take turns in one engine go exactly as each would in an engine of its own.
TEST(Simulation, RowsInterleavedInOneEngineEqualSeparateEngines) {
  const auto model = Pendulums();
  const auto shared = MakeSimulation(model);
  std::unique_ptr<Simulation> own[2] = {MakeSimulation(model), MakeSimulation(model)};
  std::vector<double> rows[2];
  for (int env = 0; env < 2; ++env) {
    own[env]->Reset();
    own[env]->data()->qpos[0] = 0.3 * (env + 1);
    own[env]->Forward();
    rows[env].resize(static_cast<size_t>(model->state_size()));
    own[env]->Save(absl::MakeSpan(rows[env]));
  }
  std::vector<double> expected(static_cast<size_t>(model->state_size()));
  for (int step = 0; step < 1000; ++step) {
    for (int env = 0; env < 2; ++env) {
      const double control = std::sin(0.1 * step + env);
      own[env]->data()->ctrl[0] = control;
      own[env]->Step(2);
      own[env]->Save(absl::MakeSpan(expected));
      shared->Load(rows[env]);
      shared->data()->ctrl[0] = control;
      shared->Step(2);
      shared->Save(absl::MakeSpan(rows[env]));
      ASSERT_EQ(rows[env], expected) << "env " << env << ", step " << step;
    }
  }
}

// With RK4 the derived fields after a step are those of a state that nobody keeps.
TEST(Simulation, ALoadWithDerivedFieldsFindsThemAsTheyWereSaved) {
  const auto model = Model::FromXml(R"(
<mujoco><option integrator="RK4"/><worldbody><body pos="0 0 1"><joint axis="0 1 0"/>
<geom type="capsule" fromto="0 0 0 .3 0 0" size=".05"/></body></worldbody></mujoco>)",
                                    "rk4.xml");
  ASSERT_TRUE(model.ok()) << model.status();
  const auto stepped = MakeSimulation(*model);
  const auto drawn = MakeSimulation(*model);
  std::vector<double> row(static_cast<size_t>((*model)->state_size()));
  std::vector<double> again(row.size());
  const auto geom_x = [](const Simulation& simulation) { return simulation.data()->geom_xpos[0]; };
  stepped->Reset();
  stepped->Forward();
  for (int step = 0; step < 3; ++step) {
    stepped->Save(absl::MakeSpan(row));
    drawn->LoadWithDerived(row);
    EXPECT_EQ(geom_x(*drawn), geom_x(*stepped)) << step;
    EXPECT_EQ(drawn->data()->qpos[0], stepped->data()->qpos[0]) << step;
    stepped->Step(20);
  }
  stepped->Save(absl::MakeSpan(row));
  Simulation::ForgetStep(absl::MakeSpan(row));
  drawn->LoadWithDerived(row);
  EXPECT_NE(geom_x(*drawn), geom_x(*stepped));
  stepped->Forward();
  EXPECT_EQ(geom_x(*drawn), geom_x(*stepped));
}

TEST(Simulation, AnEngineErrorIsAStatusAndTheProcessGoesOn) {
  const absl::Status status = Simulation::Guard([] { mju_error("stack overflow of %d bytes", 7); });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("stack overflow of 7 bytes"), absl::string_view::npos) << status;
  EXPECT_TRUE(Simulation::Guard([] {}).ok());
}

// The engine runs out of memory in the middle of mj_step, with frames of C above and below it.
TEST(Simulation, AnErrorDeepInTheEngineUnwindsThroughItsFrames) {
  const auto simulation = MakeSimulation(Pendulums());
  const auto owned = std::make_shared<int>(0);
  mjcb_control = [](const mjModel*, mjData* data) { mj_stackAllocNum(data, size_t{1} << 40); };
  for (int attempt = 0; attempt < 3; ++attempt) {
    const absl::Status status = Simulation::Guard([&simulation, &owned] {
      const std::shared_ptr<int> local = owned;
      simulation->Step(1);
    });
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_NE(status.message().find("out of memory"), absl::string_view::npos) << status;
    EXPECT_EQ(owned.use_count(), 1);
  }
  mjcb_control = nullptr;
}

TEST(Simulation, WarningsAndErrorsWriteNoFile) {
  std::remove("MUJOCO_LOG.TXT");
  EXPECT_FALSE(Simulation::Guard([] {
                 mju_warning("a warning");
                 mju_error("an error");
               }).ok());
  EXPECT_EQ(std::fopen("MUJOCO_LOG.TXT", "r"), nullptr);
}

TEST(Simulation, AnExceptionIsAStatus) {
  EXPECT_EQ(Simulation::Guard([] { throw std::runtime_error("task failed"); }).message(),
            "task failed");
  EXPECT_FALSE(Simulation::Guard([] { throw 1; }).ok());
}

TEST(Simulation, ADivergedStateIsFoundAndTheNextLoadForgetsIt) {
  const auto simulation = MakeSimulation(Pendulums());
  simulation->Reset();
  std::vector<double> row(static_cast<size_t>(simulation->shared_model()->state_size()));
  simulation->Save(absl::MakeSpan(row));
  EXPECT_TRUE(simulation->CheckState().ok());
  simulation->data()->qvel[0] = 1e30;
  simulation->Step(1);
  EXPECT_FALSE(simulation->CheckState().ok());
  simulation->Load(row);
  EXPECT_TRUE(simulation->CheckState().ok());
}

}  // namespace
}  // namespace hivewire
