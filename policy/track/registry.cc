// Every tracker that a config can name.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/nearest.h"
#include "policy/track/csv_tracker.h"
#include "policy/track/event_writer.h"
#include "policy/track/tracker.h"
#include "policy/track/wandb_tracker.h"

namespace hivewire {
namespace {

constexpr char kCsv[] = "csv";
constexpr char kTensorBoard[] = "tensorboard";

struct Entry {
  const char* name;
  absl::StatusOr<std::unique_ptr<Tracker>> (*make)(const TrackedRun& run);
};

constexpr Entry kTrackers[] = {
    {kCsv, MakeCsvTracker},
    {kTensorBoard, MakeTensorBoardTracker},
    {"wandb", MakeWandbTracker},
};

const Entry* Find(const std::string& name) {
  for (const Entry& entry : kTrackers) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

absl::Status Unknown(const std::string& name) {
  std::vector<std::string> names;
  for (const Entry& entry : kTrackers) names.push_back(entry.name);
  return absl::InvalidArgumentError(
      absl::StrCat("output.trackers has \"", name, "\"", NearestHint(name, names)));
}

}  // namespace

std::vector<std::string> TrackerNames(const v1::OutputConfig& config) {
  if (!config.trackers().empty()) return {config.trackers().begin(), config.trackers().end()};
  if (!config.tensorboard()) return {kCsv};
  return {kCsv, kTensorBoard};
}

absl::Status CheckTrackers(const v1::OutputConfig& config) {
  for (const std::string& name : TrackerNames(config)) {
    if (Find(name) == nullptr) return Unknown(name);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Tracker>> MakeTracker(const std::string& name,
                                                     const TrackedRun& run) {
  const Entry* entry = Find(name);
  if (entry == nullptr) return Unknown(name);
  return entry->make(run);
}

}  // namespace hivewire
