#include "tests/bench/service_rows.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "client/action_sampler.h"
#include "client/control_client.h"
#include "client/stepping.h"
#include "client/vector_env.h"

namespace hivewire {
namespace {

constexpr int kActions = 64;  // different ones; then again from the first
constexpr int64_t kManySteps = 1 << 30;
constexpr int kLanesAMessage = 500;
constexpr int kHeavyLanes = 1000;

// A client with its own connection, ready to step.
struct Client {
  std::unique_ptr<VectorEnv> env;
  std::vector<std::string> actions;
  std::unique_ptr<GroupStepper> stepper;

  absl::StatusOr<int64_t> StepFor(double seconds) {
    return stepper->Run(kManySteps, absl::Now() + absl::Seconds(seconds));
  }
};

absl::StatusOr<Client> MakeClient(const std::string& address, const std::string& env_id, int lanes,
                                  int groups, uint64_t seed = 0) {
  VectorEnvOptions options;
  options.server = address;
  options.env_id = env_id;
  options.num_envs = lanes;
  auto env = VectorEnv::Make(options);
  if (!env.ok()) return env.status();
  Client client;
  client.env = *std::move(env);
  ActionSampler sampler(ActionSampler::Kind::kRandom, client.env->spec(),
                        client.env->action_leaves(), seed);
  client.actions = SampleActions(sampler, *client.env, kActions);
  client.stepper = std::make_unique<GroupStepper>(*client.env, groups, client.actions);
  StepResult result;
  const absl::Status status = client.env->Reset(seed, result);
  if (!status.ok()) return status;
  return client;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

absl::StatusOr<double> ResidentBytes(ControlClient& client) {
  const auto statistics = client.GetStatistics({});
  if (!statistics.ok()) return statistics.status();
  return static_cast<double>(statistics->resident_bytes());
}

// Steps each client for so long, all at once. By client: its lane steps.
absl::StatusOr<std::vector<double>> StepTogether(std::vector<Client>& clients, double seconds) {
  std::vector<absl::StatusOr<int64_t>> done(clients.size(), absl::UnknownError("not run"));
  std::vector<std::thread> threads;
  for (size_t k = 0; k < clients.size(); ++k)
    threads.emplace_back([&, k] { done[k] = clients[k].StepFor(seconds); });
  for (std::thread& thread : threads) thread.join();
  std::vector<double> lane_steps;
  for (const auto& steps : done) {
    if (!steps.ok()) return steps.status();
    lane_steps.push_back(static_cast<double>(*steps));
  }
  return lane_steps;
}

absl::Status TimeRoundTrips(Client& client, double seconds, std::vector<double>& times) {
  const absl::Time end = absl::Now() + absl::Seconds(seconds);
  while (absl::Now() < end) {
    const auto more = TimeSteps(*client.env, client.actions, kActions);
    if (!more.ok()) return more.status();
    times.insert(times.end(), more->begin(), more->end());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MemoryRow> MeasureMemory(const ServerProcess& server, const std::string& env_id,
                                        int lanes, int steps) {
  const std::string& address = server.unix_address();
  const auto control = ControlClient::Connect(address, {});
  if (!control.ok()) return control.status();
  // What any first pool costs is no lane's.
  auto first = MakeClient(address, env_id, 1, 1);
  if (!first.ok()) return first.status();
  const auto before = ResidentBytes(**control);
  if (!before.ok()) return before.status();
  const int groups = std::max(1, lanes / kLanesAMessage);
  auto many = MakeClient(address, env_id, lanes, groups);
  if (!many.ok()) return many.status();
  const auto stepped = many->stepper->Run(steps);
  if (!stepped.ok()) return stepped.status();
  const auto after = ResidentBytes(**control);
  if (!after.ok()) return after.status();
  return MemoryRow{*after, (*after - *before) / lanes};
}

absl::StatusOr<ClientsRow> MeasureClients(const ServerProcess& server, int clients, int rounds,
                                          double seconds) {
  std::vector<Client> many, one;
  for (int k = 0; k <= clients; ++k) {
    const bool last = k == clients;
    auto client = MakeClient(server.unix_address(), "Ant-v5", last ? clients : 1, last ? 2 : 1,
                             static_cast<uint64_t>(k));
    if (!client.ok()) return client.status();
    (last ? one : many).push_back(*std::move(client));
  }
  std::vector<double> spread, ratio, many_rate, one_rate;
  for (int round = -1; round < rounds; ++round) {
    const auto apart = StepTogether(many, seconds);
    if (!apart.ok()) return apart.status();
    const auto alone = StepTogether(one, seconds);
    if (!alone.ok()) return alone.status();
    if (round < 0) continue;
    const auto [slowest, fastest] = std::minmax_element(apart->begin(), apart->end());
    double total = 0;
    for (const double steps : *apart) total += steps;
    spread.push_back(*slowest / *fastest);
    ratio.push_back(total / alone->front());
    many_rate.push_back(total / seconds);
    one_rate.push_back(alone->front() / seconds);
  }
  return ClientsRow{Median(spread), Median(ratio), Median(many_rate), Median(one_rate)};
}

absl::StatusOr<NeighbourRow> MeasureNeighbour(const ServerProcess& server, int rounds,
                                              double seconds) {
  auto light = MakeClient(server.unix_address(), "Ant-v5", 1, 1);
  if (!light.ok()) return light.status();
  auto heavy = MakeClient(server.unix_address(), "Humanoid-v5", kHeavyLanes, 2);
  if (!heavy.ok()) return heavy.status();
  std::vector<double> idle_p50, idle_p99, beside_p50, beside_p99, ratio;
  for (int round = -1; round < rounds; ++round) {
    std::vector<double> idle, beside;
    absl::Status status = TimeRoundTrips(*light, seconds, idle);
    if (!status.ok()) return status;
    absl::StatusOr<int64_t> stepped = 0;
    // Under way before, and still after, the light client's.
    std::thread busy([&] { stepped = heavy->StepFor(seconds + 1); });
    absl::SleepFor(absl::Milliseconds(500));
    status = TimeRoundTrips(*light, seconds, beside);
    busy.join();
    if (status.ok()) status = stepped.status();
    if (!status.ok()) return status;
    if (round < 0) continue;
    idle_p50.push_back(Median(idle));
    idle_p99.push_back(Quantile(idle, 0.99));
    beside_p50.push_back(Median(beside));
    beside_p99.push_back(Quantile(beside, 0.99));
    ratio.push_back(beside_p99.back() / idle_p99.back());
  }
  return NeighbourRow{Median(idle_p50), Median(idle_p99), Median(beside_p50), Median(beside_p99),
                      Median(ratio)};
}

absl::StatusOr<FanOutRow> MeasureFanOut(const std::string& addresses, int servers,
                                        int lanes_per_server, double seconds) {
  auto client = MakeClient(addresses, "Sleep-v0", servers * lanes_per_server, 1);
  if (!client.ok()) return client.status();
  const auto warm_up = client->StepFor(0.2 * seconds);
  if (!warm_up.ok()) return warm_up.status();
  const double cpu = CpuSeconds();
  const absl::Time begin = absl::Now();
  const auto done = client->StepFor(seconds);
  if (!done.ok()) return done.status();
  const double used = CpuSeconds() - cpu;
  const double batches = static_cast<double>(*done) / lanes_per_server;
  return FanOutRow{servers, used / batches,
                   static_cast<double>(*done) / absl::ToDoubleSeconds(absl::Now() - begin)};
}

}  // namespace hivewire
