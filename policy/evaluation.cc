#include "policy/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/json.h"

namespace hivewire {
namespace {

// Between the seeds of two steps' draws: odd, so that no two steps of a run share one.
constexpr uint64_t kSeedStride = 0x9e3779b97f4a7c15u;

void Append(const std::vector<double>& part, std::vector<double>& all) {
  all.insert(all.end(), part.begin(), part.end());
}

void Add(const v1::Episode& episode, double success_return, Evaluation& evaluation) {
  evaluation.returns.push_back(episode.episode_return());
  evaluation.lengths.push_back(static_cast<double>(episode.length()));
  const bool success =
      episode.has_success() ? episode.success() : episode.episode_return() > success_return;
  evaluation.successes.push_back(success ? 1 : 0);
  evaluation.env_tells_success |= episode.has_success();
}

std::string SpreadJson(absl::Span<const double> values) {
  const Spread spread = SpreadOf(values);
  return JsonObject()
      .Add("mean", spread.mean)
      .Add("std", spread.deviation)
      .Add("min", spread.low)
      .Add("max", spread.high)
      .ToString();
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

absl::StatusOr<Evaluation> Evaluate(VectorEnv& env, Observations& shown, const Player& player,
                                    const EvaluationOptions& options,
                                    const std::function<bool()>& stop) {
  const int num_lanes = env.num_envs();
  const size_t dim = static_cast<size_t>(shown.dim());
  // Lanes that still owe episodes, and how many each does.
  std::vector<uint32_t> lanes(num_lanes);
  std::iota(lanes.begin(), lanes.end(), 0);
  std::vector<int> owed(num_lanes);
  for (int i = 0; i < num_lanes; ++i) owed[i] = (options.episodes + num_lanes - 1 - i) / num_lanes;
  std::vector<Evaluation> by_lane(num_lanes);

  StepResult result;
  absl::Status status = env.Reset(options.seed, result);
  for (Spectator* spectator : options.spectators) {
    if (status.ok()) status = spectator->Start(result);
  }
  if (!status.ok()) return status;
  std::vector<float> observations;
  std::vector<char> actions;
  const size_t width = static_cast<size_t>(player.algorithm.memory_width());
  std::vector<float> memory(num_lanes * width);
  for (uint64_t step = 0; !lanes.empty(); ++step) {
    if (stop()) return absl::CancelledError("evaluation was stopped");
    observations.resize(result.num_rows() * dim);
    status =
        shown.Show(result.env_ids, result.first, result.observations, absl::MakeSpan(observations));
    if (!status.ok()) return status;
    if (player.normalizer != nullptr) player.normalizer->Normalize(absl::MakeSpan(observations));
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
    actions.resize(kept * player.action.row_bytes());
    status = options.stochastic ? player.algorithm.ActBySampling(
                                      observations, absl::MakeSpan(memory), absl::MakeSpan(actions),
                                      options.seed + kSeedStride * (step + 1))
                                : player.algorithm.ActGreedily(observations, absl::MakeSpan(memory),
                                                               absl::MakeSpan(actions));
    if (status.ok()) status = env.SendStep(lanes, actions);
    if (status.ok()) status = env.Receive(result);
    for (Spectator* spectator : options.spectators) {
      if (status.ok()) status = spectator->Step(actions, result);
    }
    if (!status.ok()) return status;
    for (const v1::Episode& episode : result.episodes) {
      const uint32_t lane = episode.env_id();
      if (owed[lane] == 0) continue;
      --owed[lane];
      Add(episode, options.success_return, by_lane[lane]);
    }
  }

  Evaluation all;
  for (const Evaluation& lane : by_lane) {
    Append(lane.returns, all.returns);
    Append(lane.lengths, all.lengths);
    Append(lane.successes, all.successes);
    all.env_tells_success |= lane.env_tells_success;
  }
  return all;
}

std::string EvaluationJson(const Evaluation& evaluation, const EvaluationLabel& label) {
  const JsonObject success = JsonObject()
                                 .Add("rate", SpreadOf(evaluation.successes).mean)
                                 .Add("told_by_env", evaluation.env_tells_success);
  return JsonObject()
      .Add("env", label.env_id)
      .Add("frames", label.frames)
      .Add("checkpoint", label.checkpoint)
      .Add("stochastic", label.stochastic)
      .Add("episodes", static_cast<int64_t>(evaluation.returns.size()))
      .AddRaw("return", SpreadJson(evaluation.returns))
      .AddRaw("length", SpreadJson(evaluation.lengths))
      .AddRaw("success", success.ToString())
      .AddRaw("returns", JsonList(evaluation.returns))
      .AddRaw("lengths", JsonList(evaluation.lengths))
      .AddRaw("successes", JsonList(evaluation.successes))
      .ToString();
}

}  // namespace hivewire
