// Replays trajectories of reference implementations (see generate.py) on our tasks and compares.
//
//   replay FILE...
//
// Observations must be equal to the last bit, terminations equal, rewards and info leaves equal to
// 1e-12 relative to their size (sums may be rounded in another order). The lanes of a trajectory
// take turns in one Simulation, as in a pool. Prints a row a case; exit status 1 for a difference,
// 2 for a file that cannot be read.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/tasks/registry.h"
#include "tests/parity/trajectory.h"

namespace hivewire {
namespace {

constexpr double kTolerance = 1e-12;

// How far one field is from its reference, over all operations of a case.
struct Difference {
  double largest = 0;  // relative to max(1, |reference|)
  size_t unequal = 0;  // numbers that differ in any bit

  void Add(double ours, double reference) {
    if (std::memcmp(&ours, &reference, sizeof(double)) == 0) return;
    if (std::isnan(ours) && std::isnan(reference)) return;
    ++unequal;
    const double difference = std::abs(ours - reference) / std::max(1.0, std::abs(reference));
    largest = std::isnan(difference) ? std::numeric_limits<double>::infinity()
                                     : std::max(largest, difference);
  }
};

struct Comparison {
  size_t steps = 0, resets = 0;
  Difference observation, reward, termination;
  std::vector<Difference> info;

  bool passed() const {
    return observation.unequal == 0 && termination.unequal == 0 && reward.largest <= kTolerance &&
           WorstInfo() <= kTolerance;
  }
  double WorstInfo() const {
    double worst = 0;
    for (const Difference& leaf : info) worst = std::max(worst, leaf.largest);
    return worst;
  }
};

size_t Elements(const v1::LeafSpec& leaf) {
  size_t elements = 1;
  for (const int64_t dimension : leaf.shape()) elements *= static_cast<size_t>(dimension);
  return elements;
}

absl::Status Mismatch(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("the spec differs: ", what));
}

// Whether our spec tells what the reference's spaces tell.
absl::Status CompareSpecs(const v1::EnvSpec& spec, const Trajectory& reference) {
  if (spec.max_episode_steps() != reference.max_episode_steps) return Mismatch("max_episode_steps");
  if (spec.observation_size() != 1 ||
      Elements(spec.observation(0)) != reference.observation_elements ||
      spec.observation(0).dtype() != reference.observation_dtype) {
    return Mismatch("observation");
  }
  if (spec.action_size() != 1 || Elements(spec.action(0)) != reference.action_elements) {
    return Mismatch("action");
  }
  const auto same = [&](const google::protobuf::RepeatedField<double>& ours,
                        const std::vector<double>& theirs) {
    for (size_t k = 0; k < theirs.size(); ++k) {
      if (ours.empty() || ours[ours.size() == 1 ? 0 : static_cast<int>(k)] != theirs[k]) {
        return false;
      }
    }
    return true;
  };
  if (!same(spec.action(0).low(), reference.action_low) ||
      !same(spec.action(0).high(), reference.action_high)) {
    return Mismatch("bounds of the action");
  }
  if (static_cast<size_t>(spec.info_size()) != reference.info.size()) {
    return Mismatch(absl::StrCat(spec.info_size(), " info leaves, not ", reference.info.size()));
  }
  for (const InfoLeaf& leaf : reference.info) {
    const auto ours = std::find_if(spec.info().begin(), spec.info().end(),
                                   [&](const auto& info) { return info.name() == leaf.name; });
    if (ours == spec.info().end() || Elements(*ours) != leaf.elements ||
        ours->in_reset() != leaf.in_reset) {
      return Mismatch(absl::StrCat("info leaf ", leaf.name));
    }
  }
  return absl::OkStatus();
}

// Runs the lanes of one trajectory side by side on one engine.
class Replay {
 public:
  Replay(const Task& task, const Trajectory& reference) : task_(task), reference_(reference) {
    const v1::EnvSpec& spec = task.spec();
    observation_.resize(reference.observation_elements);
    observation_leaves_ = {observation_.data()};
    info_.resize(static_cast<size_t>(spec.info_size()));
    for (int k = 0; k < spec.info_size(); ++k) {
      info_[static_cast<size_t>(k)].resize(Elements(spec.info(k)));
      info_leaves_.push_back(info_[static_cast<size_t>(k)].data());
    }
    for (const InfoLeaf& leaf : reference.info) {
      for (size_t k = 0; k < info_.size(); ++k) {
        if (spec.info(static_cast<int>(k)).name() == leaf.name) info_order_.push_back(k);
      }
    }
    lanes_.resize(reference.lanes);
    for (Lane& lane : lanes_) {
      lane.task_state.resize(static_cast<size_t>(task.state_size()));
      if (task.model() != nullptr) lane.row.resize(static_cast<size_t>(task.model()->state_size()));
    }
    comparison_.info.resize(reference.info.size());
  }

  absl::StatusOr<Comparison> Run() {
    if (task_.model() != nullptr) {
      auto simulation = Simulation::Create(task_.model());
      if (!simulation.ok()) return simulation.status();
      simulation_ = *std::move(simulation);
    }
    for (size_t k = 0; k < reference_.size(); ++k) {
      const Record record = reference_.At(k);
      Lane& lane = lanes_[k % lanes_.size()];
      absl::Status status;
      const absl::Status guarded = Simulation::Guard(
          [&] { status = record.is_step ? Step(lane, record) : Reset(lane, record); });
      if (!guarded.ok()) return guarded;
      if (!status.ok()) return status;
      Compare(record);
    }
    return comparison_;
  }

 private:
  struct Lane {
    std::vector<double> row, task_state;
    NumpyRng rng;
  };

  TaskContext ContextOf(Lane& lane) {
    return {simulation_.get(), absl::MakeSpan(lane.task_state), &lane.rng};
  }

  absl::Status Reset(Lane& lane, const Record& record) {
    ++comparison_.resets;
    if (record.is_seeded) lane.rng = NumpyRng(record.seed);
    if (simulation_ != nullptr) simulation_->Reset();
    for (std::vector<double>& leaf : info_) {
      std::fill(leaf.begin(), leaf.end(), std::numeric_limits<double>::quiet_NaN());
    }
    outcome_ = {};
    TaskContext context = ContextOf(lane);
    const absl::Status status = task_.Reset(context, {}, absl::MakeSpan(info_leaves_));
    if (!status.ok()) return status;
    task_.Observe(context, absl::MakeSpan(observation_leaves_));
    if (simulation_ != nullptr) simulation_->Save(absl::MakeSpan(lane.row));
    return absl::OkStatus();
  }

  absl::Status Step(Lane& lane, const Record& record) {
    ++comparison_.steps;
    if (simulation_ != nullptr) simulation_->Load(lane.row);
    TaskContext context = ContextOf(lane);
    const Action action{record.action, reference_.action_dtype};
    task_.Act(context, action);
    task_.Advance(context);
    outcome_ = task_.Evaluate(context, action, absl::MakeSpan(info_leaves_));
    task_.Observe(context, absl::MakeSpan(observation_leaves_));
    if (simulation_ == nullptr) return absl::OkStatus();
    simulation_->Save(absl::MakeSpan(lane.row));
    return simulation_->CheckState();
  }

  void Compare(const Record& record) {
    const bool narrow = reference_.observation_dtype == v1::DTYPE_FLOAT32;
    for (size_t k = 0; k < observation_.size(); ++k) {
      const double ours = narrow ? static_cast<float>(observation_[k]) : observation_[k];
      comparison_.observation.Add(ours, record.observation[k]);
    }
    comparison_.reward.Add(outcome_.reward, record.reward);
    comparison_.termination.Add(outcome_.terminated, record.terminated);
    size_t offset = 0;
    for (size_t leaf = 0; leaf < info_order_.size(); ++leaf) {
      for (const double ours : info_[info_order_[leaf]]) {
        comparison_.info[leaf].Add(ours, record.info[offset++]);
      }
    }
  }

  const Task& task_;
  const Trajectory& reference_;
  std::unique_ptr<Simulation> simulation_;
  std::vector<Lane> lanes_;
  std::vector<double> observation_;
  std::vector<std::vector<double>> info_;
  std::vector<double*> observation_leaves_, info_leaves_;
  std::vector<size_t> info_order_;  // index in our spec of each leaf of the reference
  Outcome outcome_;
  Comparison comparison_;
};

absl::StatusOr<Comparison> RunCase(const Registry& registry, const Trajectory& reference) {
  const auto task = registry.Make(reference.env_id, reference.options);
  if (!task.ok()) return task.status();
  const absl::Status specs = CompareSpecs((*task)->spec(), reference);
  if (!specs.ok()) return specs;
  return Replay(**task, reference).Run();
}

// The info leaf that is farthest off, as "1.1e-16 distance_from_origin".
std::string DescribeInfo(const Trajectory& reference, const Comparison& comparison) {
  if (reference.info.empty()) return "none";
  const auto worst = std::max_element(
      comparison.info.begin(), comparison.info.end(),
      [](const Difference& a, const Difference& b) { return a.largest < b.largest; });
  if (worst->unequal == 0) return "0";
  const size_t leaf = static_cast<size_t>(worst - comparison.info.begin());
  char largest[32];
  std::snprintf(largest, sizeof(largest), "%.1e", worst->largest);
  return absl::StrCat(largest, " ", reference.info[leaf].name);
}

int Main(int argc, char** argv) {
  const absl::StatusOr<Registry> registry = Registry::Builtin();
  if (!registry.ok()) {
    std::fprintf(stderr, "%s\n", std::string(registry.status().message()).c_str());
    return 2;
  }
  int passed = 0, failed = 0;
  std::printf("%-42s %6s %7s %12s %9s %11s %s\n", "case", "steps", "resets", "observation",
              "reward", "terminated", "info");
  for (int k = 1; k < argc; ++k) {
    const absl::StatusOr<Trajectory> reference = ReadTrajectory(argv[k]);
    if (!reference.ok()) {
      std::fprintf(stderr, "%s\n", std::string(reference.status().message()).c_str());
      return 2;
    }
    const absl::StatusOr<Comparison> comparison = RunCase(*registry, *reference);
    const bool ok = comparison.ok() && comparison->passed();
    ++(ok ? passed : failed);
    if (!comparison.ok()) {
      std::printf("%-42s FAILED: %s\n", reference->name.c_str(),
                  std::string(comparison.status().message()).c_str());
      continue;
    }
    std::printf("%-42s %6zu %7zu %12.1e %9.1e %11zu %s%s\n", reference->name.c_str(),
                comparison->steps, comparison->resets, comparison->observation.largest,
                comparison->reward.largest, comparison->termination.unequal,
                DescribeInfo(*reference, *comparison).c_str(), ok ? "" : "  FAILED");
  }
  std::printf("parity: %d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) { return hivewire::Main(argc, argv); }
