#include "server/pool/testing/faulty_task.h"

#include <mujoco/mujoco.h>

#include <limits>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace hivewire {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class FaultyTask final : public Task {
 public:
  FaultyTask(int max_episode_steps, std::shared_ptr<std::atomic<bool>> hang)
      : hang_(std::move(hang)) {
    spec_.set_id("Faulty-v0");
    spec_.set_engine("none");
    spec_.set_max_episode_steps(max_episode_steps);
    v1::LeafSpec& observation = *spec_.add_observation();
    observation.set_name("observation");
    observation.set_dtype(v1::DTYPE_FLOAT64);
    observation.add_shape(3);
    v1::LeafSpec& action = *spec_.add_action();
    action.set_name("action");
    action.set_dtype(v1::DTYPE_FLOAT32);
    action.add_shape(1);
    action.add_low(0);
    action.add_high(200);
    v1::LeafSpec& counter = *spec_.add_info();
    counter.set_name("counter");
    counter.set_dtype(v1::DTYPE_FLOAT64);
    counter.set_in_reset(true);
    v1::LeafSpec& steps = *spec_.add_info();
    steps.set_name("steps");
    steps.set_dtype(v1::DTYPE_INT64);
  }

  const v1::EnvSpec& spec() const override { return spec_; }
  int state_size() const override {
    return 4;
  }  // counter, random number, steps, observation is NaN

  absl::Status Reset(TaskContext& context, const Options& options,
                     LeafPointers info) const override {
    context.state[0] = 0;
    context.state[1] = context.rng->Random();
    context.state[2] = 0;
    context.state[3] = 0;
    for (const auto& [name, value] : options) {
      if (name != "counter")
        return absl::InvalidArgumentError(absl::StrCat("options: no option is named ", name));
      context.state[0] = value.double_value();
    }
    if (info[0] != nullptr) *info[0] = context.state[0];
    return absl::OkStatus();
  }

  void Act(TaskContext& context, const Action& action) const override {
    const double value = action.values[0];
    if (value == 101) throw std::runtime_error("the task threw");
    if (value == 104) mju_error("the engine failed");
    while (value == 105 && hang_ != nullptr && hang_->load()) absl::SleepFor(absl::Milliseconds(1));
    if (value < 100) context.state[0] += value;
    context.state[2] += 1;
    context.state[3] = value == 102 ? 1 : 0;
  }

  void Advance(TaskContext&) const override {}

  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override {
    const double value = action.values[0];
    if (info[0] != nullptr) *info[0] = context.state[0];
    if (info[1] != nullptr) *info[1] = context.state[2];
    if (value == 103) return {kNaN, false};
    return {value == 100 ? 1.0 : value, value == 100};
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    if (observation[0] == nullptr) return;
    observation[0][0] = context.state[3] != 0 ? kNaN : context.state[0];
    observation[0][1] = context.state[1];
    observation[0][2] = -context.state[0];
  }

 private:
  v1::EnvSpec spec_;
  const std::shared_ptr<std::atomic<bool>> hang_;
};

}  // namespace

std::shared_ptr<const Task> MakeFaultyTask(int max_episode_steps,
                                           std::shared_ptr<std::atomic<bool>> hang) {
  return std::make_shared<FaultyTask>(max_episode_steps, std::move(hang));
}

}  // namespace hivewire
