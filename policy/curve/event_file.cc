#include "policy/curve/event_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/nearest.h"
#include "tensorboard/event.pb.h"

namespace hivewire {
namespace {

namespace fs = std::filesystem;

// A TFRecord is its length (uint64), a checksum of that, the data, and a checksum of those. The
// checksums (uint32 each) are not looked at: damaged data do not parse.
constexpr size_t kChecksumBytes = 4;
constexpr uint64_t kMaxRecordBytes = uint64_t{64} << 20;

std::optional<std::string> ReadRecord(std::istream& in) {
  char header[sizeof(uint64_t) + kChecksumBytes];
  if (!in.read(header, sizeof(header))) return std::nullopt;
  uint64_t size;
  std::memcpy(&size, header, sizeof(size));
  if (size > kMaxRecordBytes) return std::nullopt;
  std::string data(size, '\0');
  if (!in.read(data.data(), static_cast<std::streamsize>(size))) return std::nullopt;
  in.ignore(kChecksumBytes);
  return data;
}

// Oldest first: the names begin with the time of writing.
std::vector<fs::path> EventFiles(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().find("tfevents") != std::string::npos) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

absl::StatusOr<std::vector<ScalarPoint>> ReadScalars(const std::string& folder,
                                                     absl::string_view tag) {
  const std::vector<fs::path> files = EventFiles(folder);
  if (files.empty()) {
    return absl::NotFoundError(absl::StrCat("no TensorBoard event file in ", folder));
  }
  std::map<int64_t, float> points;
  std::set<std::string> tags;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    while (std::optional<std::string> record = ReadRecord(in)) {
      tensorboard::Event event;
      if (!event.ParseFromString(*record)) break;
      for (const tensorboard::Summary::Value& value : event.summary().value()) {
        if (value.value_case() != tensorboard::Summary::Value::kSimpleValue) continue;
        tags.insert(value.tag());
        if (value.tag() == tag) points[event.step()] = value.simple_value();
      }
    }
  }
  if (points.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no scalar \"", tag, "\" in ", folder,
                     NearestHint(tag, std::vector<std::string>(tags.begin(), tags.end()))));
  }
  std::vector<ScalarPoint> result;
  for (const auto& [step, value] : points) result.push_back({step, value});
  return result;
}

absl::StatusOr<std::vector<ScalarPoint>> ReadReturns(const std::string& folder) {
  auto training = ReadScalars(folder, "charts/episodic_return");
  if (!absl::IsNotFound(training.status())) return training;
  auto evaluations = ReadScalars(folder, "eval/episodic_return");
  return evaluations.ok() ? evaluations : training;
}

}  // namespace hivewire
