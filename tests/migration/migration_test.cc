// docs/migration.md has a row for every option in options.txt, and names nothing that there is not.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/config/presets.h"

namespace hivewire {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Program → its options, in order.
std::map<std::string, std::vector<std::string>> Options() {
  std::map<std::string, std::vector<std::string>> options;
  std::string program;
  for (const absl::string_view line :
       absl::StrSplit(Read("tests/migration/options.txt"), '\n', absl::SkipEmpty())) {
    if (line[0] == '#') continue;
    if (line[0] == '[') {
      program = std::string(line.substr(1, line.size() - 2));
    } else {
      options[program].emplace_back(line);
    }
  }
  return options;
}

// Program → option → what the page says of it.
std::map<std::string, std::map<std::string, std::string>> Answers() {
  std::map<std::string, std::map<std::string, std::string>> answers;
  std::string program;
  const std::string page = Read("docs/migration.md");
  static const std::regex row("\\| `([^`]+)` \\| (.+) \\|");
  for (const absl::string_view line : absl::StrSplit(page, '\n')) {
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "## ")) program = std::string(rest);
    const std::string text(line);
    std::smatch match;
    if (std::regex_match(text, match, row)) answers[program][match[1].str()] = match[2].str();
  }
  return answers;
}

// Whether `path` leads to a field of LearnerConfig; what follows a map's name is an entry of it.
bool IsField(const std::string& path) {
  const google::protobuf::Descriptor* message = v1::LearnerConfig::descriptor();
  for (const std::string& name : std::vector<std::string>(absl::StrSplit(path, '.'))) {
    if (message == nullptr) return false;
    const google::protobuf::FieldDescriptor* field = message->FindFieldByName(name);
    if (field == nullptr) return false;
    if (field->is_map()) return true;
    message = field->message_type();
  }
  return true;
}

TEST(Migration, AnswersEveryOptionOfEachProgram) {
  const auto options = Options();
  const auto answers = Answers();
  ASSERT_GE(options.size(), 8u);
  size_t count = 0;
  for (const auto& [program, names] : options) {
    ASSERT_TRUE(answers.count(program)) << program;
    for (const std::string& name : names) {
      ++count;
      EXPECT_TRUE(answers.at(program).count(name)) << program << " " << name;
    }
  }
  EXPECT_GT(count, 180u);
}

TEST(Migration, AnswersNothingThatIsNotAnOption) {
  const auto options = Options();
  for (const auto& [program, answers] : Answers()) {
    ASSERT_TRUE(options.count(program)) << program;
    for (const auto& [name, answer] : answers) {
      const auto& names = options.at(program);
      EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << program << " " << name;
    }
  }
}

TEST(Migration, NamesOnlyFieldsAndPresetsThatThereAre) {
  const std::string page = Read("docs/migration.md");
  std::set<std::string> presets = {kRecommended, "NAME", "A,B"};
  for (const PresetSummary& preset : PresetSummaries()) presets.insert(preset.name);
  static const std::regex span("`([^`]+)`");
  static const std::regex field("(?:--set )?([a-z_]+\\.[a-z_.]+[a-z_])(?:\\..*|=.*|\\[.*)?");
  static const std::regex preset("--preset=(.*)");
  int fields = 0;
  for (auto at = std::sregex_iterator(page.begin(), page.end(), span); at != std::sregex_iterator();
       ++at) {
    const std::string text = (*at)[1];
    std::smatch match;
    if (std::regex_match(text, match, preset)) {
      EXPECT_TRUE(presets.count(match[1].str())) << text;
    }
    if (!std::regex_match(text, match, field)) continue;
    ++fields;
    EXPECT_TRUE(IsField(match[1].str())) << text;
  }
  EXPECT_GT(fields, 60);
}

}  // namespace
}  // namespace hivewire
