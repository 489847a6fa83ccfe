#include "base/error.h"

#include <gtest/gtest.h>

namespace hivewire {
namespace {

TEST(Error, KeepsCodeReasonAndMessageOverTheWire) {
  const absl::Status sent =
      MakeError(v1::ERROR_REASON_BAD_ENV_ID, "env_ids[1]: lane 9 is not below 4", "env_ids", "9");
  const absl::Status received = FromProto(ToProto(sent));
  EXPECT_EQ(received, sent);
  EXPECT_EQ(received.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(received), v1::ERROR_REASON_BAD_ENV_ID);
}

TEST(Error, NamesTheFieldToBlame) {
  EXPECT_EQ(FieldOf(MakeError(v1::ERROR_REASON_BAD_OPTION, "x", "options.g", "ten")), "options.g");
  EXPECT_EQ(FieldOf(MakeError(v1::ERROR_REASON_BAD_OPTION, "x")), "");
  EXPECT_EQ(FieldOf(absl::InternalError("x")), "");
}

TEST(Error, EveryReasonHasACodeOfItsOwnMeaning) {
  for (int reason = v1::ErrorReason_MIN + 1; reason <= v1::ErrorReason_MAX; ++reason) {
    const absl::Status status = MakeError(static_cast<v1::ErrorReason>(reason), "x");
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(ReasonOf(status), reason);
  }
}

TEST(Error, AnUnknownCodeIsNeverSuccess) {
  google::rpc::Status proto;
  proto.set_code(99);
  EXPECT_EQ(FromProto(proto).code(), absl::StatusCode::kUnknown);
}

TEST(Error, AnnotateKeepsTheReason) {
  const absl::Status status = Annotate(MakeError(v1::ERROR_REASON_LANE_BUSY, "busy"), "tcp:host:1");
  EXPECT_EQ(status.message(), "tcp:host:1: busy");
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_LANE_BUSY);
}

}  // namespace
}  // namespace hivewire
