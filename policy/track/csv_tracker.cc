#include "policy/track/csv_tracker.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "policy/track/csv_writer.h"

namespace hivewire {
namespace {

// A column after the frames, and the tag whose value it holds.
struct Column {
  const char* name;
  const char* tag;
};

// Only an update reports it: what has none is no row.
constexpr char kUpdates[] = "charts/updates";

constexpr Column kColumns[] = {
    {"updates", kUpdates},
    {"seconds", "charts/seconds"},
    {"frames_per_second", "charts/SPS"},
    {"episodes", "charts/episodes"},
    {"episodic_return", "charts/episodic_return"},
    {"return_min", "charts/return_min"},
    {"return_max", "charts/return_max"},
    {"episodic_length", "charts/episodic_length"},
    {"update_seconds", "charts/update_seconds"},
    {"learning_rate", "charts/learning_rate"},
    {"policy_loss", "losses/policy_loss"},
    {"value_loss", "losses/value_loss"},
    {"entropy", "losses/entropy"},
    {"approx_kl", "losses/approx_kl"},
    {"clipfrac", "losses/clipfrac"},
    {"explained_variance", "losses/explained_variance"},
    {"wait_seconds", "charts/wait_seconds"},
    {"observe_seconds", "charts/observe_seconds"},
    {"act_seconds", "charts/act_seconds"},
};

std::vector<std::string> Names() {
  std::vector<std::string> names = {"frames"};
  for (const Column& column : kColumns) names.push_back(column.name);
  return names;
}

class CsvTracker : public Tracker {
 public:
  explicit CsvTracker(CsvWriter writer) : writer_(std::move(writer)) {}

  absl::Status AddScalars(int64_t step, absl::Span<const Statistic> scalars) override {
    const auto value = [&](const char* tag) {
      const auto found = std::find_if(scalars.begin(), scalars.end(),
                                      [tag](const Statistic& scalar) { return scalar.tag == tag; });
      return found == scalars.end() ? std::numeric_limits<double>::quiet_NaN() : found->value;
    };
    if (!(value(kUpdates) >= 0)) return absl::OkStatus();
    std::vector<double> row = {static_cast<double>(step)};
    for (const Column& column : kColumns) row.push_back(value(column.tag));
    return writer_.Append(row);
  }

 private:
  CsvWriter writer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Tracker>> MakeCsvTracker(const TrackedRun& run) {
  const std::string path = run.folder + "/progress.csv";
  const absl::Status status = CsvWriter::DropRowsAfter(path, static_cast<double>(run.frames));
  if (!status.ok()) return status;
  return std::make_unique<CsvTracker>(CsvWriter(path, Names()));
}

}  // namespace hivewire
