#include "tests/parity/recording.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/text_format.h"

namespace hivewire {
namespace {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file || content.empty()) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return content;
}

// "name[:detail] count [in_reset]"
void AddColumns(const std::string& line, Recording& recording) {
  std::istringstream words(line);
  std::string name;
  Recording::Columns columns;
  words >> name >> columns.count >> columns.in_reset;
  columns.first = recording.row_size;
  recording.row_size += columns.count;
  const std::pair<std::string, std::string> parts = absl::StrSplit(name, absl::MaxSplits(':', 1));
  columns.dtype = parts.second;
  if (parts.first == "kind") recording.kind = columns;
  if (parts.first == "action") recording.action = columns;
  if (parts.first == "observation") recording.observation = columns;
  if (parts.first == "reward") recording.reward = columns;
  if (parts.first == "terminated") recording.terminated = columns;
  if (parts.first == "info") recording.info[parts.second] = columns;
}

}  // namespace

absl::StatusOr<Recording> Recording::Read(const std::string& prefix) {
  const auto entry = ReadFile(prefix + ".textproto");
  if (!entry.ok()) return entry.status();
  const auto columns = ReadFile(prefix + ".columns");
  if (!columns.ok()) return columns.status();
  const auto rows = ReadFile(prefix + ".rows");
  if (!rows.ok()) return rows.status();

  Recording recording;
  if (!google::protobuf::TextFormat::ParseFromString(*entry, &recording.entry))
    return absl::InvalidArgumentError(absl::StrCat(prefix, ".textproto is no EnvEntry"));
  std::istringstream lines(*columns);
  std::string line;
  std::getline(lines, recording.name);
  lines >> recording.seed >> std::ws;
  while (std::getline(lines, line)) AddColumns(line, recording);
  recording.values.resize(rows->size() / sizeof(double));
  std::memcpy(recording.values.data(), rows->data(), recording.values.size() * sizeof(double));
  if (recording.row_size == 0 || recording.values.size() % recording.row_size != 0)
    return absl::InvalidArgumentError(absl::StrCat(prefix, ".rows holds no whole rows"));
  return recording;
}

}  // namespace hivewire
