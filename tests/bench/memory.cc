#include "tests/bench/memory.h"

#include <vector>

#include "client/control_client.h"

namespace hivewire {
namespace {

constexpr int kLanes = 8192;
// Reset at once: their messages must not count.
constexpr size_t kGroup = 64;

absl::StatusOr<double> ResidentBytes(ControlClient& client) {
  const auto statistics = client.GetStatistics({});
  if (!statistics.ok()) return statistics.status();
  return static_cast<double>(statistics->resident_bytes());
}

}  // namespace

absl::StatusOr<double> MemoryPerLane(VectorEnvOptions options) {
  const auto client = ControlClient::Connect(options.server, options.connection);
  if (!client.ok()) return client.status();
  const auto before = ResidentBytes(**client);
  if (!before.ok()) return before.status();
  options.num_envs = kLanes;
  const auto env = VectorEnv::Make(options);
  if (!env.ok()) return env.status();
  StepResult result;
  for (uint32_t first = 0; first < kLanes; first += kGroup) {
    std::vector<uint32_t> lanes;
    for (uint32_t lane = first; lane < first + kGroup; ++lane) lanes.push_back(lane);
    absl::Status status = (*env)->SendReset(lanes, {});
    if (status.ok()) status = (*env)->Receive(result);
    if (!status.ok()) return status;
  }
  const auto after = ResidentBytes(**client);
  if (!after.ok()) return after.status();
  return (*after - *before) / kLanes;
}

}  // namespace hivewire
