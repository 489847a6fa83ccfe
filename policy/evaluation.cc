#include "policy/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace hivewire {
namespace {

std::string SpreadJson(absl::Span<const double> values) {
  const Spread spread = SpreadOf(values);
  return absl::StrFormat("{\"mean\": %.10g, \"std\": %.10g, \"min\": %.10g, \"max\": %.10g}",
                         spread.mean, spread.deviation, spread.low, spread.high);
}

std::string ListJson(absl::Span<const double> values) {
  const auto number = [](std::string* out, double value) {
    absl::StrAppendFormat(out, "%.10g", value);
  };
  return absl::StrCat("[", absl::StrJoin(values, ", ", number), "]");
}

}  // namespace

Spread SpreadOf(absl::Span<const double> values) {
  const double size = static_cast<double>(values.size());
  Spread spread;
  spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / size;
  for (const double value : values) {
    spread.deviation += (value - spread.mean) * (value - spread.mean);
  }
  spread.deviation = std::sqrt(spread.deviation / size);
  spread.low = *std::min_element(values.begin(), values.end());
  spread.high = *std::max_element(values.begin(), values.end());
  return spread;
}

absl::StatusOr<Evaluation> Evaluate(VectorEnv& env, Observations& shown, const Algorithm& algorithm,
                                    const ActionSpace& action,
                                    const ObservationNormalizer* normalizer, int episodes,
                                    uint64_t seed, const std::function<bool()>& stop) {
  const int num_lanes = env.num_envs();
  const size_t dim = static_cast<size_t>(shown.dim());
  // Lanes that still owe episodes, and how many each does.
  std::vector<uint32_t> lanes(num_lanes);
  std::iota(lanes.begin(), lanes.end(), 0);
  std::vector<int> owed(num_lanes);
  for (int i = 0; i < num_lanes; ++i) owed[i] = (episodes + num_lanes - 1 - i) / num_lanes;
  std::vector<Evaluation> by_lane(num_lanes);

  StepResult result;
  if (absl::Status status = env.Reset(seed, result); !status.ok()) return status;
  std::vector<float> observations;
  std::vector<char> actions;
  const size_t width = static_cast<size_t>(algorithm.memory_width());
  std::vector<float> memory(num_lanes * width);
  while (!lanes.empty()) {
    if (stop()) return absl::CancelledError("evaluation was stopped");
    observations.resize(result.num_rows() * dim);
    absl::Status status =
        shown.Show(result.env_ids, result.first, result.observations, absl::MakeSpan(observations));
    if (!status.ok()) return status;
    if (normalizer != nullptr) normalizer->Normalize(absl::MakeSpan(observations));
    // Rows of lanes that are done go; the others keep their order.
    size_t kept = 0;
    for (size_t row = 0; row < lanes.size(); ++row) {
      if (owed[lanes[row]] == 0) continue;
      std::copy_n(&observations[row * dim], dim, &observations[kept * dim]);
      std::copy_n(memory.begin() + row * width, width, memory.begin() + kept * width);
      if (result.first[row] || result.fault[row]) {
        std::fill_n(memory.begin() + kept * width, width, 0.0f);
      }
      lanes[kept++] = lanes[row];
    }
    lanes.resize(kept);
    if (lanes.empty()) break;
    observations.resize(kept * dim);
    memory.resize(kept * width);
    actions.resize(kept * action.row_bytes());
    status = algorithm.ActGreedily(observations, absl::MakeSpan(memory), absl::MakeSpan(actions));
    if (status.ok()) status = env.SendStep(lanes, actions);
    if (status.ok()) status = env.Receive(result);
    if (!status.ok()) return status;
    for (const v1::Episode& episode : result.episodes) {
      const uint32_t lane = episode.env_id();
      if (owed[lane] == 0) continue;
      --owed[lane];
      by_lane[lane].returns.push_back(episode.episode_return());
      by_lane[lane].lengths.push_back(static_cast<double>(episode.length()));
    }
  }

  Evaluation all;
  for (const Evaluation& lane : by_lane) {
    all.returns.insert(all.returns.end(), lane.returns.begin(), lane.returns.end());
    all.lengths.insert(all.lengths.end(), lane.lengths.begin(), lane.lengths.end());
  }
  return all;
}

std::string EvaluationJson(const Evaluation& evaluation, const std::string& env_id,
                           int64_t frames) {
  return absl::StrFormat(
      "{\n  \"env\": \"%s\",\n  \"frames\": %d,\n  \"episodes\": %d,\n  \"return\": %s,\n"
      "  \"length\": %s,\n  \"returns\": %s,\n  \"lengths\": %s\n}\n",
      env_id, frames, evaluation.returns.size(), SpreadJson(evaluation.returns),
      SpreadJson(evaluation.lengths), ListJson(evaluation.returns), ListJson(evaluation.lengths));
}

}  // namespace hivewire
