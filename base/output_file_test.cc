#include "base/output_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/file.h"

namespace hivewire {
namespace {

std::string EmptyFolder(const std::string& name) {
  const std::string folder = testing::TempDir() + "/" + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  return folder;
}

TEST(OutputFile, AppearsWithItsContentWhenItIsCommitted) {
  const std::string path = EmptyFolder("committed") + "/file";
  auto file = OutputFile::Create(path);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Write("one ").ok());
  ASSERT_TRUE(file->Write("two").ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_EQ(ReadFile(path).value(), "one two");
}

TEST(OutputFile, LeavesNothingBehindWhenItIsNotCommitted) {
  const std::string folder = EmptyFolder("dropped");
  {
    auto file = OutputFile::Create(folder + "/file");
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Write("half of i").ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(OutputFile, ReplacesAFileOnlyWhenItIsCommitted) {
  const std::string path = EmptyFolder("replaced") + "/file";
  for (const std::string content : {"old", "new"}) {
    auto file = OutputFile::Create(path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Write(content).ok());
    if (content == "new") {
      EXPECT_EQ(ReadFile(path).value(), "old");
    }
    ASSERT_TRUE(file->Commit().ok());
  }
  EXPECT_EQ(ReadFile(path).value(), "new");
}

TEST(OutputFile, NamesThePathThatCannotBeWritten) {
  const auto file = OutputFile::Create("/nowhere/to/be/found");
  EXPECT_EQ(file.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(file.status().message().find("/nowhere/to/be/found: No such file"), std::string::npos)
      << file.status();
}

}  // namespace
}  // namespace hivewire
