#include "server/tasks/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "server/tasks/testing/values.h"

namespace hivewire {
namespace {

using ::testing::HasSubstr;

std::vector<v1::OptionSpec> Specs() {
  std::vector<v1::OptionSpec> specs = {
      BoolOption("noisy", false, ""),
      IntOption("frame_skip", 5, ""),
      DoubleOption("gravity", 9.81, ""),
      DoubleListOption("healthy_range", {0.2, 1.0}, ""),
      StringOption("model", "ant.xml", {"ant.xml", "bee.xml"}, ""),
  };
  specs[1].set_minimum(1);
  specs[1].set_maximum(100);
  v1::OptionSpec absent;
  absent.set_name("seed");
  absent.set_type(v1::VALUE_TYPE_INT);
  specs.push_back(absent);
  return specs;
}

absl::Status Refusal(const Options& given) { return ResolveOptions(Specs(), given).status(); }

TEST(Options, DefaultsStandInForWhatIsNotGiven) {
  const auto options = ResolveOptions(Specs(), {{"frame_skip", Int(2)}});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(GetBool(*options, "noisy"));
  EXPECT_EQ(GetInt(*options, "frame_skip"), 2);
  EXPECT_EQ(GetDouble(*options, "gravity"), 9.81);
  EXPECT_EQ(GetDoubleList(*options, "healthy_range"), (std::vector<double>{0.2, 1.0}));
  EXPECT_EQ(GetString(*options, "model"), "ant.xml");
}

TEST(Options, AnOptionWithoutDefaultIsAbsentUnlessGiven) {
  EXPECT_EQ(ResolveOptions(Specs(), {})->count("seed"), 0u);
  EXPECT_EQ(GetInt(*ResolveOptions(Specs(), {{"seed", Int(3)}}), "seed"), 3);
}

TEST(Options, AnIntegerIsTakenForANumberButNotTheOtherWayRound) {
  EXPECT_EQ(GetDouble(*ResolveOptions(Specs(), {{"gravity", Int(10)}}), "gravity"), 10.0);
  EXPECT_EQ(Refusal({{"frame_skip", Double(2)}}).message(),
            "option frame_skip = 2 is not an integer");
}

TEST(Options, AnUnknownOneIsRefusedWithTheNearestName) {
  const absl::Status status = Refusal({{"gravty", Double(1)}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_BAD_OPTION);
  EXPECT_EQ(FieldOf(status), "options.gravty");
  EXPECT_EQ(status.message(), "unknown option \"gravty\"; nearest: gravity");
  EXPECT_EQ(ResolveOptions({}, {{"g", Int(1)}}).status().message(),
            "unknown option \"g\"; there are none");
}

TEST(Options, AnIllTypedOneIsRefusedWithItsValue) {
  EXPECT_EQ(Refusal({{"gravity", String("ten")}}).message(),
            "option gravity = \"ten\" is not a number");
  EXPECT_EQ(Refusal({{"noisy", v1::Value()}}).message(), "option noisy = (no value) is not a bool");
}

TEST(Options, ARefusalOfALongValueStaysShort) {
  const absl::Status status = Refusal({{"gravity", String(std::string(1 << 20, 'x'))}});
  EXPECT_LT(status.message().size(), 200u);
  EXPECT_THAT(std::string(status.message()), HasSubstr("… is not a number"));
  EXPECT_LT(Refusal({{std::string(1 << 20, 'x'), String("")}}).message().size(), 300u);
}

TEST(Options, OneOutOfRangeIsRefusedWithTheBound) {
  EXPECT_EQ(Refusal({{"frame_skip", Int(0)}}).message(),
            "option frame_skip = 0 is below the minimum, 1");
  EXPECT_EQ(Refusal({{"frame_skip", Int(101)}}).message(),
            "option frame_skip = 101 is above the maximum, 100");
}

TEST(Options, NaNIsRefusedAndInfinityTaken) {
  EXPECT_FALSE(Refusal({{"gravity", Double(std::numeric_limits<double>::quiet_NaN())}}).ok());
  EXPECT_TRUE(Refusal({{"gravity", Double(std::numeric_limits<double>::infinity())}}).ok());
}

TEST(Options, AStringThatIsNoChoiceIsRefusedWithTheChoices) {
  EXPECT_THAT(std::string(Refusal({{"model", String("bee")}}).message()),
              HasSubstr("is none of ant.xml, bee.xml; nearest: bee.xml"));
}

}  // namespace
}  // namespace hivewire
