#include "policy/benchmark.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "policy/checkpoint/atomic_file.h"
#include "policy/checkpoint/checkpoint.h"
#include "policy/commands.h"
#include "policy/config/config.h"
#include "policy/run_folder.h"
#include "policy/track/svg.h"

namespace hivewire {
namespace {

namespace fs = std::filesystem;

constexpr int kCycles = 50;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// One of the runs.
struct Cell {
  std::string preset;
  std::string seed;
  v1::LearnerConfig config;

  std::string name() const {
    return absl::StrReplaceAll(absl::StrCat(preset, "__", config.env().id(), "__", seed),
                               {{"/", "-"}});
  }
};

// What decides a run's outcome: without where its files and its server are.
std::string Outcome(v1::LearnerConfig config) {
  config.mutable_env()->clear_server();
  config.clear_output();
  std::string text;
  google::protobuf::TextFormat::PrintToString(config, &text);
  return text;
}

absl::Status OtherConfiguration(const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, " is of another configuration; choose another --output"));
}

absl::StatusOr<std::vector<Cell>> Cells(const BenchmarkOptions& options) {
  std::vector<std::string> envs = options.envs;
  if (envs.empty()) envs.push_back("");
  std::vector<Cell> cells;
  for (const std::string& preset : options.presets) {
    for (const std::string& env : envs) {
      for (const std::string& seed : options.seeds) {
        ConfigSources sources = {preset, options.config, options.overrides};
        if (!env.empty()) sources.overrides.push_back("env.id=" + env);
        sources.overrides.push_back("seed=" + seed);
        absl::StatusOr<v1::LearnerConfig> config = LoadConfig(sources);
        if (!config.ok()) return config.status();
        if (config->env().server().empty()) {
          config->mutable_env()->set_server(options.default_server);
        }
        if (absl::Status status = ValidateConfig(*config); !status.ok()) {
          return Annotate(status, "preset " + preset);
        }
        cells.push_back({preset, seed, *std::move(config)});
      }
    }
  }
  return cells;
}

absl::StatusOr<google::protobuf::Struct> ReadRow(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  google::protobuf::Struct row;
  if (!google::protobuf::util::JsonStringToMessage(*text, &row).ok()) {
    return absl::DataLossError(absl::StrCat(path, " is no row of a benchmark; remove it"));
  }
  return row;
}

// Writes the row of a run that is over.
absl::Status WriteRow(const Cell& cell, const RunFolder& run, const std::string& path) {
  std::vector<double> frames, returns;
  const auto points = ReadReturns(run.path());
  if (!points.ok() && !absl::IsNotFound(points.status())) return points.status();
  if (points.ok()) {
    for (const ScalarPoint& point : *points) {
      frames.push_back(static_cast<double>(point.step));
      returns.push_back(point.value);
    }
  }
  JsonObject row;
  row.Add("preset", cell.preset)
      .Add("env", cell.config.env().id())
      .Add("seed", cell.seed)
      .Add("config", Outcome(cell.config))
      .AddRaw("frames", JsonList(frames))
      .AddRaw("returns", JsonList(returns));
  const absl::StatusOr<std::string> evaluation = ReadFile(run.evaluation_json());
  if (evaluation.ok()) row.AddRaw("evaluation", absl::StripSuffix(*evaluation, "\n"));
  return WriteFileAtomically(path, {row.ToString(), "\n"});
}

std::vector<ScalarPoint> CurveOf(const google::protobuf::Struct& row) {
  std::vector<ScalarPoint> curve;
  const auto frames = row.fields().find("frames");
  const auto returns = row.fields().find("returns");
  if (frames == row.fields().end() || returns == row.fields().end()) return curve;
  const int size = std::min(frames->second.list_value().values_size(),
                            returns->second.list_value().values_size());
  for (int i = 0; i < size; ++i) {
    curve.push_back({static_cast<int64_t>(frames->second.list_value().values(i).number_value()),
                     static_cast<float>(returns->second.list_value().values(i).number_value())});
  }
  return curve;
}

// The runs of one preset in one env, by seed.
struct Group {
  int64_t total_frames = 0;
  std::vector<std::string> seeds;
  std::vector<std::vector<ScalarPoint>> curves;
};

class BenchmarkFolder {
 public:
  explicit BenchmarkFolder(std::string path) : path_(std::move(path)) {}

  absl::Status Make() const {
    std::error_code error;
    fs::create_directories(path_ + "/rows", error);
    if (!error) fs::create_directories(path_ + "/runs", error);
    if (!error) return absl::OkStatus();
    return absl::UnknownError(absl::StrCat("cannot make ", path_, ": ", error.message()));
  }
  std::string run(const Cell& cell) const { return absl::StrCat(path_, "/runs/", cell.name()); }
  std::string row(const Cell& cell) const {
    return absl::StrCat(path_, "/rows/", cell.name(), ".json");
  }

  // Whether the cell's run is over already.
  absl::StatusOr<bool> Has(const Cell& cell) const {
    const auto found = ReadRow(row(cell));
    if (absl::IsNotFound(found.status())) return false;
    if (!found.ok()) return found.status();
    const auto config = found->fields().find("config");
    if (config == found->fields().end() || config->second.string_value() != Outcome(cell.config)) {
      return OtherConfiguration(row(cell));
    }
    return true;
  }

  // Everything that the rows of `cells` which are there say.
  absl::Status Summarise(const std::vector<Cell>& cells) const {
    // By env, then by preset.
    std::map<std::string, std::map<std::string, Group>> groups;
    for (const Cell& cell : cells) {
      const auto found = ReadRow(row(cell));
      if (!found.ok()) continue;
      Group& group = groups[cell.config.env().id()][cell.preset];
      group.total_frames = cell.config.collection().total_frames();
      group.seeds.push_back(cell.seed);
      group.curves.push_back(CurveOf(*found));
    }
    std::vector<std::string> json;
    for (const auto& [env, presets] : groups) {
      std::vector<Series> series;
      for (const auto& [preset, group] : presets) {
        const CurveSpread spread = SpreadOfCurves(group.curves, group.total_frames, kCycles);
        json.push_back(Json(env, preset, group, spread));
        series.push_back(AsSeries(preset, spread));
      }
      const std::string svg = DrawSeries(absl::StrCat(env, ": return"), "frames", series);
      if (svg.empty()) continue;
      const std::string file =
          absl::StrCat(path_, "/", absl::StrReplaceAll(env, {{"/", "-"}}), ".svg");
      if (absl::Status status = WriteFileAtomically(file, {svg}); !status.ok()) return status;
    }
    return WriteFileAtomically(path_ + "/benchmark.json",
                               {"[", absl::StrJoin(json, ",\n "), "]\n"});
  }

 private:
  static std::string Json(const std::string& env, const std::string& preset, const Group& group,
                          const CurveSpread& spread) {
    double best = kNan, best_variance = kNan;
    for (size_t k = 0; k < spread.mean.size(); ++k) {
      if (std::isnan(spread.mean[k]) || spread.mean[k] <= best) continue;
      best = spread.mean[k];
      best_variance = spread.variance[k];
    }
    std::vector<std::string> seeds;
    for (const std::string& seed : group.seeds) seeds.push_back(JsonString(seed));
    return JsonObject()
        .Add("env", env)
        .Add("preset", preset)
        .Add("n", static_cast<int64_t>(group.seeds.size()))
        .AddRaw("seeds", absl::StrCat("[", absl::StrJoin(seeds, ", "), "]"))
        .AddRaw("frames", JsonList(spread.frames))
        .AddRaw("mean", JsonList(spread.mean))
        .AddRaw("variance", JsonList(spread.variance))
        .Add("mean_max", best)
        .Add("variance_at_max", best_variance)
        .ToString();
  }

  static Series AsSeries(const std::string& label, const CurveSpread& spread) {
    Series series = {label, {}, {}};
    for (size_t k = 0; k < spread.mean.size(); ++k) {
      if (std::isnan(spread.mean[k])) continue;
      series.points.push_back(
          {static_cast<int64_t>(spread.frames[k]), static_cast<float>(spread.mean[k])});
      series.deviations.push_back(std::sqrt(spread.variance[k]));
    }
    return series;
  }

  const std::string path_;
};

// Trains one cell to its end, from where it stopped.
absl::Status TrainCell(const BenchmarkOptions& options, const Cell& cell, const std::string& run,
                       const std::function<bool()>& stop) {
  TrainOptions train;
  train.reach = options.reach;
  const bool begun = CheckpointFolder(run + "/checkpoints").Find("last").ok();
  if (begun) {
    ConfigSources sources;
    sources.file = run + "/config.textproto";
    const absl::StatusOr<v1::LearnerConfig> config = LoadConfig(sources);
    if (!config.ok()) return config.status();
    if (Outcome(*config) != Outcome(cell.config)) return OtherConfiguration(run);
    train.resume = run;
    train.sources.overrides = {"env.server=" + cell.config.env().server()};
  } else {
    // Killed before its first checkpoint: there is nothing to go on from.
    std::error_code error;
    fs::remove_all(run, error);
    train.sources = {cell.preset, options.config, options.overrides};
    train.sources.overrides.push_back("env.id=" + cell.config.env().id());
    train.sources.overrides.push_back("seed=" + cell.seed);
    train.default_server = options.default_server;
    train.run_folder = run;
  }
  return Train(train, stop);
}

}  // namespace

CurveSpread SpreadOfCurves(absl::Span<const std::vector<ScalarPoint>> curves, int64_t total_frames,
                           int cycles) {
  CurveSpread spread;
  std::vector<double> latest(curves.size(), kNan);
  std::vector<size_t> at(curves.size());
  for (int k = 1; k <= cycles; ++k) {
    const int64_t end = total_frames * k / cycles;
    double sum = 0, squares = 0, count = 0;
    for (size_t c = 0; c < curves.size(); ++c) {
      double in_cycle = 0, points = 0;
      for (; at[c] < curves[c].size() && curves[c][at[c]].step <= end; ++at[c]) {
        if (!std::isfinite(curves[c][at[c]].value)) continue;
        in_cycle += curves[c][at[c]].value;
        ++points;
      }
      if (points > 0) latest[c] = in_cycle / points;
      if (std::isnan(latest[c])) continue;
      sum += latest[c];
      squares += latest[c] * latest[c];
      ++count;
    }
    const double mean = count > 0 ? sum / count : kNan;
    spread.frames.push_back(static_cast<double>(end));
    spread.mean.push_back(mean);
    spread.variance.push_back(count > 0 ? std::max(0.0, squares / count - mean * mean) : kNan);
  }
  return spread;
}

absl::Status Benchmark(const BenchmarkOptions& options, const std::function<bool()>& stop) {
  if (options.presets.empty() || options.seeds.empty() || options.folder.empty()) {
    return absl::InvalidArgumentError(
        "benchmark: name --preset=A,B, --seeds=1,2 and --output=FOLDER; --envs=X,Y if not the "
        "presets' own");
  }
  const absl::StatusOr<std::vector<Cell>> cells = Cells(options);
  if (!cells.ok()) return cells.status();
  const BenchmarkFolder folder(options.folder);
  if (absl::Status status = folder.Make(); !status.ok()) return status;
  size_t done = 0;
  for (const Cell& cell : *cells) {
    const absl::StatusOr<bool> over = folder.Has(cell);
    if (!over.ok()) return over.status();
    ++done;
    std::printf("%zu / %zu %s%s\n", done, cells->size(), cell.name().c_str(),
                *over ? ": done before" : "");
    std::fflush(stdout);
    if (*over) continue;
    absl::Status status = TrainCell(options, cell, folder.run(cell), stop);
    if (!status.ok()) return Annotate(status, cell.name());
    if (stop()) {
      std::printf("stopped; the same command goes on\n");
      return absl::OkStatus();
    }
    const absl::StatusOr<RunFolder> run = RunFolder::Open(folder.run(cell));
    if (!run.ok()) return run.status();
    status = WriteRow(cell, *run, folder.row(cell));
    if (status.ok()) status = folder.Summarise(*cells);
    if (!status.ok()) return status;
  }
  if (absl::Status status = folder.Summarise(*cells); !status.ok()) return status;
  std::printf("%s/benchmark.json\n", options.folder.c_str());
  return absl::OkStatus();
}

}  // namespace hivewire
