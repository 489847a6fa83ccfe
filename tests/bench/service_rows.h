// What one server does for many lanes and many clients. Each row starts what it needs and gives its
// figures; the server is fresh.
#ifndef HIVEWIRE_TESTS_BENCH_SERVICE_ROWS_H_
#define HIVEWIRE_TESTS_BENCH_SERVICE_ROWS_H_

#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/server_process.h"

namespace hivewire {

// Memory of many lanes of an env that were reset and stepped.
struct MemoryRow {
  double resident_bytes = 0;
  // By how much the server grew, for each lane.
  double bytes_per_lane = 0;
};
absl::StatusOr<MemoryRow> MeasureMemory(const ServerProcess& server, const std::string& env_id,
                                        int lanes, int steps);

// Clients of one Ant lane each, at once, beside one client with as many lanes. Medians over rounds
// in which the two take turns.
struct ClientsRow {
  double slowest_to_fastest = 0;
  double to_one_client = 0;
  // Lane steps per second.
  double many_clients = 0, one_client = 0;
};
absl::StatusOr<ClientsRow> MeasureClients(const ServerProcess& server, int clients, int rounds,
                                          double seconds);

// Round trips of a client of one Ant lane, alone and beside another client that keeps 1,000
// Humanoid lanes stepping; s. Medians over rounds in which the two take turns.
struct NeighbourRow {
  double idle_p50 = 0, idle_p99 = 0;
  double beside_p50 = 0, beside_p99 = 0;
  double p99_ratio = 0;
};
absl::StatusOr<NeighbourRow> MeasureNeighbour(const ServerProcess& server, int rounds,
                                              double seconds);

// What a step costs a client that spreads its lanes over servers whose tasks sleep: CPU time of all
// its threads, s, for each server's batch.
struct FanOutRow {
  int servers = 0;
  double cpu_per_batch = 0;
  double lane_steps_per_second = 0;
};
absl::StatusOr<FanOutRow> MeasureFanOut(const std::string& addresses, int servers,
                                        int lanes_per_server, double seconds);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_SERVICE_ROWS_H_
