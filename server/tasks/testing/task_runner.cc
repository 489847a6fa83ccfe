#include "server/tasks/testing/task_runner.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace hivewire {
namespace {

using LeafSpecs = google::protobuf::RepeatedPtrField<v1::LeafSpec>;

std::vector<std::vector<double>> BuffersFor(const LeafSpecs& leaves) {
  std::vector<std::vector<double>> buffers;
  for (const v1::LeafSpec& leaf : leaves) {
    size_t elements = 1;
    for (const int64_t dimension : leaf.shape()) elements *= dimension;
    // What a task does not write shows.
    buffers.emplace_back(elements, std::numeric_limits<double>::quiet_NaN());
  }
  return buffers;
}

std::vector<double*> PointersTo(std::vector<std::vector<double>>& buffers) {
  std::vector<double*> pointers;
  for (std::vector<double>& buffer : buffers) pointers.push_back(buffer.data());
  return pointers;
}

std::vector<double> LeafNamed(const std::string& name, const LeafSpecs& leaves,
                              const std::vector<std::vector<double>>& buffers) {
  for (int i = 0; i < leaves.size(); ++i) {
    if (leaves[i].name() == name) return buffers[i];
  }
  ADD_FAILURE() << "the spec has no leaf " << name;
  return {};
}

}  // namespace

TaskRunner::TaskRunner(std::shared_ptr<const Task> task)
    : task_(std::move(task)),
      state_(task_->state_size()),
      observation_(BuffersFor(task_->spec().observation())),
      info_(BuffersFor(task_->spec().info())),
      observation_leaves_(PointersTo(observation_)),
      info_leaves_(PointersTo(info_)) {
  if (task_->model() != nullptr) {
    simulation_ = Simulation::Create(task_->model()).value();
    row_.resize(task_->model()->state_size());
  }
}

absl::Status TaskRunner::Reset(uint64_t seed, const Options& options) {
  rng_ = NumpyRng(seed);
  task_->OnSeeded(rng_);
  return ResetOn(options);
}

absl::Status TaskRunner::ResetOn(const Options& options) {
  if (simulation_ != nullptr) {
    if (task_->edits_model()) simulation_->UseEdited(task_);
    simulation_->Reset();
  }
  TaskContext context = Context();
  const absl::Status status = task_->Reset(context, options, absl::MakeSpan(info_leaves_));
  if (!status.ok()) return status;
  task_->Observe(context, absl::MakeSpan(observation_leaves_));
  Save();
  return absl::OkStatus();
}

Outcome TaskRunner::Step(const std::vector<double>& action, v1::DType dtype) {
  Load();
  TaskContext context = Context();
  const Action sent{action, dtype};
  task_->Act(context, sent);
  task_->Advance(context);
  const Outcome outcome = task_->Evaluate(context, sent, absl::MakeSpan(info_leaves_));
  task_->Observe(context, absl::MakeSpan(observation_leaves_));
  Save();
  return outcome;
}

std::vector<double> TaskRunner::observation(const std::string& name) const {
  return LeafNamed(name, task_->spec().observation(), observation_);
}

std::vector<double> TaskRunner::info(const std::string& name) const {
  return LeafNamed(name, task_->spec().info(), info_);
}

TaskContext TaskRunner::Context() { return {simulation_.get(), absl::MakeSpan(state_), &rng_}; }

void TaskRunner::Load() {
  if (simulation_ == nullptr) return;
  if (task_->edits_model()) task_->EditModel(state_, simulation_->UseEdited(task_));
  simulation_->Load(row_);
}

void TaskRunner::Save() {
  if (simulation_ != nullptr) simulation_->Save(absl::MakeSpan(row_));
}

}  // namespace hivewire
