// hivectl rollout: episodes of a policy that needs no training.
#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/json.h"
#include "client/commands/command.h"
#include "client/commands/session.h"
#include "client/commands/table.h"

namespace hivewire {
namespace {

struct Spread {
  double mean = 0, deviation = 0, least = 0, most = 0;
};

Spread SpreadOf(const std::vector<double>& values) {
  Spread spread;
  if (values.empty()) return spread;
  const double count = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / count;
  for (const double value : values)
    spread.deviation += (value - spread.mean) * (value - spread.mean) / count;
  spread.deviation = std::sqrt(spread.deviation);
  std::tie(spread.least, spread.most) = [&] {
    const auto ends = std::minmax_element(values.begin(), values.end());
    return std::pair(*ends.first, *ends.second);
  }();
  return spread;
}

// Takes episodes as they end. Each lane contributes its share of those asked for: taking whichever
// end first would favor short ones.
class EpisodeCollector {
 public:
  // `wanted` 0: all that end.
  EpisodeCollector(int wanted, int num_envs) : wanted_(wanted) {
    left_.resize(static_cast<size_t>(num_envs));
    for (int k = 0; k < wanted; ++k) ++left_[static_cast<size_t>(k % num_envs)];
  }

  bool done() const { return wanted_ > 0 && static_cast<int>(episodes_.size()) == wanted_; }

  void Take(const StepResult& result) {
    for (const v1::Episode& episode : result.episodes) {
      if (wanted_ > 0 && left_[episode.env_id()] == 0) continue;
      --left_[episode.env_id()];
      episodes_.push_back(episode);
    }
  }

  const std::vector<v1::Episode>& episodes() const { return episodes_; }

 private:
  const int wanted_;
  std::vector<int> left_;  // by lane
  std::vector<v1::Episode> episodes_;
};

struct Summary {
  std::vector<v1::Episode> episodes;
  int64_t lane_steps = 0;
  int64_t faults = 0;
};

absl::StatusOr<Summary> Collect(const CommandContext& context, VectorEnv& env, int episodes,
                                int steps) {
  absl::StatusOr<ActionSampler> sampler = MakeSampler(context.arguments, env);
  if (!sampler.ok()) return sampler.status();
  EpisodeCollector collector(episodes, env.num_envs());
  Summary summary;
  StepResult result;
  std::string actions;
  absl::Status status = env.Reset(context.arguments.Seed("seed"), result);
  if (!status.ok()) return status;
  for (int step = 0; !collector.done() && (steps == 0 || step < steps); ++step) {
    if (context.interrupted) return absl::CancelledError("interrupted");
    sampler->Sample(env.num_envs(), actions);
    status = env.Step(absl::MakeConstSpan(actions.data(), actions.size()), result);
    if (!status.ok()) return status;
    collector.Take(result);
    for (size_t row = 0; row < result.first.size(); ++row) summary.lane_steps += !result.first[row];
    summary.faults += static_cast<int64_t>(result.faults.size());
  }
  summary.episodes = collector.episodes();
  return summary;
}

std::string EpisodesJson(const std::vector<v1::Episode>& episodes) {
  std::string list;
  for (const v1::Episode& episode : episodes) {
    absl::StrAppend(&list, list.empty() ? "" : ", ",
                    JsonObject()
                        .Add("lane", static_cast<uint64_t>(episode.env_id()))
                        .Add("episode", episode.episode())
                        .Add("seed", episode.seed())
                        .Add("length", episode.length())
                        .Add("return", episode.episode_return())
                        .ToString());
  }
  return absl::StrCat("[", list, "]");
}

void PrintSummary(const Summary& summary, const Spread& returns, const Spread& lengths,
                  std::ostream& out) {
  Table table({"LANE", "EPISODE", "SEED", "LENGTH", "RETURN"});
  for (const v1::Episode& episode : summary.episodes) {
    table.AddRow({absl::StrCat(episode.env_id()), absl::StrCat(episode.episode()),
                  absl::StrCat(episode.seed()), absl::StrCat(episode.length()),
                  absl::StrFormat("%.3f", episode.episode_return())});
  }
  table.Print(out);
  const auto line = [&](absl::string_view name, const Spread& spread) {
    out << absl::StrFormat("%s %.3f ± %.3f, from %.3f to %.3f\n", name, spread.mean,
                           spread.deviation, spread.least, spread.most);
  };
  out << '\n'
      << absl::StrFormat("%d episodes ended in %d steps\n", summary.episodes.size(),
                         summary.lane_steps);
  if (!summary.episodes.empty()) {
    line("return", returns);
    line("length", lengths);
  }
  if (summary.faults > 0) out << summary.faults << " lanes failed and began anew\n";
}

absl::Status Rollout(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  if (arguments.Has("episodes") && arguments.Has("steps"))
    return absl::InvalidArgumentError("--episodes and --steps: give one of them");
  const int steps = arguments.Has("steps") ? arguments.Count("steps") : 0;
  const int num_envs = arguments.Count("num_envs");
  int episodes = steps > 0 ? 0 : 10;
  if (arguments.Has("episodes")) episodes = arguments.Count("episodes");
  const auto env = MakeEnv(arguments, num_envs);
  if (!env.ok()) return env.status();
  const absl::StatusOr<Summary> summary = Collect(context, **env, episodes, steps);
  if (!summary.ok()) return summary.status();
  std::vector<double> returns, lengths;
  for (const v1::Episode& episode : summary->episodes) {
    returns.push_back(episode.episode_return());
    lengths.push_back(static_cast<double>(episode.length()));
  }
  const Spread return_spread = SpreadOf(returns);
  const Spread length_spread = SpreadOf(lengths);
  if (!arguments.Switch("json")) {
    PrintSummary(*summary, return_spread, length_spread, context.out);
    return absl::OkStatus();
  }
  JsonObject json;
  json.Add("env", (*env)->spec().id())
      .Add("policy", arguments.Text("policy"))
      .Add("num_envs", num_envs)
      .Add("steps", summary->lane_steps)
      .Add("faults", summary->faults);
  if (!returns.empty()) {
    json.Add("return_mean", return_spread.mean)
        .Add("return_std", return_spread.deviation)
        .Add("length_mean", length_spread.mean);
  }
  context.out << json.AddRaw("episodes", EpisodesJson(summary->episodes)).ToString() << '\n';
  return absl::OkStatus();
}

}  // namespace

Command RolloutCommand() {
  return {.name = "rollout",
          .operand = "ENV",
          .summary = "Runs episodes of a policy and prints their returns and lengths.",
          .example = "rollout Hopper-v5 --num_envs=8 --episodes=32",
          .flags = WithEnvFlags(
              {{.name = "num_envs",
                .kind = FlagKind::kCount,
                .default_value = "1",
                .doc = "Lanes that run at once."},
               {.name = "episodes",
                .kind = FlagKind::kCount,
                .doc = "Episodes to run, an equal share in each lane; 10 without --steps."},
               {.name = "steps", .kind = FlagKind::kCount, .doc = "Steps of each lane, instead."},
               {.name = "seed",
                .kind = FlagKind::kSeed,
                .default_value = "0",
                .doc = "Lane i starts with seed + i; also of the random actions."},
               PolicyFlag(),
               {.name = "json", .kind = FlagKind::kSwitch, .doc = "Print one JSON object."}}),
          .run = Rollout};
}

}  // namespace hivewire
