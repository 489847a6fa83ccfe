#include "policy/learner_main.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "base/nearest.h"
#include "client/connection_flags.h"
#include "policy/benchmark.h"
#include "policy/commands.h"
#include "policy/config/config.h"
#include "policy/config/presets.h"
#include "policy/rpc/training_server.h"
#include "policy/stop_signal.h"

ABSL_FLAG(std::string, preset, "",
          "a named configuration to start from (learner presets lists them), or several, "
          "comma-separated; recommended: the one for the env");
ABSL_FLAG(std::string, config, "", "a textproto LearnerConfig, laid over the preset");
ABSL_FLAG(std::string, env, "", "env id; short for --set env.id=…");
ABSL_FLAG(std::string, frames, "", "short for --set collection.total_frames=…");
ABSL_FLAG(std::string, num_envs, "", "short for --set env.num_envs=…");
ABSL_FLAG(std::string, collect, "",
          "steps, collectors or remote-policy: where the policy runs; short for --set "
          "collection.mode=…");
ABSL_FLAG(std::string, seed, "", "short for --set seed=…");
ABSL_FLAG(std::string, name, "", "short for --set name=…");
ABSL_FLAG(std::string, device, "", "cpu or cuda; short for --set device=…");
ABSL_FLAG(std::string, output, "", "folder of the run folders; short for --set output.folder=…");
ABSL_FLAG(std::string, run_folder, "",
          "the run folder itself, instead of a new one under --output");
ABSL_FLAG(std::string, resume, "", "run folder to go on with, from its last checkpoint");
ABSL_FLAG(
    std::string, load_from, "",
    "train: run folder (its best checkpoint) or checkpoint whose policy a new run begins with");
ABSL_FLAG(absl::Duration, execution_time, absl::InfiniteDuration(),
          "train, benchmark: write a checkpoint and end after so long, 30m or 11h55m");
ABSL_FLAG(std::string, checkpoint, "best",
          "eval, record, export: of a run folder, best, last or a number of frames; eval: or all");
ABSL_FLAG(int, episodes, 20, "eval: how many");
ABSL_FLAG(bool, stochastic, false,
          "eval, record: draw actions as in training, instead of the most likely ones");
ABSL_FLAG(bool, json, false, "eval: print JSON");
ABSL_FLAG(std::string, save_traj, "", "eval: keep the episodes in this .npz file");
ABSL_FLAG(bool, tensorboard, false,
          "eval: put figures and a video of each checkpoint into the run's TensorBoard");
ABSL_FLAG(std::string, video, "",
          "record, eval: the file, .gif or .mp4; record: episode.gif in the run folder");
ABSL_FLAG(std::string, envs, "", "benchmark: env ids, comma-separated; the presets' own");
ABSL_FLAG(std::string, seeds, "1,2,3", "benchmark: comma-separated");
ABSL_FLAG(std::string, file, "", "export: the file, .pt (TorchScript) or .binpb (a Policy)");
ABSL_FLAG(std::string, camera, "", "record: camera; the env's default view");
ABSL_FLAG(int, size, 240, "record: width and height, pixels");
ABSL_FLAG(int, max_frames, 600, "record: most frames");

ABSL_FLAG(
    std::string, listen, "",
    "train: where collectors find this learner, unix:/path or tcp:host:port, comma-separated; "
    "short for --set collection.mode=collectors too");
ABSL_FLAG(std::string, ready_file, "",
          "train: written once the learner listens, one address a line, ports filled in");
ABSL_FLAG(std::string, listen_tls_cert, "", "PEM file: the learner's certificate for --listen");
ABSL_FLAG(std::string, listen_tls_key, "", "PEM file: that certificate's key");
ABSL_FLAG(std::string, listen_tls_client_ca, "",
          "PEM file: collectors must show a certificate that this CA signed");
ABSL_FLAG(std::string, listen_token_file, "",
          "file whose first line is the bearer token that every collector must carry");
ABSL_FLAG(bool, listen_insecure, false, "allow plain TCP beyond loopback for --listen");

ABSL_FLAG(int, ranks, 1, "train: how many learners learn this policy together");
ABSL_FLAG(int, rank, 0,
          "train: which of them this is, 0 … ranks - 1; rank 0's other flags hold for all");
ABSL_FLAG(std::string, rendezvous, "",
          "train: tcp:host:port where rank 0 listens for the others, the same for all");
ABSL_FLAG(absl::Duration, rank_timeout, absl::Minutes(10),
          "train: how long ranks wait for each other, at the start and in every update; longer "
          "than an evaluation takes");

ABSL_DECLARE_FLAG(std::string, server);

namespace hivewire {
namespace {

constexpr char kUsage[] =
    "trains policies on envs that env servers host.\n\n"
    "  learner train --server=ADDRESS --preset=NAME [--config=FILE] [--set path=value]…\n"
    "  learner train --server=ADDRESS --resume=RUN\n"
    "  learner train --server=ADDRESS --preset=NAME --load_from=RUN|CHECKPOINT\n"
    "  learner eval [RUN|CHECKPOINT|FOLDER] [--server=ADDRESS] "
    "[--checkpoint=best|last|FRAMES|all]\n"
    "      [--episodes=N] [--stochastic] [--json] [--save_traj=FILE.npz] [--tensorboard]\n"
    "  learner record [RUN|CHECKPOINT] [--server=ADDRESS] [--checkpoint=…] "
    "[--video=FILE.gif|.mp4]\n"
    "  learner export [RUN|CHECKPOINT] --file=POLICY.pt|POLICY.binpb [--checkpoint=…]\n"
    "  learner benchmark --preset=A,B --output=FOLDER [--envs=X,Y] [--seeds=1,2,3]\n"
    "  learner plot [RUN]\n"
    "  learner presets\n\n"
    "RUN is a run folder; without one it is the newest.\n";

// Takes every "--set path=value" and "--set=path=value" out of the arguments: the flag library
// keeps only the last of several.
std::vector<std::string> TakeOverrides(std::vector<char*>& arguments) {
  std::vector<std::string> overrides;
  std::vector<char*> rest;
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view argument = arguments[i];
    const bool is_set = (argument == "--set" || argument == "-set") && i + 1 < arguments.size();
    if (is_set) {
      overrides.emplace_back(arguments[++i]);
    } else if (absl::ConsumePrefix(&argument, "--set=")) {
      overrides.emplace_back(argument);
    } else {
      rest.push_back(arguments[i]);
    }
  }
  arguments = std::move(rest);
  return overrides;
}

// The short flags first, so that --set wins.
std::vector<std::string> AllOverrides(const std::vector<std::string>& set) {
  std::vector<std::string> overrides;
  const auto add = [&overrides](const char* path, const std::string& value) {
    if (!value.empty()) overrides.push_back(absl::StrCat(path, "=", value));
  };
  add("env.id", absl::GetFlag(FLAGS_env));
  add("env.server", absl::GetFlag(FLAGS_server));
  add("env.num_envs", absl::GetFlag(FLAGS_num_envs));
  add("collection.total_frames", absl::GetFlag(FLAGS_frames));
  add("collection.mode", absl::GetFlag(FLAGS_collect));
  if (!absl::GetFlag(FLAGS_listen).empty()) add("collection.mode", "collectors");
  add("seed", absl::GetFlag(FLAGS_seed));
  add("name", absl::GetFlag(FLAGS_name));
  add("device", absl::GetFlag(FLAGS_device));
  add("output.folder", absl::GetFlag(FLAGS_output));
  overrides.insert(overrides.end(), set.begin(), set.end());
  return overrides;
}

std::vector<std::string> Names(const std::string& list) {
  return absl::StrSplit(list, ',', absl::SkipEmpty());
}

ListenOptions ListenFromFlags(const std::function<bool()>& stop) {
  ListenOptions options;
  options.listen = absl::GetFlag(FLAGS_listen);
  options.security.tls_cert = absl::GetFlag(FLAGS_listen_tls_cert);
  options.security.tls_key = absl::GetFlag(FLAGS_listen_tls_key);
  options.security.tls_client_ca = absl::GetFlag(FLAGS_listen_tls_client_ca);
  options.security.token_file = absl::GetFlag(FLAGS_listen_token_file);
  options.security.insecure = absl::GetFlag(FLAGS_listen_insecure);
  options.ready_file = absl::GetFlag(FLAGS_ready_file);
  options.stop = stop;
  return options;
}

absl::Status Dispatch(const std::vector<char*>& words, const std::vector<std::string>& set,
                      const StopSignal& stop_signal) {
  const std::vector<std::string> commands = {"train", "eval",      "record", "export",
                                             "plot",  "benchmark", "presets"};
  if (words.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("name a command: ", absl::StrJoin(commands, ", ")));
  }
  const std::string command = words[1];
  const bool takes_run =
      command == "eval" || command == "record" || command == "export" || command == "plot";
  if (words.size() > (takes_run ? 3u : 2u)) {
    return absl::InvalidArgumentError(
        absl::StrCat("unexpected argument \"", words.back(), "\" after ", command));
  }
  const std::string output = absl::GetFlag(FLAGS_output);
  PolicyChoice policy;
  policy.target = takes_run && words.size() > 2 ? words[2] : "";
  policy.checkpoint = absl::GetFlag(FLAGS_checkpoint);
  policy.runs = output.empty() ? v1::OutputConfig::default_instance().folder() : output;
  policy.overrides = AllOverrides(set);
  policy.reach.connection = ConnectionFromFlags();
  const absl::Time deadline = command == "train" || command == "benchmark"
                                  ? absl::Now() + absl::GetFlag(FLAGS_execution_time)
                                  : absl::InfiniteFuture();
  const auto stop = [&stop_signal, deadline] {
    return stop_signal.requested() || absl::Now() >= deadline;
  };
  if (command == "train") {
    TrainOptions options;
    options.sources = {absl::GetFlag(FLAGS_preset), absl::GetFlag(FLAGS_config), AllOverrides(set)};
    options.default_server = ServerFromFlags();
    options.resume = absl::GetFlag(FLAGS_resume);
    options.load_from = absl::GetFlag(FLAGS_load_from);
    options.run_folder = absl::GetFlag(FLAGS_run_folder);
    options.reach.connection = ConnectionFromFlags();
    options.ranks = {absl::GetFlag(FLAGS_rank), absl::GetFlag(FLAGS_ranks),
                     absl::GetFlag(FLAGS_rendezvous), absl::GetFlag(FLAGS_rank_timeout)};
    const ListenOptions listen = ListenFromFlags(stop);
    if (!listen.listen.empty()) {
      options.reach.collectors = [listen](const v1::LearnerConfig& config, int64_t frames) {
        return TrainingServer::Start(config, frames, listen);
      };
    }
    return Train(options, stop);
  }
  if (command == "benchmark") {
    BenchmarkOptions options;
    options.presets = Names(absl::GetFlag(FLAGS_preset));
    options.envs = Names(absl::GetFlag(FLAGS_envs));
    options.seeds = Names(absl::GetFlag(FLAGS_seeds));
    options.folder = output;
    options.config = absl::GetFlag(FLAGS_config);
    options.overrides = AllOverrides(set);
    options.default_server = ServerFromFlags();
    options.reach.connection = ConnectionFromFlags();
    return Benchmark(options, stop);
  }
  if (command == "eval") {
    EvalOptions options;
    options.policy = policy;
    options.stochastic = absl::GetFlag(FLAGS_stochastic);
    options.episodes = absl::GetFlag(FLAGS_episodes);
    options.json = absl::GetFlag(FLAGS_json);
    options.save_traj = absl::GetFlag(FLAGS_save_traj);
    options.video = absl::GetFlag(FLAGS_video);
    options.tensorboard = absl::GetFlag(FLAGS_tensorboard);
    return Eval(options, stop);
  }
  if (command == "record") {
    RecordOptions options;
    options.policy = policy;
    options.stochastic = absl::GetFlag(FLAGS_stochastic);
    options.video = absl::GetFlag(FLAGS_video);
    options.camera = absl::GetFlag(FLAGS_camera);
    options.size = absl::GetFlag(FLAGS_size);
    options.max_frames = absl::GetFlag(FLAGS_max_frames);
    return Record(options, stop);
  }
  if (command == "export") {
    ExportOptions options;
    options.policy = policy;
    options.file = absl::GetFlag(FLAGS_file);
    return Export(options);
  }
  if (command == "plot") return Plot(policy.target, policy.runs);
  if (command == "presets") {
    for (const PresetSummary& preset : PresetSummaries()) {
      std::printf("%-32s %s\n", preset.name.c_str(), preset.description.c_str());
    }
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no command \"", command, "\"", NearestHint(command, commands)));
}

}  // namespace

int LearnerMain(int argc, char** argv) {
  TuneGrpcClient();
  absl::SetProgramUsageMessage(kUsage);
  std::vector<char*> arguments(argv, argv + argc);
  const std::vector<std::string> set = TakeOverrides(arguments);
  const std::vector<char*> words =
      absl::ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
  spdlog::set_default_logger(spdlog::stderr_color_mt("learner"));
  const StopSignal stop_signal;
  return ExitStatus("learner", Dispatch(words, set, stop_signal));
}

}  // namespace hivewire
