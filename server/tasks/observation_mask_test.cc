#include "server/tasks/observation_mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hivewire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A leaf of three named elements and an image.
ObservationLeaves Leaves() {
  ObservationLeaves leaves;
  v1::LeafSpec& state = *leaves.Add();
  state.set_name("state");
  state.add_shape(3);
  for (const char* name : {"x", "hip.velocity", "knee.velocity"}) state.add_element_names(name);
  for (const char* unit : {"m", "rad/s", "rad/s"}) state.add_element_units(unit);
  for (const double bound : {1, 2, 3}) {
    state.add_low(-bound);
    state.add_high(bound);
  }
  v1::LeafSpec& image = *leaves.Add();
  image.set_name("image");
  for (const int64_t size : {2, 2, 3}) image.add_shape(size);
  return leaves;
}

std::vector<std::vector<size_t>> Kept(const std::vector<std::string>& mask) {
  const auto kept = ApplyObservationMask(mask, Leaves());
  EXPECT_TRUE(kept.ok()) << kept.status();
  return kept.ok() ? *kept : std::vector<std::vector<size_t>>();
}

std::string Refusal(const std::vector<std::string>& mask, const ObservationLeaves& leaves) {
  const absl::Status status = ApplyObservationMask(mask, leaves).status();
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_BAD_OPTION) << status;
  EXPECT_EQ(FieldOf(status), "options.observation_mask");
  return std::string(status.message());
}

TEST(ObservationMask, NamesWholeLeaves) {
  EXPECT_THAT(Kept({"image"}), ElementsAre(ElementsAre(0, 1, 2), IsEmpty()));
  EXPECT_THAT(Kept({"st*"})[0], IsEmpty());
}

TEST(ObservationMask, NamesElements) {
  EXPECT_THAT(Kept({"knee.velocity"})[0], ElementsAre(0, 1));
  EXPECT_THAT(Kept({"*velocity"})[0], ElementsAre(0));
  EXPECT_THAT(Kept({"*e*velocity*"})[0], ElementsAre(0, 1));
  EXPECT_THAT(Kept({"x", "*p.vel*"})[0], ElementsAre(2));
}

TEST(ObservationMask, CountsElements) {
  EXPECT_THAT(Kept({"state[1]"})[0], ElementsAre(0, 2));
  EXPECT_THAT(Kept({"state[0:2]"})[0], ElementsAre(2));
  ObservationLeaves single = Leaves();
  single.RemoveLast();
  EXPECT_THAT(*ApplyObservationMask(std::vector<std::string>{"0", "2:3"}, single),
              ElementsAre(ElementsAre(1)));
}

TEST(ObservationMask, PickedElementsKeepTheirBoundsAndNames) {
  const v1::LeafSpec picked = PickElements(Leaves()[0], std::vector<size_t>{0, 2});
  EXPECT_THAT(picked.shape(), ElementsAre(2));
  EXPECT_THAT(picked.low(), ElementsAre(-1, -3));
  EXPECT_THAT(picked.high(), ElementsAre(1, 3));
  EXPECT_THAT(picked.element_names(), ElementsAre("x", "knee.velocity"));
  EXPECT_THAT(picked.element_units(), ElementsAre("m", "rad/s"));
}

TEST(ObservationMask, RefusesWhatDoesNotFitAndSaysWhy) {
  EXPECT_THAT(Refusal({"hip.velocty"}, Leaves()), HasSubstr("nearest: hip.velocity"));
  EXPECT_THAT(Refusal({"*torque*"}, Leaves()), HasSubstr("names no leaf and no element"));
  EXPECT_THAT(Refusal({""}, Leaves()), HasSubstr("names no leaf and no element"));
  EXPECT_THAT(Refusal({"stat[1]"}, Leaves()), HasSubstr("nearest: state"));
  EXPECT_THAT(Refusal({"state[3]"}, Leaves()), HasSubstr("0 … 2"));
  EXPECT_THAT(Refusal({"state[2:2]"}, Leaves()), HasSubstr("0 … 2"));
  EXPECT_THAT(Refusal({"state[0:99999999999]"}, Leaves()), HasSubstr("LEAF[i:j]"));
  EXPECT_THAT(Refusal({"state[-1]"}, Leaves()), HasSubstr("LEAF[i:j]"));
  EXPECT_THAT(Refusal({"state[1"}, Leaves()), HasSubstr("LEAF[i:j]"));
  EXPECT_THAT(Refusal({"1"}, Leaves()), HasSubstr("there are several"));
  EXPECT_THAT(Refusal({"image[1]"}, Leaves()), HasSubstr("only the whole"));
  EXPECT_THAT(Refusal({"*"}, Leaves()), HasSubstr("nothing to observe"));
}

}  // namespace
}  // namespace hivewire
