// What one server does for many lanes and many clients: memory, fairness, neighbours; and what many
// servers cost one client. Prints a table, and with --json one object of all figures.
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "base/json.h"
#include "tests/bench/server_process.h"
#include "tests/bench/service_rows.h"

ABSL_FLAG(std::vector<std::string>, rows,
          std::vector<std::string>({"fan_out", "memory", "clients", "neighbour"}),
          "Which to measure, in this order; meshes needs --asset_root.");
ABSL_FLAG(std::string, asset_root, "", "Folder of FetchModel-v0 (meshes/fetch.textproto).");
ABSL_FLAG(int, clients, 64, "At once.");
ABSL_FLAG(int, most_servers, 16, "One client's; 1, 2, 4 … up to these are measured.");
ABSL_FLAG(int, rounds, 5, "Of which medians are taken.");
ABSL_FLAG(double, seconds, 2, "Of one turn.");
ABSL_FLAG(bool, json, false, "Print one JSON object.");
ABSL_FLAG(std::string, env_server, "", "The server's program.");
ABSL_FLAG(std::string, sleeping_server, "", "The program of servers that sleep.");

namespace hivewire {
namespace {

constexpr int kLanesPerServer = 64;
constexpr int kManyLanes = 10000;
constexpr int kManyLanesSteps = 3;
constexpr int kMeshLanes = 2000;

using Servers = std::vector<std::unique_ptr<ServerProcess>>;

// Processes are forked before this one has threads; gRPC makes some with the first client. So each
// row's servers are started first.
absl::StatusOr<Servers> Start(const std::string& program, int count,
                              const std::vector<std::string>& flags) {
  Servers servers;
  for (int k = 0; k < count; ++k) {
    auto server = ServerProcess::Start(program, flags);
    if (!server.ok()) return server.status();
    servers.push_back(*std::move(server));
  }
  return servers;
}

absl::Status FanOut(const Servers& servers, JsonObject& json) {
  std::vector<std::string> lines;
  for (size_t count = 1; count <= servers.size(); count *= 2) {
    std::vector<std::string> addresses;
    for (size_t k = 0; k < count; ++k) addresses.push_back(servers[k]->unix_address());
    const auto row = MeasureFanOut(absl::StrJoin(addresses, ","), static_cast<int>(count),
                                   kLanesPerServer, absl::GetFlag(FLAGS_seconds));
    if (!row.ok()) return row.status();
    absl::FPrintF(stderr, "%2d servers: client's CPU %.1f us a batch and server, %.0f steps/s\n",
                  row->servers, 1e6 * row->cpu_per_batch, row->lane_steps_per_second);
    lines.push_back(JsonObject()
                        .Add("servers", row->servers)
                        .Add("cpu_us_per_batch", 1e6 * row->cpu_per_batch)
                        .Add("lane_steps_per_s", row->lane_steps_per_second)
                        .ToString());
  }
  json.AddRaw("fan_out", absl::StrCat("[", absl::StrJoin(lines, ", "), "]"));
  return absl::OkStatus();
}

absl::Status Memory(const Servers& servers, JsonObject& json) {
  const auto row = MeasureMemory(*servers[0], "Humanoid-v5", kManyLanes, kManyLanesSteps);
  if (!row.ok()) return row.status();
  absl::FPrintF(stderr, "10,000 Humanoid lanes, stepped: %.0f MB resident, %.0f bytes a lane\n",
                1e-6 * row->resident_bytes, row->bytes_per_lane);
  json.Add("memory_per_lane_bytes", row->bytes_per_lane)
      .Add("many_lanes_resident_bytes", row->resident_bytes);
  return absl::OkStatus();
}

absl::Status Meshes(const Servers& servers, JsonObject& json) {
  const auto row = MeasureMemory(*servers[0], "FetchModel-v0", kMeshLanes, /*steps=*/1);
  if (!row.ok()) return row.status();
  absl::FPrintF(stderr, "lanes of Fetch's model, stepped: %.0f bytes a lane\n",
                row->bytes_per_lane);
  json.Add("memory_per_mesh_lane_bytes", row->bytes_per_lane);
  return absl::OkStatus();
}

absl::Status Clients(const Servers& servers, JsonObject& json) {
  const auto row = MeasureClients(*servers[0], absl::GetFlag(FLAGS_clients),
                                  absl::GetFlag(FLAGS_rounds), absl::GetFlag(FLAGS_seconds));
  if (!row.ok()) return row.status();
  absl::FPrintF(stderr,
                "%d clients, one Ant lane each: slowest / fastest %.2f; %.0f steps/s in all, %.2f "
                "of one client's %.0f\n",
                absl::GetFlag(FLAGS_clients), row->slowest_to_fastest, row->many_clients,
                row->to_one_client, row->one_client);
  json.Add("clients_slowest_to_fastest", row->slowest_to_fastest)
      .Add("clients_to_one_client", row->to_one_client)
      .Add("clients_steps_per_s", row->many_clients)
      .Add("one_client_steps_per_s", row->one_client);
  return absl::OkStatus();
}

absl::Status Neighbour(const Servers& servers, JsonObject& json) {
  const auto row =
      MeasureNeighbour(*servers[0], absl::GetFlag(FLAGS_rounds), absl::GetFlag(FLAGS_seconds));
  if (!row.ok()) return row.status();
  absl::FPrintF(stderr,
                "one Ant lane: p50 %.0f us, p99 %.0f us alone; p50 %.0f us, p99 %.0f us (x %.1f) "
                "beside 1,000 Humanoid lanes\n",
                1e6 * row->idle_p50, 1e6 * row->idle_p99, 1e6 * row->beside_p50,
                1e6 * row->beside_p99, row->p99_ratio);
  json.Add("neighbour_idle_p50_us", 1e6 * row->idle_p50)
      .Add("neighbour_idle_p99_us", 1e6 * row->idle_p99)
      .Add("neighbour_p50_us", 1e6 * row->beside_p50)
      .Add("neighbour_p99_us", 1e6 * row->beside_p99)
      .Add("neighbour_p99_ratio", row->p99_ratio);
  return absl::OkStatus();
}

struct Row {
  std::string name;
  bool sleeping;
  std::function<absl::Status(const Servers&, JsonObject&)> measure;
};

absl::Status Measure() {
  const std::vector<Row> rows = {{"fan_out", true, FanOut},
                                 {"memory", false, Memory},
                                 {"meshes", false, Meshes},
                                 {"clients", false, Clients},
                                 {"neighbour", false, Neighbour}};
  std::vector<std::pair<const Row*, Servers>> wanted;
  for (const std::string& name : absl::GetFlag(FLAGS_rows)) {
    const Row* found = nullptr;
    for (const Row& row : rows) {
      if (row.name == name) found = &row;
    }
    if (found == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--rows: no row \"", name, "\"; there are: fan_out, memory, meshes, clients, neighbour"));
    }
    std::vector<std::string> flags = {"--render=false"};
    if (name == "meshes")
      flags.push_back(absl::StrCat("--asset_root=", absl::GetFlag(FLAGS_asset_root)));
    auto servers = found->sleeping ? Start(absl::GetFlag(FLAGS_sleeping_server),
                                           absl::GetFlag(FLAGS_most_servers), {})
                                   : Start(absl::GetFlag(FLAGS_env_server), 1, flags);
    if (!servers.ok()) return servers.status();
    wanted.emplace_back(found, *std::move(servers));
  }
  JsonObject json;
  for (auto& [row, servers] : wanted) {
    const absl::Status status = row->measure(servers, json);
    if (!status.ok()) return status;
    servers.clear();
  }
  if (absl::GetFlag(FLAGS_json)) std::puts(json.ToString().c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpcClient();
  absl::SetProgramUsageMessage("service_bench: many lanes, many clients, many servers.");
  absl::ParseCommandLine(argc, argv);
  return hivewire::ExitStatus("service_bench", hivewire::Measure());
}
