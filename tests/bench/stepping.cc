// How fast an env is stepped by a bare mj_step loop, by a pool in this process and by a server, on
// one machine. README.md says how to read it.
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "base/json.h"
#include "tests/bench/server_process.h"
#include "tests/bench/stepping_bench.h"

ABSL_FLAG(std::string, env, "Ant-v5", "Env id.");
ABSL_FLAG(int, num_envs, 64, "Lanes.");
ABSL_FLAG(double, seconds, 5, "Of measuring, for each side.");
ABSL_FLAG(int, rounds, 5, "Rounds that this is split into; the sides take turns in each.");
ABSL_FLAG(uint64_t, seed, 0, "Of the episodes and of the actions.");
ABSL_FLAG(bool, json, false, "Print one JSON object a line.");
ABSL_FLAG(std::string, env_server, "", "The server's program; without it the one built with this.");

namespace hivewire {
namespace {

std::string BuiltServer() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string() +
         ".runfiles/hivewire/server/env_server";
}

void PrintJson(const SteppingBenchOptions& options, const SideResult& side) {
  const std::string line = JsonObject()
                               .Add("env", options.env_id)
                               .Add("carrier", side.carrier)
                               .Add("groups", side.groups)
                               .Add("num_envs", options.num_envs)
                               .Add("steps_per_s", side.steps_per_second)
                               .Add("ratio_to_raw", side.ratio_to_raw)
                               .Add("ratio_to_inproc", side.ratio_to_inproc)
                               .Add("round_trip_p50_us", 1e6 * side.round_trip_p50)
                               .Add("round_trip_p99_us", 1e6 * side.round_trip_p99)
                               .Add("round_trip_net_p50_us", 1e6 * side.round_trip_net_p50)
                               .Add("message_bytes_up", side.message_bytes_up)
                               .Add("message_bytes_down", side.message_bytes_down)
                               .Add("cpu_us_per_message", 1e6 * side.cpu_per_message)
                               .Add("memory_per_lane_bytes", side.memory_per_lane)
                               .ToString();
  std::puts(line.c_str());
}

// Empty for what a side has not.
std::string Cell(double value, int digits) {
  return std::isnan(value) ? "" : absl::StrFormat("%.*f", digits, value);
}

void PrintRow(const SideResult& side) {
  absl::PrintF("%-7s %6d %10s %7s %10s %8s %8s %8s %9s %10s %8s\n", side.carrier, side.groups,
               Cell(side.steps_per_second, 0), Cell(side.ratio_to_raw, 3),
               Cell(side.ratio_to_inproc, 3), Cell(1e6 * side.round_trip_p50, 0),
               Cell(1e6 * side.round_trip_p99, 0), Cell(1e6 * side.round_trip_net_p50, 0),
               Cell(side.message_bytes_up, 0), Cell(side.message_bytes_down, 0),
               Cell(1e6 * side.cpu_per_message, 0));
}

absl::Status Main() {
  SteppingBenchOptions options;
  options.env_id = absl::GetFlag(FLAGS_env);
  options.num_envs = absl::GetFlag(FLAGS_num_envs);
  options.seconds = absl::GetFlag(FLAGS_seconds);
  options.rounds = absl::GetFlag(FLAGS_rounds);
  options.seed = absl::GetFlag(FLAGS_seed);
  if (options.num_envs < 1 || options.rounds < 1 || !(options.seconds > 0)) {
    return absl::InvalidArgumentError(
        "--num_envs and --rounds must be at least 1, --seconds more than 0");
  }
  const std::string program = absl::GetFlag(FLAGS_env_server);
  const auto server = ServerProcess::Start(program.empty() ? BuiltServer() : program);
  if (!server.ok()) return server.status();
  const auto sides = RunSteppingBench(options, **server);
  if (!sides.ok()) return sides.status();
  const bool json = absl::GetFlag(FLAGS_json);
  if (!json) {
    absl::PrintF("%s, %d lanes, %d bytes of memory a lane\n\n", options.env_id, options.num_envs,
                 std::lround(sides->back().memory_per_lane));
    absl::PrintF("%-7s %6s %10s %7s %10s %8s %8s %8s %9s %10s %8s\n", "carrier", "groups",
                 "steps/s", "to raw", "to inproc", "p50 us", "p99 us", "net us", "bytes up",
                 "bytes down", "cpu us");
  }
  for (const SideResult& side : *sides) {
    json ? PrintJson(options, side) : PrintRow(side);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpcClient();
  absl::SetProgramUsageMessage(
      "stepping: steps an env by a bare loop and by every carrier, in turn, and compares.");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    std::fprintf(stderr, "stepping: what is \"%s\"? Options begin with --; see --help.\n", rest[1]);
    return 1;
  }
  return hivewire::ExitStatus("stepping", hivewire::Main());
}
