#include "server/tasks/robohive/model_text.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/error.h"
#include "server/tasks/robohive/models.h"
#include "server/tasks/robohive/simhive.h"

namespace hivewire {
namespace {

namespace fs = std::filesystem;

// Includes within includes; more is a circle.
constexpr int kMaxDepth = 16;
constexpr size_t kNone = std::string::npos;

// What MuJoCo 3.17 refuses in the files that RoboHive 0.7.0 pins, and what makes it the same model
// again. Paths begin at RoboHive's own folder.
struct TextEdit {
  absl::string_view path, from, to;
};
constexpr TextEdit kEdits[] = {
    // An option that is gone; it never changed the physics.
    {"envs/hands/assets/DAPG_assets.xml", "apirate=\"200\"", ""},
    {"simhive/Adroit/resources/assets.xml", "apirate=\"200\"", ""},
    // A class beside "main" used to change "main" itself, and the kitchen relies on that.
    {"simhive/furniture_sim/kettle/kettle_asset.xml", "<default class=\"kettle\">", "<default>"},
    // A mesh that is lost; it was only to be seen.
    {"simhive/robel_sim/dkitty/assets/dependenciesA_xh-v2.1.xml",
     "<mesh file=\"../robel_sim/dkitty/meshes/screws.stl\" name=\"screws\"/>", ""},
    {"simhive/robel_sim/dkitty/assets/chainA_xh-v2.1.xml",
     "<geom class=\"viz_metal_grey\" mesh=\"screws\"/>", ""},
};

// Where the next tag begins at or after `from`, leaving out comments and declarations.
size_t NextTag(absl::string_view xml, size_t from) {
  for (size_t at = from; (at = xml.find('<', at)) != kNone;) {
    absl::string_view rest = xml.substr(at);
    const absl::string_view end = absl::StartsWith(rest, "<!--") ? "-->"
                                  : absl::StartsWith(rest, "<?") ? "?>"
                                  : absl::StartsWith(rest, "<!") ? ">"
                                                                 : "";
    if (end.empty()) return at;
    const size_t closed = xml.find(end, at);
    if (closed == kNone) return kNone;
    at = closed + end.size();
  }
  return kNone;
}

bool IsTag(absl::string_view xml, size_t at, absl::string_view name) {
  xml.remove_prefix(at + 1);
  if (!absl::StartsWith(xml, name)) return false;
  const char next = xml.size() > name.size() ? xml[name.size()] : '>';
  return absl::ascii_isspace(static_cast<unsigned char>(next)) || next == '/' || next == '>';
}

// The value of an attribute of a tag's text.
std::optional<std::string> Attribute(absl::string_view tag, absl::string_view name) {
  for (size_t at = 0; (at = tag.find(name, at)) != kNone; at += name.size()) {
    if (at == 0 || !absl::ascii_isspace(static_cast<unsigned char>(tag[at - 1]))) continue;
    absl::string_view rest = absl::StripLeadingAsciiWhitespace(tag.substr(at + name.size()));
    if (!absl::StartsWith(rest, "=")) continue;
    rest = absl::StripLeadingAsciiWhitespace(rest.substr(1));
    if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) continue;
    const size_t end = rest.find(rest[0], 1);
    if (end != kNone) return std::string(rest.substr(1, end - 1));
  }
  return std::nullopt;
}

// What stands between the tags of the outermost element.
absl::string_view Inside(absl::string_view xml) {
  const size_t root = NextTag(xml, 0);
  if (root == kNone) return "";
  const size_t begin = xml.find('>', root);
  const size_t end = xml.rfind("</");
  if (begin == kNone || end == kNone || end < begin) return "";
  return xml.substr(begin + 1, end - begin - 1);
}

class Loader {
 public:
  // `folder` is that of the whole model, from RoboHive's own.
  Loader(fs::path folder, const std::string& simhive)
      : folder_(std::move(folder)), simhive_(simhive) {}

  absl::StatusOr<std::string> Load(const fs::path& path, int depth) const {
    auto text = Read(path.generic_string());
    if (!text.ok()) return text;
    std::string whole;
    size_t done = 0;
    for (size_t tag = NextTag(*text, 0); tag != kNone; tag = NextTag(*text, tag + 1)) {
      if (!IsTag(*text, tag, "include")) continue;
      const size_t end = text->find('>', tag);
      if (end == kNone) break;
      const auto file = Attribute(absl::string_view(*text).substr(tag, end - tag), "file");
      if (!file || depth == kMaxDepth)
        return Broken(path, file ? "includes go round in a circle" : "an include without a file");
      // Relative to the whole model; files that stand together may name each other, too.
      fs::path included = (folder_ / *file).lexically_normal();
      if (!Exists(included.generic_string()))
        included = (path.parent_path() / *file).lexically_normal();
      if (!Exists(included.generic_string())) included = (folder_ / *file).lexically_normal();
      const auto part = Load(included, depth + 1);
      if (!part.ok()) return part;
      absl::StrAppend(&whole, text->substr(done, tag - done), Inside(*part));
      done = end + 1;
      constexpr std::string_view kClosing = "</include>";
      if ((*text)[end - 1] != '/') {
        const size_t closing = text->find(kClosing, end);
        if (closing == kNone) return Broken(path, "an include that is not closed");
        done = closing + kClosing.size();
      }
      tag = done - 1;
    }
    return absl::StrCat(whole, text->substr(done));
  }

 private:
  static absl::Status Broken(const fs::path& path, absl::string_view what) {
    return MakeError(v1::ERROR_REASON_BAD_MODEL, absl::StrCat(path.generic_string(), ": ", what));
  }

  static const EmbeddedFile* FindBuiltIn(absl::string_view path) {
    for (const EmbeddedFile& file : RoboHiveModelFiles()) {
      if (absl::string_view(file.name.data(), file.name.size()) == path) return &file;
    }
    return nullptr;
  }

  // Path in SimHive's folder, for a file that is there and not built in.
  std::optional<std::string> InSimHive(absl::string_view path) const {
    constexpr absl::string_view kPrefix = "simhive/";
    if (!absl::StartsWith(path, kPrefix)) return std::nullopt;
    return std::string(path.substr(kPrefix.size()));
  }

  bool Exists(const std::string& path) const {
    if (FindBuiltIn(path) != nullptr) return true;
    const auto file = InSimHive(path);
    std::error_code error;
    return file && fs::is_regular_file(fs::path(simhive_) / *file, error);
  }

  // With its edits.
  absl::StatusOr<std::string> Read(const std::string& path) const {
    std::string text;
    if (const EmbeddedFile* file = FindBuiltIn(path)) {
      text = std::string(file->content);
    } else {
      const std::string inside = InSimHive(path).value_or(path);
      std::ifstream stream(fs::path(simhive_) / inside, std::ios::binary);
      if (!stream) return MissingSimHiveFile(inside, simhive_);
      std::ostringstream content;
      content << stream.rdbuf();
      text = content.str();
    }
    for (const TextEdit& edit : kEdits) {
      if (edit.path == path) absl::StrReplaceAll({{edit.from, edit.to}}, &text);
    }
    return text;
  }

  const fs::path folder_;
  const std::string& simhive_;
};

// Where the element that begins at `tag` ends, counting the elements of that name inside it.
size_t EndOfBody(absl::string_view xml, size_t tag) {
  int open = 0;
  for (; tag != kNone; tag = NextTag(xml, tag + 1)) {
    const size_t end = xml.find('>', tag);
    if (end == kNone) return kNone;
    if (IsTag(xml, tag, "body") && xml[end - 1] != '/') ++open;
    if (IsTag(xml, tag, "/body")) --open;
    if (open == 0 && (IsTag(xml, tag, "body") || IsTag(xml, tag, "/body"))) return end + 1;
  }
  return kNone;
}

absl::StatusOr<size_t> FindBody(absl::string_view xml, absl::string_view name) {
  const size_t tag = xml.find(absl::StrCat("<body name=\"", name, "\""));
  if (tag != kNone && EndOfBody(xml, tag) != kNone) return tag;
  return MakeError(v1::ERROR_REASON_BAD_MODEL, absl::StrCat("the model has no body ", name));
}

}  // namespace

std::vector<std::string> RoboHiveModels() {
  std::vector<std::string> models;
  constexpr absl::string_view kFolder = "envs/";
  for (const EmbeddedFile& file : RoboHiveModelFiles()) {
    const absl::string_view content(file.content.data(), file.content.size());
    const size_t root = NextTag(content, 0);
    if (root == kNone || !IsTag(content, root, "mujoco")) continue;
    models.emplace_back(file.name.substr(kFolder.size()));
  }
  return models;
}

absl::StatusOr<std::string> RoboHiveModelText(absl::string_view model, const std::string& simhive) {
  const fs::path path = fs::path("envs") / std::string(model);
  auto text = Loader(path.parent_path(), simhive).Load(path, 0);
  if (!text.ok()) return text;
  // Folders of meshes and textures, written from the model's own: "../../../simhive/franka_sim".
  constexpr std::string_view kUp = "../", kSimHive = "simhive/";
  std::string whole;
  size_t done = 0;
  for (size_t at = 0; (at = text->find(kSimHive, at)) != kNone; at += kSimHive.size()) {
    size_t begin = at;
    while (begin >= kUp.size() && text->compare(begin - kUp.size(), kUp.size(), kUp) == 0)
      begin -= kUp.size();
    if (begin == at || begin < done) continue;
    absl::StrAppend(&whole, text->substr(done, begin - done), simhive, "/");
    done = at + kSimHive.size();
  }
  return absl::StrCat(whole, text->substr(done));
}

absl::StatusOr<std::string> MoveBody(const std::string& xml, absl::string_view donor,
                                     absl::string_view receiver) {
  const auto begin = FindBody(xml, donor);
  if (!begin.ok()) return begin.status();
  const size_t end = EndOfBody(xml, *begin);
  std::string rest = xml;
  rest.erase(*begin, end - *begin);
  const auto into = FindBody(rest, receiver);
  if (!into.ok()) return into.status();
  constexpr absl::string_view kClosing = "</body>";
  const size_t place = EndOfBody(rest, *into) - kClosing.size();
  return rest.insert(place, xml, *begin, end - *begin);
}

}  // namespace hivewire
