#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace hivewire {
namespace {

TEST(JsonObject, WritesMembersInTheOrderTheyWereAdded) {
  JsonObject object;
  object.Add("name", "Ant-v5").Add("lanes", 64).Add("rate", 0.5).Add("on", true).AddNull("none");
  EXPECT_EQ(object.ToString(),
            R"({"name": "Ant-v5", "lanes": 64, "rate": 0.5, "on": true, "none": null})");
}

TEST(JsonObject, EscapesQuotesAndControlCharacters) {
  EXPECT_EQ(JsonObject().Add("a\"b", "c\\d\n").ToString(), R"({"a\"b": "c\\d\u000a"})");
}

TEST(JsonObject, NumbersThatJsonCannotWriteAreNull) {
  EXPECT_EQ(JsonObject().Add("nan", std::nan("")).ToString(), R"({"nan": null})");
}

TEST(Json, ListsKeepTenDigits) {
  EXPECT_EQ(JsonList({1234567.875, -0.5, std::nan("")}), "[1234567.875, -0.5, null]");
}

TEST(JsonObject, WithoutMembersIsEmpty) { EXPECT_EQ(JsonObject().ToString(), "{}"); }

}  // namespace
}  // namespace hivewire
