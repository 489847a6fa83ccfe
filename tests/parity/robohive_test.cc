// Replays recordings of robohive 0.7.0 on our tasks: a seeded reset, 200 steps on our own, and
// another reset. States, observations and what resets change of the model must be equal to the last
// bit, rewards nearly (they are sums). Prints the largest difference of every field of every id.
//
// HIVEWIRE_ROBOHIVE_TRACES names another folder of recordings; robohive_traces.py makes them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "server/tasks/registry.h"
#include "server/tasks/testing/shared_folder.h"
#include "server/tasks/testing/task_runner.h"
#include "tests/parity/comparison.h"
#include "tests/parity/npz.h"

namespace hivewire {
namespace {

namespace fs = std::filesystem;

using Arrays = std::map<std::string, NumpyArray>;

constexpr double kRewardTolerance = 1e-13;
// Where numpy does not compute as the C library does, observations may be off by as much as an
// angle's last bits: it hands small products to BLAS, which fuses operations (D'Kitty's
// target_error and what follows from it), and on CPUs with AVX-512 it has an arctangent of its own
// (Euler angles).
constexpr double kLastBits = 1e-15;
constexpr const char* kKeysInLastBits[] = {"target_error",      "heading",       "ee_pose",
                                           "ee_pose_wrt_robot", "reach_rot_err", "obj_rot"};

// "what follows key", up to a comma, of the one object that a recording has beside its arrays.
std::string MetaValue(const std::string& json, absl::string_view key) {
  const std::string quoted = absl::StrCat("\"", key, "\": ");
  const size_t at = json.find(quoted);
  if (at == std::string::npos) return "";
  const size_t begin = at + quoted.size();
  std::string value = json.substr(begin, json.find_first_of(",}", begin) - begin);
  value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
  return value;
}

// Groups of fields, each a column of the table.
enum Column { kReset, kResetModel, kState, kControl, kObservation, kDict, kReward, kEnd, kColumns };
constexpr const char* kTitles[] = {"reset", "model",    "state",   "ctrl",
                                   "obs",   "obs_dict", "rewards", "solved/done"};

class Replay {
 public:
  Replay(std::string id, const Arrays& arrays, std::shared_ptr<const Task> task)
      : id_(std::move(id)), arrays_(arrays), runner_(std::move(task)) {}

  void Run(uint64_t seed) {
    ASSERT_EQ(runner_.Reset(seed), absl::OkStatus());
    CompareReset("reset1");
    const NumpyArray& actions = arrays_.at("actions");
    const std::vector<double> values = actions.Numbers();
    const size_t size = actions.row_size();
    for (size_t step = 0; step < values.size() / size; ++step) {
      const Outcome outcome =
          runner_.Step({values.begin() + static_cast<ptrdiff_t>(step * size),
                        values.begin() + static_cast<ptrdiff_t>((step + 1) * size)},
                       actions.dtype == "<f4" ? v1::DTYPE_FLOAT32 : v1::DTYPE_FLOAT64);
      CompareStep(step, outcome);
    }
    ASSERT_EQ(runner_.ResetOn(), absl::OkStatus());
    CompareReset("reset2");
  }

  void Print() const {
    std::printf("%-38s", id_.c_str());
    for (const Difference& difference : columns_) {
      char text[32] = "0";
      if (difference.unequal > 0) std::snprintf(text, sizeof(text), "%.1e", difference.largest);
      std::printf(" %11s", text);
    }
    std::printf("\n");
  }

 private:
  // `ours` beside one row of an array, or the whole array where `row` is negative.
  void Compare(Column column, const std::string& field, absl::Span<const double> ours,
               ptrdiff_t row, double tolerance = 0) {
    const auto found = arrays_.find(field);
    if (found == arrays_.end()) return;
    if (!numbers_.contains(field)) numbers_[field] = found->second.Numbers();
    absl::Span<const double> reference = numbers_[field];
    if (row >= 0) {
      const size_t size = found->second.row_size();
      reference = reference.subspan(static_cast<size_t>(row) * size, size);
    }
    ASSERT_EQ(ours.size(), reference.size()) << id_ << " " << field;
    Difference difference;
    for (size_t k = 0; k < ours.size(); ++k) {
      // A zero's sign is nothing that anybody computes with.
      if (ours[k] != reference[k]) difference.Add(ours[k], reference[k]);
    }
    Difference& total = columns_[column];
    total.largest = std::max(total.largest, difference.largest);
    total.unequal += difference.unequal;
    if (difference.largest > tolerance && failed_.insert(field).second)
      ADD_FAILURE() << id_ << ": " << field << (row < 0 ? "" : absl::StrCat(" at step ", row))
                    << " is off by " << difference.largest;
  }

  double ToleranceOf(absl::string_view key) const {
    const auto is_key = [&](const char* other) { return key == other; };
    return std::any_of(std::begin(kKeysInLastBits), std::end(kKeysInLastBits), is_key) ? kLastBits
                                                                                       : 0;
  }

  std::vector<double> EngineState() {
    const mjModel* const model = runner_.simulation()->model();
    std::vector<double> state(static_cast<size_t>(mj_stateSize(model, mjSTATE_INTEGRATION)));
    mj_getState(model, runner_.simulation()->data(), state.data(), mjSTATE_INTEGRATION);
    return state;
  }

  absl::Span<const double> LastControl() {
    return absl::MakeSpan(runner_.state()).subspan(1, static_cast<size_t>(engine().nu));
  }

  const mjModel& engine() { return *runner_.simulation()->model(); }

  void CompareReset(const std::string& prefix) {
    Compare(kReset, prefix + "_state", EngineState(), -1);
    CompareVector(kReset, prefix + "_obs", -1);
    Compare(kReset, prefix + "_last_ctrl", LastControl(), -1);
    CompareDict(prefix + "_obs_dict/", "obs_dict.", -1, kReset);
    const mjModel& model = engine();
    const auto field = [&](const char* name, const mjtNum* values, mjtSize count) {
      Compare(kResetModel, absl::StrCat(prefix, "_model/", name),
              {values, static_cast<size_t>(count)}, -1);
    };
    field("site_pos", model.site_pos, 3 * model.nsite);
    field("site_quat", model.site_quat, 4 * model.nsite);
    field("body_pos", model.body_pos, 3 * model.nbody);
    field("body_quat", model.body_quat, 4 * model.nbody);
    field("geom_size", model.geom_size, 3 * model.ngeom);
    field("geom_pos", model.geom_pos, 3 * model.ngeom);
    field("geom_quat", model.geom_quat, 4 * model.ngeom);
    field("actuator_gainprm", model.actuator_gainprm, mjNGAIN * model.nu);
    field("actuator_biasprm", model.actuator_biasprm, mjNBIAS * model.nu);
    field("key_qpos", model.key_qpos, model.nkey * model.nq);
    field("key_qvel", model.key_qvel, model.nkey * model.nv);
    const std::vector<double> types(model.geom_type, model.geom_type + model.ngeom);
    field("geom_type", types.data(), model.ngeom);
    CompareGenerator(absl::StrCat("after_", prefix, "_pcg64_"));
  }

  // Whether as many random numbers were drawn.
  void CompareGenerator(const std::string& prefix) {
    const auto state = arrays_.find(prefix + "state_hi_lo");
    if (state == arrays_.end()) return;
    const NumpyRng::State ours = runner_.rng().state();
    EXPECT_EQ(state->second.Uint64(), (std::vector<uint64_t>{ours.state_high, ours.state_low}))
        << id_ << " " << prefix;
  }

  // The vector of observations, whose elements are named "key.3".
  void CompareVector(Column column, const std::string& field, ptrdiff_t row) {
    double tolerance = 0;
    for (const std::string& name : runner_.task().spec().observation(0).element_names()) {
      const std::vector<std::string> parts = absl::StrSplit(name, '.');
      tolerance = std::max(tolerance, ToleranceOf(parts[0]));
    }
    Compare(column, field, runner_.observation(), row, tolerance);
  }

  void CompareDict(const std::string& prefix, const char* leaf_prefix, ptrdiff_t row,
                   Column column) {
    for (const auto& [name, array] : arrays_) {
      if (!absl::StartsWith(name, prefix)) continue;
      const std::string key(absl::StripPrefix(name, prefix));
      // Recorded by reference, so what is there is from a later reset.
      if (row < 0 && key == "target_pos" && absl::StartsWith(id_, "DKitty")) continue;
      const std::string leaf = absl::StrCat(
          leaf_prefix == std::string("proprio_dict.") && key == "time" ? "obs_dict." : leaf_prefix,
          key);
      Compare(column, name, runner_.info(leaf), row,
              column == kReward ? kRewardTolerance : ToleranceOf(key));
    }
  }

  void CompareStep(size_t index, const Outcome& outcome) {
    const ptrdiff_t step = static_cast<ptrdiff_t>(index);
    Compare(kState, "state", EngineState(), step);
    Compare(kControl, "ctrl", LastControl(), step);
    CompareVector(kObservation, "obs", step);
    CompareDict("obs_dict/", "obs_dict.", step, kDict);
    CompareDict("proprio_dict/", "proprio_dict.", step, kDict);
    const double reward[] = {outcome.reward};
    Compare(kReward, "reward", reward, step, kRewardTolerance);
    CompareDict("rwd_dict/", "rwd_dict.", step, kReward);
    Compare(kEnd, "solved", runner_.info("solved"), step);
    Compare(kEnd, "done", runner_.info("done"), step);
    const double terminated[] = {outcome.terminated ? 1.0 : 0.0};
    Compare(kEnd, "done", terminated, step);
    Compare(kResetModel, "model/site_pos",
            {engine().site_pos, static_cast<size_t>(3 * engine().nsite)}, step);
  }

  const std::string id_;
  const Arrays& arrays_;
  TaskRunner runner_;
  std::map<std::string, std::vector<double>> numbers_;
  std::set<std::string> failed_;
  Difference columns_[kColumns];
};

TEST(RoboHiveParity, EveryRecordingComesOutTheSame) {
  const std::string folder = SharedFolder("HIVEWIRE_ROBOHIVE_TRACES", "traces/robohive");
  if (folder.empty() || !UseSharedSimHive())
    GTEST_SKIP() << "NOT COMPARED with RoboHive: no recordings or no SimHive on this machine";
  const absl::StatusOr<Registry> registry = Registry::Builtin();
  ASSERT_TRUE(registry.ok()) << registry.status();
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".npz") paths.push_back(entry.path());
  }
  ASSERT_FALSE(paths.empty()) << folder;
  std::sort(paths.begin(), paths.end());
  std::printf("largest difference from robohive, relative to max(1, |robohive|)\n%-38s", "id");
  for (const char* title : kTitles) std::printf(" %11s", title);
  std::printf("\n");
  for (const fs::path& path : paths) {
    const absl::StatusOr<Arrays> arrays = ReadNpz(path.string());
    ASSERT_TRUE(arrays.ok()) << arrays.status();
    const std::string meta = arrays->at("meta").Text();
    const std::string id = MetaValue(meta, "env_id");
    uint64_t seed;
    ASSERT_TRUE(absl::SimpleAtoi(MetaValue(meta, "seed"), &seed)) << path;
    const auto task = registry->Make(id, {});
    ASSERT_TRUE(task.ok()) << task.status();
    Replay replay(path.stem().string(), *arrays, *task);
    replay.Run(seed);
    replay.Print();
  }
}

}  // namespace
}  // namespace hivewire
