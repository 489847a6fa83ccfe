#include "tests/bench/stepping_bench.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "client/action_sampler.h"
#include "client/inproc.h"
#include "client/stepping.h"
#include "client/vector_env.h"
#include "server/pool/workers.h"
#include "server/sim/model.h"
#include "server/tasks/registry.h"
#include "tests/bench/counting_carrier.h"
#include "tests/bench/cpu_time.h"
#include "tests/bench/memory.h"
#include "tests/bench/raw_loop.h"
#include "tests/bench/recorder.h"
#include "tests/bench/recording.h"
#include "tests/bench/round_trip.h"

namespace hivewire {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int kCalibrationSteps = 50;
constexpr int kMostSteps = 20000;  // of a round: actions are held in memory
constexpr int kRoundTripsARound = 500;

std::vector<double> Ratios(const std::vector<double>& above, const std::vector<double>& below) {
  std::vector<double> ratios;
  for (size_t k = 0; k < above.size(); ++k) ratios.push_back(above[k] / below[k]);
  return ratios;
}

// One way to a pool: its lanes, and one more for round trips.
struct Way {
  std::string carrier;
  CarrierCounts counts;
  std::unique_ptr<VectorEnv> env;
  std::unique_ptr<RoundTrip> round_trip;
};

// A way with so many groups in flight, or the bare loop (way null).
struct Side {
  Way* way = nullptr;
  int groups = 0;
  std::unique_ptr<GroupStepper> stepper;
  std::vector<double> seconds;      // by round
  std::vector<double> cpu_seconds;  // by round
  double bytes_up = kNone, bytes_down = kNone;
};

class Bench {
 public:
  Bench(const SteppingBenchOptions& options, const ServerProcess& server, Registry registry)
      : options_(options),
        server_(server),
        registry_(std::move(registry)),
        workers_(static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))) {}

  absl::StatusOr<std::vector<SideResult>> Run() {
    absl::Status status = OpenWays();
    if (status.ok()) status = MakeActions();
    if (status.ok()) status = MakeRawSide();
    if (!status.ok()) return status;
    MakeSides();
    status = CountBytes();
    for (int round = -1; status.ok() && round < options_.rounds; ++round)
      status = RunRound(static_cast<size_t>(round + 1), /*keep=*/round >= 0);
    if (!status.ok()) return status;
    const auto memory = MemoryPerLane(OptionsFor(server_.unix_address()));
    if (!memory.ok()) return memory.status();
    memory_per_lane_ = *memory;
    return Results();
  }

 private:
  VectorEnvOptions OptionsFor(const std::string& address) const {
    VectorEnvOptions options;
    options.server = address;
    options.env_id = options_.env_id;
    options.num_envs = options_.num_envs;
    return options;
  }

  absl::Status OpenWays() {
    const CarrierFactory inproc = InprocCarriers(registry_, workers_);
    for (const auto& [carrier, address, factory] :
         {std::tuple("inproc", std::string("inproc:"), inproc),
          std::tuple("unix", server_.unix_address(), GrpcCarriers()),
          std::tuple("tcp", server_.tcp_address(), GrpcCarriers())}) {
      Way& way = *ways_.emplace_back(std::make_unique<Way>());
      way.carrier = carrier;
      auto env = VectorEnv::Make(OptionsFor(address), CountingCarriers(factory, way.counts));
      if (!env.ok()) return env.status();
      way.env = *std::move(env);
      auto round_trip = RoundTrip::Make(OptionsFor(address), factory, options_.seed);
      if (!round_trip.ok()) return round_trip.status();
      way.round_trip = *std::move(round_trip);
    }
    return absl::OkStatus();
  }

  // As many steps as the in-process pool does in a round's time.
  absl::Status MakeActions() {
    VectorEnv& env = *ways_[0]->env;
    ActionSampler sampler(ActionSampler::Kind::kRandom, env.spec(), env.action_leaves(),
                          options_.seed);
    actions_ = SampleActions(sampler, env, kCalibrationSteps);
    StepResult result;
    const absl::Status status = env.Reset(options_.seed, result);
    if (!status.ok()) return status;
    GroupStepper stepper(env, 1, actions_);
    const absl::Time begin = absl::Now();
    const auto done = stepper.Run(kCalibrationSteps);
    if (!done.ok()) return done.status();
    const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    const double wanted = options_.seconds / options_.rounds / seconds * kCalibrationSteps;
    num_steps_ = static_cast<int>(std::clamp(wanted, 1.0 * kCalibrationSteps, 1.0 * kMostSteps));
    for (std::string& step :
         SampleActions(sampler, env, std::max(0, num_steps_ - kCalibrationSteps))) {
      actions_.push_back(std::move(step));
    }
    return absl::OkStatus();
  }

  absl::Status MakeRawSide() {
    const auto task = registry_.Make(options_.env_id, {});
    if (!task.ok()) return task.status();
    const auto& leaves = (*task)->spec().action();
    if ((*task)->model() == nullptr || leaves.size() != 1 ||
        leaves[0].dtype() != v1::DTYPE_FLOAT32) {
      return absl::OkStatus();
    }
    v1::CreatePoolRequest request;
    request.set_env_id(options_.env_id);
    request.set_num_envs(static_cast<uint32_t>(options_.num_envs));
    auto spec = PoolSpec::Make(*task, request);
    if (!spec.ok()) return spec.status();
    auto recording = Record(*std::move(spec), workers_, options_.seed, actions_);
    if (!recording.ok()) return recording.status();
    const absl::Status status =
        RunRawLoop((*task)->model()->get(), *recording, workers_.size(), /*check_ends=*/true);
    if (!status.ok()) {
      spdlog::warn("no bare loop for {}: {}", options_.env_id, std::string(status.message()));
      return absl::OkStatus();
    }
    recording_ = std::make_unique<Recording>(*std::move(recording));
    model_ = (*task)->model();
    return absl::OkStatus();
  }

  void MakeSides() {
    if (recording_ != nullptr) sides_.emplace_back();
    for (const auto& way : ways_) {
      for (int groups = 1; groups <= std::min(2, options_.num_envs); ++groups) {
        Side& side = sides_.emplace_back();
        side.way = way.get();
        side.groups = groups;
        side.stepper = std::make_unique<GroupStepper>(*way->env, groups, actions_);
      }
    }
  }

  // Of the messages of a few steps.
  absl::Status CountBytes() {
    for (Side& side : sides_) {
      if (side.way == nullptr || side.way->carrier == "inproc") continue;
      StepResult result;
      CarrierCounts& counts = side.way->counts;
      absl::Status status = side.way->env->Reset(options_.seed, result);
      if (!status.ok()) return status;
      counts = {};
      counts.sizes_wanted = true;
      status = side.stepper->Run(kCalibrationSteps).status();
      counts.sizes_wanted = false;
      if (!status.ok()) return status;
      side.bytes_up = static_cast<double>(counts.bytes_up) / static_cast<double>(counts.frames);
      side.bytes_down =
          static_cast<double>(counts.bytes_down) / static_cast<double>(counts.batches);
    }
    return absl::OkStatus();
  }

  // Each side once; another one begins in each round.
  absl::Status RunRound(size_t round, bool keep) {
    for (size_t k = 0; k < sides_.size(); ++k) {
      const absl::Status status = RunSide(sides_[(round + k) % sides_.size()], keep);
      if (!status.ok()) return status;
    }
    for (size_t k = 0; k < ways_.size(); ++k) {
      RoundTrip& trip = *ways_[(round + k) % ways_.size()]->round_trip;
      const absl::Status status = trip.Run(kRoundTripsARound, keep);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  double CpuSeconds() const {
    return CpuSecondsBesideWorkers(getpid()) + CpuSecondsBesideWorkers(server_.pid());
  }

  absl::Status RunSide(Side& side, bool keep) {
    if (side.way != nullptr) {
      StepResult result;
      const absl::Status status = side.way->env->Reset(options_.seed, result);
      if (!status.ok()) return status;
    }
    const double cpu = CpuSeconds();
    const absl::Time begin = absl::Now();
    const absl::Status status =
        side.way == nullptr
            ? RunRawLoop(model_->get(), *recording_, workers_.size(), /*check_ends=*/true)
            : side.stepper->Run(num_steps_).status();
    const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    if (!status.ok() || !keep) return status;
    side.seconds.push_back(seconds);
    side.cpu_seconds.push_back(CpuSeconds() - cpu);
    return absl::OkStatus();
  }

  const Side* InprocWith(int groups) const {
    for (const Side& side : sides_) {
      if (side.way == ways_[0].get() && side.groups == groups) return &side;
    }
    return nullptr;
  }

  std::vector<SideResult> Results() const {
    std::vector<SideResult> results;
    for (const Side& side : sides_) {
      SideResult& result = results.emplace_back();
      const bool raw = side.way == nullptr;
      result.carrier = raw ? "raw" : side.way->carrier;
      result.groups = side.groups;
      result.steps_per_second =
          static_cast<double>(num_steps_) * options_.num_envs / Median(side.seconds);
      result.ratio_to_raw =
          recording_ == nullptr ? kNone : Median(Ratios(sides_[0].seconds, side.seconds));
      result.ratio_to_inproc =
          raw ? kNone : Median(Ratios(InprocWith(side.groups)->seconds, side.seconds));
      const RoundTrip* trip = raw ? nullptr : side.way->round_trip.get();
      result.round_trip_p50 = raw ? kNone : Median(trip->total_seconds());
      result.round_trip_p99 = raw ? kNone : Quantile(trip->total_seconds(), 0.99);
      result.round_trip_net_p50 = raw ? kNone : Median(trip->net_seconds());
      result.message_bytes_up = side.bytes_up;
      result.message_bytes_down = side.bytes_down;
      // One message there and one back for each group's step.
      result.cpu_per_message =
          raw ? kNone : Median(side.cpu_seconds) / (2.0 * side.groups * num_steps_);
      result.memory_per_lane = raw ? kNone : memory_per_lane_;
    }
    return results;
  }

  const SteppingBenchOptions options_;
  const ServerProcess& server_;
  const Registry registry_;
  Workers workers_;
  std::vector<std::unique_ptr<Way>> ways_;  // inproc first
  std::vector<std::string> actions_;        // by step
  int num_steps_ = 0;                       // of a round
  std::unique_ptr<Recording> recording_;    // null for an env without a bare loop
  std::shared_ptr<const Model> model_;      // of the recording
  std::vector<Side> sides_;                 // the bare loop first, where there is one
  double memory_per_lane_ = kNone;
};

}  // namespace

absl::StatusOr<std::vector<SideResult>> RunSteppingBench(const SteppingBenchOptions& options,
                                                         const ServerProcess& server) {
  auto registry = Registry::Builtin();
  if (!registry.ok()) return registry.status();
  return Bench(options, server, *std::move(registry)).Run();
}

}  // namespace hivewire
