#include "server/sim/model_overrides.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"
#include "server/sim/simulation.h"

namespace hivewire {
namespace {

// A pendulum with numbers to be filled in, above a floor.
std::shared_ptr<const Model> Compile(const std::string& gravity, const std::string& mass,
                                     const std::string& place, const std::string& armature) {
  const std::string xml = absl::StrReplaceAll(
      R"(
<mujoco>
  <option timestep="0.005" gravity="GRAVITY"/>
  <worldbody>
    <geom type="plane" size="5 5 .1"/>
    <body pos="PLACE">
      <joint name="hinge" axis="0 1 0" armature="ARMATURE"/>
      <inertial pos=".2 0 0" mass="MASS" diaginertia=".01 .02 .03"/>
      <geom type="capsule" fromto="0 0 0 .4 0 0" size=".05"/>
      <body pos=".4 0 0">
        <joint axis="1 0 0"/>
        <geom type="sphere" size=".05"/>
      </body>
    </body>
  </worldbody>
  <actuator><position joint="hinge" kp="3"/></actuator>
</mujoco>)",
      {{"GRAVITY", gravity}, {"MASS", mass}, {"PLACE", place}, {"ARMATURE", armature}});
  auto model = Model::FromXml(xml, "pendulum");
  EXPECT_TRUE(model.ok()) << model.status();
  return *model;
}

std::vector<double> RowAfter(Simulation& simulation, int steps) {
  simulation.Reset();
  simulation.data()->ctrl[0] = 1;
  simulation.Step(steps);
  std::vector<double> row(static_cast<size_t>(simulation.shared_model()->state_size()));
  simulation.Save(absl::MakeSpan(row));
  return row;
}

std::unique_ptr<Simulation> Make(const std::shared_ptr<const Model>& model) {
  return *Simulation::Create(model);
}

TEST(ModelOverrides, StepAsAModelThatWasCompiledWithTheValuesDoes) {
  const auto base = Compile("0 0 -9.81", "1", "0 0 .6", "0");
  const auto other = Compile("0 0 -3", "2.5", "0.1 0 .5", "0.02");
  const auto simulation = Make(base);
  const auto overrides = simulation->Override({{"gravity", {0, 0, -3}},
                                               {"body_mass", {0, 2.5, other->get()->body_mass[2]}},
                                               {"body_pos", {0, 0, 0, 0.1, 0, 0.5, 0.4, 0, 0}},
                                               {"dof_armature", {0.02, 0}}});
  simulation->Use(overrides);
  const auto compiled = Make(other);
  EXPECT_EQ(RowAfter(*simulation, 500), RowAfter(*compiled, 500));
  EXPECT_EQ(simulation->model()->body_subtreemass[0], other->get()->body_subtreemass[0]);
  EXPECT_EQ(simulation->model()->dof_invweight0[0], other->get()->dof_invweight0[0]);
}

TEST(ModelOverrides, LeaveNothingBehindForTheNextEnv) {
  const auto base = Compile("0 0 -9.81", "1", "0 0 .6", "0");
  const auto simulation = Make(base);
  const std::vector<double> untouched = RowAfter(*simulation, 300);
  const auto heavy = simulation->Override({{"body_mass", {0, 5, 1}}});
  const auto light = simulation->Override({{"gravity", {0, 0, -1}}});
  simulation->Use(heavy);
  const std::vector<double> first = RowAfter(*simulation, 300);
  simulation->Use(light);
  const std::vector<double> second = RowAfter(*simulation, 300);
  EXPECT_NE(first, untouched);
  EXPECT_NE(second, untouched);
  simulation->Use(nullptr);
  EXPECT_EQ(RowAfter(*simulation, 300), untouched);
  simulation->Use(heavy);
  EXPECT_EQ(RowAfter(*simulation, 300), first);
  const auto fresh = Make(base);
  fresh->Use(light);
  EXPECT_EQ(RowAfter(*fresh, 300), second);
}

TEST(ModelOverrides, TheSharedModelIsNeverTouched) {
  const auto base = Compile("0 0 -9.81", "1", "0 0 .6", "0");
  const auto simulation = Make(base);
  simulation->Use(simulation->Override({{"body_mass", {0, 5, 1}}, {"viscosity", {0.1}}}));
  EXPECT_EQ(base->get()->body_mass[1], 1);
  EXPECT_EQ(base->get()->opt.viscosity, 0);
}

TEST(ModelOverrides, FieldsKnowTheirShapes) {
  const auto base = Compile("0 0 -9.81", "1", "0 0 .6", "0");
  const mjModel& model = *base->get();
  EXPECT_EQ(FindModelField("gravity")->shape(model), (std::vector<int64_t>{3}));
  EXPECT_TRUE(FindModelField("density")->shape(model).empty());
  EXPECT_EQ(FindModelField("body_mass")->shape(model), (std::vector<int64_t>{3}));
  EXPECT_EQ(FindModelField("body_pos")->shape(model), (std::vector<int64_t>{3, 3}));
  EXPECT_EQ(FindModelField("site_pos")->size(model), 0u);
  EXPECT_EQ(FindModelField("no_such_field"), nullptr);
}

}  // namespace
}  // namespace hivewire
