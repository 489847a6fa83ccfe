#include "policy/reporter.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/file.h"
#include "policy/checkpoint/atomic_file.h"

namespace hivewire {
namespace {

constexpr size_t kLatestEpisodes = 100;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr char kWeights[] = "model.";

template <typename Episodes>
std::vector<double> Members(const Episodes& episodes, double EpisodeSummary::*member) {
  std::vector<double> members;
  for (const EpisodeSummary& episode : episodes) members.push_back(episode.*member);
  return members;
}

// NaN for none.
template <typename Episodes>
double Mean(const Episodes& episodes, double EpisodeSummary::*member) {
  return episodes.empty() ? kNan : SpreadOf(Members(episodes, member)).mean;
}

}  // namespace

Reporter::Reporter(const v1::LearnerConfig& config)
    : config_(config), progress_(absl::Seconds(config.output().log_interval())) {
  present_ = {
      .total_frames = config.collection().total_frames(), .mean_return = kNan, .mean_length = kNan};
}

void Reporter::Open(const RunFolder& folder, int64_t frames) {
  const TrackedRun run = {folder.id(), folder.path(), config_, frames};
  for (const std::string& name : TrackerNames(config_.output())) {
    absl::StatusOr<std::unique_ptr<Tracker>> tracker = MakeTracker(name, run);
    Warn(tracker.status());
    if (tracker.ok()) trackers_.push_back(*std::move(tracker));
  }
  present_.frames = frames;
  std::string text;
  google::protobuf::TextFormat::PrintToString(config_, &text);
  Track([&](Tracker& tracker) {
    return tracker.AddText(frames, "hyperparameters", absl::StrCat("```\n", text, "```\n"));
  });
}

void Reporter::AddUpdate(const UpdateReport& report) {
  for (const EpisodeSummary& episode : report.episodes) latest_.push_back(episode);
  while (latest_.size() > kLatestEpisodes) latest_.pop_front();

  std::vector<Statistic> scalars = report.statistics;
  scalars.push_back({"charts/SPS", report.frames_per_second});
  scalars.push_back({"charts/updates", static_cast<double>(report.updates)});
  scalars.push_back({"charts/seconds", report.seconds});
  scalars.push_back({"charts/episodes", static_cast<double>(report.episodes_so_far)});
  scalars.push_back({"charts/update_seconds", report.update_seconds});
  const bool of_training = !config_.evaluation().only_statistics();
  const std::vector<double> returns = Members(report.episodes, &EpisodeSummary::episode_return);
  const std::vector<double> lengths = Members(report.episodes, &EpisodeSummary::length);
  const bool episodes = of_training && !returns.empty();
  if (episodes) {
    const Spread spread = SpreadOf(returns);
    scalars.push_back({"charts/episodic_return", spread.mean});
    scalars.push_back({"charts/return_min", spread.low});
    scalars.push_back({"charts/return_max", spread.high});
    scalars.push_back({"charts/episodic_length", SpreadOf(lengths).mean});
  }
  Track([&](Tracker& tracker) {
    absl::Status status = tracker.AddScalars(report.frames, scalars);
    if (!episodes) return status;
    status.Update(tracker.AddHistogram(report.frames, "histograms/episodic_return", returns));
    status.Update(tracker.AddHistogram(report.frames, "histograms/episodic_length", lengths));
    return status;
  });

  present_.frames = report.frames;
  present_.frames_per_second = report.frames_per_second;
  present_.episodes = report.episodes_so_far;
  if (of_training) {
    present_.mean_return = Mean(latest_, &EpisodeSummary::episode_return);
    present_.mean_length = Mean(latest_, &EpisodeSummary::length);
  }
  progress_.Show(present_);
}

void Reporter::AddEvaluation(int64_t frames, const Evaluation& evaluation) {
  const Spread returns = SpreadOf(evaluation.returns);
  const double length = SpreadOf(evaluation.lengths).mean;
  const double success = SpreadOf(evaluation.successes).mean;
  Say(
      absl::StrFormat("evaluation at %d frames: return %.1f ± %.1f (%.1f … %.1f) over %d episodes, "
                      "length %.0f, success %.0f %%",
                      frames, returns.mean, returns.deviation, returns.low, returns.high,
                      evaluation.returns.size(), length, 100 * success));
  Track([&](Tracker& tracker) {
    return tracker.AddScalars(frames, {{"eval/episodic_return", returns.mean},
                                       {"eval/episodic_length", length},
                                       {"eval/success_rate", success}});
  });
  if (config_.evaluation().only_statistics()) {
    present_.mean_return = returns.mean;
    present_.mean_length = length;
  }
}

void Reporter::AddVideo(int64_t frames, const std::string& path, int size) {
  const absl::StatusOr<std::string> bytes = ReadFile(path);
  Warn(bytes.status());
  if (!bytes.ok()) return;
  Track([&](Tracker& tracker) {
    return tracker.AddGif(frames, "videos/episode", {*bytes, size, size});
  });
}

void Reporter::AddWeights(int64_t frames, const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors.tensors()) {
    if (!absl::StartsWith(name, kWeights) || tensor.type != TensorType::kFloat32) continue;
    std::vector<float> floats(tensor.bytes.size() / sizeof(float));
    std::memcpy(floats.data(), tensor.bytes.data(), floats.size() * sizeof(float));
    const std::vector<double> values(floats.begin(), floats.end());
    const std::string tag = absl::StrCat("weights/", name.substr(sizeof(kWeights) - 1));
    Track([&](Tracker& tracker) { return tracker.AddHistogram(frames, tag, values); });
  }
}

void Reporter::Warn(const absl::Status& status) {
  if (status.ok() || last_warning_ == status.message()) return;
  last_warning_ = std::string(status.message());
  Say(absl::StrCat("warning: ", last_warning_, "; the run goes on"));
}

void Reporter::Finish() {
  Track([](Tracker& tracker) { return tracker.Finish(); });
  progress_.Show(present_, /*now=*/true);
  Say("");
}

std::optional<double> Reporter::LatestReturn() const {
  if (latest_.size() < kLatestEpisodes) return std::nullopt;
  return Mean(latest_, &EpisodeSummary::episode_return);
}

void Reporter::PutLatest(v1::CheckpointState& state) const {
  state.clear_latest_returns();
  state.clear_latest_lengths();
  for (const EpisodeSummary& episode : latest_) {
    state.add_latest_returns(episode.episode_return);
    state.add_latest_lengths(episode.length);
  }
}

void Reporter::TakeLatest(const v1::CheckpointState& state) {
  latest_.clear();
  const int count = std::min(state.latest_returns_size(), state.latest_lengths_size());
  for (int k = 0; k < count; ++k) {
    latest_.push_back({state.latest_returns(k), state.latest_lengths(k)});
  }
}

void Reporter::Track(absl::FunctionRef<absl::Status(Tracker&)> report) {
  for (const std::unique_ptr<Tracker>& tracker : trackers_) Warn(report(*tracker));
}

}  // namespace hivewire
