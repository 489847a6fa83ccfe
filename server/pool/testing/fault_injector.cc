#include "server/pool/testing/fault_injector.h"

#include <mujoco/mujoco.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace hivewire {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class FaultInjector final : public Task {
 public:
  explicit FaultInjector(std::shared_ptr<const Task> task) : task_(std::move(task)) {}

  const v1::EnvSpec& spec() const override { return task_->spec(); }
  std::shared_ptr<const Model> model() const override { return task_->model(); }
  int state_size() const override { return task_->state_size(); }

  absl::Status Reset(TaskContext& context, const Options& options,
                     LeafPointers info) const override {
    return task_->Reset(context, options, info);
  }

  void Act(TaskContext& context, const Action& action) const override {
    const double fault = action.values[0];
    task_->Act(context, action);
    if (fault < kFirstFault) return;
    Simulation& simulation = *context.simulation;
    mjData* data = simulation.data();
    data->ctrl[0] = 0;
    simulation.Step(1);
    if (fault == 1001) throw std::runtime_error("injected");
    if (fault == 1002) data->qpos[1] = kNaN;
    if (fault == 1004) mju_error("injected");
    if (fault == 1005) {
      std::fill_n(data->qvel, simulation.model()->nv, 1e9);
      std::fill_n(data->ctrl, simulation.model()->nu, 1e9);
      throw std::runtime_error("injected");
    }
  }

  void Advance(TaskContext& context) const override { task_->Advance(context); }

  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override {
    Outcome outcome = task_->Evaluate(context, action, info);
    if (action.values[0] == 1003) outcome.reward = kNaN;
    return outcome;
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    task_->Observe(context, observation);
  }

 private:
  const std::shared_ptr<const Task> task_;
};

}  // namespace

std::shared_ptr<const Task> InjectFaults(std::shared_ptr<const Task> task) {
  return std::make_shared<FaultInjector>(std::move(task));
}

}  // namespace hivewire
