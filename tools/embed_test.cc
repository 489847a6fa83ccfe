#include <gtest/gtest.h>

#include <string_view>

#include "tools/embedded_testdata.h"

namespace hivewire {
namespace {

using std::string_view_literals::operator""sv;

TEST(EmbedData, KeepsEveryByte) {
  const auto files = EmbeddedTestdata();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].name, "empty");
  EXPECT_EQ(files[0].content, ""sv);
  EXPECT_EQ(files[1].name, "odd/bytes");
  EXPECT_EQ(files[1].content, "\"a\\n\"\t\?\?/\r\n\0001\377\303\251\n\nend"sv);
}

}  // namespace
}  // namespace hivewire
