// A model as Hivewire compiles it steps as the same MJCF compiled by the engine alone.
#include <gtest/gtest.h>
#include <mujoco/mujoco.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/sim/model.h"
#include "server/sim/simulation.h"

namespace hivewire {
namespace {

using PlainModel = std::unique_ptr<mjModel, decltype(&mj_deleteModel)>;
using PlainData = std::unique_ptr<mjData, decltype(&mj_deleteData)>;

PlainModel CompilePlain(const std::string& xml) {
  char error[1000] = "";
  mjSpec* spec = mj_parseXMLString(xml.c_str(), nullptr, error, sizeof(error));
  EXPECT_NE(spec, nullptr) << error << "\n" << xml;
  PlainModel model(mj_compile(spec, nullptr), mj_deleteModel);
  EXPECT_NE(model, nullptr) << mjs_getError(spec) << "\n" << xml;
  mj_deleteSpec(spec);
  return model;
}

std::shared_ptr<const Model> Compile(const std::string& xml) {
  auto model = Model::FromXml(xml, "test.xml");
  EXPECT_TRUE(model.ok()) << model.status();
  return *model;
}

std::vector<double> StateOf(const mjModel* model, const mjData* data) {
  std::vector<double> state(static_cast<size_t>(mj_stateSize(model, mjSTATE_INTEGRATION)));
  mj_getState(model, data, state.data(), mjSTATE_INTEGRATION);
  return state;
}

// Steps both from the same start under the same controls. Returns how many contacts there were.
int ExpectEqualSteps(const mjModel* plain, const mjModel* ours, int steps, uint32_t seed) {
  const PlainData a(mj_makeData(plain), mj_deleteData), b(mj_makeData(ours), mj_deleteData);
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  int contacts = 0;
  for (int step = 0; step < steps; ++step) {
    for (int k = 0; k < plain->nu; ++k) a->ctrl[k] = b->ctrl[k] = uniform(random);
    mj_step(plain, a.get());
    mj_step(ours, b.get());
    contacts += a->ncon;
    EXPECT_EQ(a->ncon, b->ncon) << "step " << step;
    for (int k = 0; k < std::min(a->ncon, b->ncon); ++k) {
      EXPECT_EQ(a->contact[k].geom[0], b->contact[k].geom[0]) << "step " << step;
      EXPECT_EQ(a->contact[k].geom[1], b->contact[k].geom[1]) << "step " << step;
    }
    EXPECT_EQ(StateOf(plain, a.get()), StateOf(ours, b.get())) << "step " << step;
    if (testing::Test::HasFailure()) break;
  }
  return contacts;
}

// Bodies of one to three primitive geoms in chains, trees and on their own, above a floor with a
// fixed post and a mocap body, with all that decides whether and how geoms collide. `apart` if the
// bodies meet nothing but the floor.
std::string RandomScene(uint32_t seed, bool apart) {
  std::mt19937 random(seed);
  const auto pick = [&](int count) {
    return static_cast<int>(random() % static_cast<uint32_t>(count));
  };
  const auto number = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  const auto geom = [&](double spread) {
    constexpr const char* kTypes[] = {"sphere", "capsule", "box", "ellipsoid", "cylinder"};
    std::string text = absl::StrCat("<geom type='", kTypes[pick(5)], "' size='", number(.05, .12),
                                    " ", number(.05, .12), " ", number(.05, .12), "' pos='",
                                    number(-spread, spread), " ", number(-spread, spread), " 0'");
    if (apart) {
      absl::StrAppend(&text, " contype='", 1 + pick(3), "' conaffinity='0'");
    } else if (pick(3) == 0) {
      absl::StrAppend(&text, " contype='", pick(4), "' conaffinity='", pick(4), "'");
    }
    if (pick(3) == 0) absl::StrAppend(&text, " priority='", pick(3), "'");
    if (pick(3) == 0)
      absl::StrAppend(&text, " margin='", number(0, .02), "' gap='", number(0, .01), "'");
    if (pick(3) == 0) absl::StrAppend(&text, " solmix='", number(0, 2), "'");
    if (pick(4) == 0)
      absl::StrAppend(&text, " solref='-", number(500, 900), " -", number(20, 60), "'");
    if (pick(3) == 0) absl::StrAppend(&text, " condim='", (const int[]){1, 3, 4, 6}[pick(4)], "'");
    if (pick(3) == 0) absl::StrAppend(&text, " friction='", number(.1, 1), " .01 .001'");
    return absl::StrCat(text, "/>\n");
  };
  std::string world = "<geom type='plane' size='5 5 .1'/>\n";
  if (pick(4) == 0) absl::StrAppend(&world, "<geom type='box' size='.2 .2 .2'/>\n");
  std::string actuators;
  const int trees = 1 + pick(3);
  int body = 0;
  for (int tree = 0; tree < trees; ++tree) {
    absl::StrAppend(&world, "<body name='b", body++, "' pos='", number(-.4, .4), " ",
                    number(-.4, .4), " ", number(.4, .9), "'>\n<freejoint/>", geom(.1));
    int depth = 1;
    for (int links = 1 + pick(3); links > 0; --links) {
      if (pick(3) == 0 && depth > 1) {
        absl::StrAppend(&world, "</body>\n");
        --depth;
      }
      absl::StrAppend(&world, "<body name='b", body, "' pos='.2 ", number(-.1, .1), " 0'>\n");
      if (pick(5) != 0) {
        absl::StrAppend(&world, "<joint name='j", body, "' axis='0 ", pick(2),
                        " 1' damping='.1'/>");
        absl::StrAppend(&actuators, "<motor joint='j", body, "' gear='3'/>\n");
      }
      for (int geoms = pick(4) == 0 ? 3 : 1; geoms > 0; --geoms) absl::StrAppend(&world, geom(.15));
      ++body;
      ++depth;
    }
    for (; depth > 0; --depth) absl::StrAppend(&world, "</body>\n");
  }
  absl::StrAppend(&world, "<body mocap='true' pos='.3 0 .3'>", geom(0), "</body>\n");
  std::string contact;
  if (pick(2) == 0) {
    contact = absl::StrCat("<contact><exclude body1='b0' body2='b", body - 1, "'/></contact>");
  }
  return absl::StrCat("<mujoco>", pick(3) == 0 ? "<option cone='elliptic'/>" : "",
                      pick(4) == 0 ? "<option><flag filterparent='disable'/></option>" : "",
                      pick(4) == 0 ? "<option><flag midphase='disable'/></option>" : "",
                      "<worldbody>", world, "</worldbody>", contact, "<actuator>", actuators,
                      "</actuator></mujoco>");
}

TEST(CollisionPairs, RandomScenesStepAsTheEngineAloneStepsThem) {
  int with_pairs = 0, contacts = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    const std::string xml = RandomScene(seed, /*apart=*/seed % 4 != 0);
    const PlainModel plain = CompilePlain(xml);
    const auto ours = Compile(xml);
    with_pairs += ours->has_found_pairs();
    contacts += ExpectEqualSteps(plain.get(), ours->get(), 150, seed);
    ASSERT_FALSE(HasFailure()) << "seed " << seed << "\n" << xml;
  }
  EXPECT_GT(with_pairs, 50);
  EXPECT_LT(with_pairs, 150);
  EXPECT_GT(contacts, 10000);
}

TEST(CollisionPairs, OverriddenFrictionReachesThePairs) {
  const std::string xml = R"(
<mujoco>
  <worldbody>
    <geom type='plane' size='5 5 .1'/>
    <body pos='0 0 .1'><freejoint/><geom type='box' size='.1 .1 .1'/></body>
  </worldbody>
</mujoco>)";
  const PlainModel plain = CompilePlain(xml);
  const std::vector<double> friction = {.2, .005, .0001, .3, .01, .0002};
  std::copy(friction.begin(), friction.end(), plain->geom_friction);
  const auto model = Compile(xml);
  ASSERT_TRUE(model->has_found_pairs());
  const auto simulation = *Simulation::Create(model);
  simulation->Use(simulation->Override({{"geom_friction", friction}}));
  EXPECT_GT(ExpectEqualSteps(plain.get(), simulation->model(), 50, 0), 0);
}

TEST(CollisionPairs, AGeomWithoutANameStaysWithout) {
  const auto model = Compile(
      "<mujoco><worldbody><geom type='plane' size='1 1 1'/><body pos='0 0 1'><freejoint/>"
      "<geom name='ball' size='.1'/></body></worldbody></mujoco>");
  ASSERT_TRUE(model->has_found_pairs());
  EXPECT_EQ(mj_id2name(model->get(), mjOBJ_GEOM, 0), nullptr);
  EXPECT_STREQ(mj_id2name(model->get(), mjOBJ_GEOM, 1), "ball");
  EXPECT_EQ(mj_name2id(model->get(), mjOBJ_GEOM, "unnamed geom 0"), -1);
}

TEST(CollisionPairs, AModelWithPairsOfItsOwnIsLeftAsItIs) {
  const auto model = Compile(
      "<mujoco><worldbody><geom name='floor' type='plane' size='1 1 1'/><body pos='0 0 1'>"
      "<freejoint/><geom name='ball' size='.1'/></body></worldbody>"
      "<contact><pair geom1='floor' geom2='ball' condim='1'/></contact></mujoco>");
  EXPECT_FALSE(model->has_found_pairs());
  EXPECT_EQ((*model)->npair, 1);
  EXPECT_EQ((*model)->pair_dim[0], 1);
}

}  // namespace
}  // namespace hivewire
