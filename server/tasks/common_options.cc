#include "server/tasks/common_options.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/layout.h"
#include "server/tasks/observation_mask.h"

namespace hivewire {
namespace {

constexpr char kMask[] = "observation_mask";
constexpr char kRepeat[] = "action_repeat";
constexpr char kLimit[] = "max_episode_steps";
constexpr int kMaxRepeat = 10000;

class ModifiedTask : public Task {
 public:
  ModifiedTask(std::shared_ptr<const Task> task, std::vector<std::vector<size_t>> kept, int repeat)
      : task_(std::move(task)), kept_(std::move(kept)), repeat_(repeat), spec_(task_->spec()) {
    spec_.clear_observation();
    for (size_t leaf = 0; leaf < kept_.size(); ++leaf) {
      const v1::LeafSpec& whole = task_->spec().observation(static_cast<int>(leaf));
      elements_.push_back(NumElements(whole.shape()));
      if (kept_[leaf].empty()) continue;
      *spec_.add_observation() = IsWhole(leaf) ? whole : PickElements(whole, kept_[leaf]);
    }
    spec_.set_frame_skip(spec_.frame_skip() * repeat_);
    spec_.set_control_dt(spec_.control_dt() * repeat_);
    spec_.set_render_fps(spec_.render_fps() / repeat_);
    // The sum over fewer steps, where the task terminates, may be nearer to 0.
    if (spec_.reward_low() < 0) spec_.set_reward_low(spec_.reward_low() * repeat_);
    if (spec_.reward_high() > 0) spec_.set_reward_high(spec_.reward_high() * repeat_);
    spec_.set_max_episode_steps((spec_.max_episode_steps() + repeat_ - 1) / repeat_);
  }

  void set_max_episode_steps(int limit) { spec_.set_max_episode_steps(limit); }

  const v1::EnvSpec& spec() const override { return spec_; }
  std::shared_ptr<const Model> model() const override { return task_->model(); }
  int state_size() const override { return task_->state_size(); }
  bool edits_model() const override { return task_->edits_model(); }
  void EditModel(absl::Span<const double> state, mjModel& model) const override {
    task_->EditModel(state, model);
  }
  void OnSeeded(NumpyRng& rng) const override { task_->OnSeeded(rng); }
  std::vector<StateProperty> state_properties() const override { return task_->state_properties(); }
  void OnPropertiesSet(TaskContext& context) const override { task_->OnPropertiesSet(context); }

  // Where the leaves lie that are left. An image is left whole or not at all (ApplyCommonOptions).
  std::vector<ImageLeaf> image_leaves() const override {
    std::vector<ImageLeaf> images = task_->image_leaves();
    images.erase(std::remove_if(images.begin(), images.end(),
                                [&](const ImageLeaf& image) { return kept_[image.leaf].empty(); }),
                 images.end());
    for (ImageLeaf& image : images) {
      image.leaf -= static_cast<size_t>(
          std::count_if(kept_.begin(), kept_.begin() + static_cast<ptrdiff_t>(image.leaf),
                        [](const std::vector<size_t>& kept) { return kept.empty(); }));
    }
    return images;
  }

  absl::Status Reset(TaskContext& context, const Options& options,
                     LeafPointers info) const override {
    return task_->Reset(context, options, info);
  }

  void Act(TaskContext& context, const Action& action) const override {
    task_->Act(context, action);
  }

  void Advance(TaskContext& context) const override { task_->Advance(context); }

  // What comes between two evaluations of the task belongs to the step, too.
  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const override {
    Outcome sum = task_->Evaluate(context, action, info);
    for (int k = 1; k < repeat_ && !sum.terminated; ++k) {
      task_->Act(context, action);
      task_->Advance(context);
      const Outcome outcome = task_->Evaluate(context, action, info);
      sum.reward += outcome.reward;
      sum.terminated = outcome.terminated;
    }
    return sum;
  }

  void Observe(TaskContext& context, LeafPointers observation) const override {
    // Whole leaves of the task go where they are wanted, others here first. Kept by the thread, so
    // that a step allocates nothing.
    thread_local std::vector<double> scratch;
    thread_local std::vector<double*> pointers;
    size_t needed = 0;
    for (size_t leaf = 0; leaf < elements_.size(); ++leaf)
      if (!kept_[leaf].empty() && !IsWhole(leaf)) needed += elements_[leaf];
    scratch.resize(std::max(scratch.size(), needed));
    pointers.assign(elements_.size(), nullptr);
    double* next = scratch.data();
    size_t own = 0;
    for (size_t leaf = 0; leaf < elements_.size(); ++leaf) {
      if (kept_[leaf].empty()) continue;
      double* wanted = observation[own++];
      if (wanted == nullptr) continue;
      pointers[leaf] = IsWhole(leaf) ? wanted : next;
      if (!IsWhole(leaf)) next += elements_[leaf];
    }
    task_->Observe(context, pointers);
    own = 0;
    for (size_t leaf = 0; leaf < elements_.size(); ++leaf) {
      if (kept_[leaf].empty()) continue;
      double* out = observation[own++];
      if (out == nullptr || IsWhole(leaf)) continue;
      for (const size_t element : kept_[leaf]) *out++ = pointers[leaf][element];
    }
  }

 private:
  bool IsWhole(size_t leaf) const { return kept_[leaf].size() == elements_[leaf]; }

  const std::shared_ptr<const Task> task_;
  const std::vector<std::vector<size_t>> kept_;  // by leaf of the task
  const int repeat_;
  std::vector<size_t> elements_;  // of each leaf of the task
  v1::EnvSpec spec_;
};

}  // namespace

std::vector<v1::OptionSpec> CommonOptions() {
  v1::OptionSpec mask;
  mask.set_name(kMask);
  mask.set_type(v1::VALUE_TYPE_STRING_LIST);
  mask.mutable_default_value()->mutable_string_list();
  mask.set_doc(
      "What to leave out of the observation: names of leaves or elements (* stands for any text, "
      "as in *velocity*), or elements by number: 3, 3:7, LEAF[3], LEAF[3:7].");
  v1::OptionSpec repeat =
      IntOption(kRepeat, 1, "Steps of the env for one action; their rewards are added up.");
  repeat.set_minimum(1);
  repeat.set_maximum(kMaxRepeat);
  v1::OptionSpec limit = IntOption(kLimit, 0,
                                   "Actions after which an episode is truncated, 0 for never. Not "
                                   "set: the env's own limit, divided by action_repeat.");
  limit.clear_default_value();
  limit.set_minimum(0);
  limit.set_maximum(std::numeric_limits<int32_t>::max());
  return {mask, repeat, limit};
}

absl::StatusOr<std::shared_ptr<const Task>> ApplyCommonOptions(std::shared_ptr<const Task> task,
                                                               const Options& options) {
  const auto limit = options.find(kLimit);
  const auto& items = options.at(kMask).string_list().values();
  const int64_t repeat = GetInt(options, kRepeat);
  if (items.empty() && repeat == 1 && limit == options.end()) return task;
  auto kept = ApplyObservationMask(std::vector<std::string>(items.begin(), items.end()),
                                   task->spec().observation());
  if (!kept.ok()) return kept.status();
  for (const ImageLeaf& image : task->image_leaves()) {
    const v1::LeafSpec& leaf = task->spec().observation(static_cast<int>(image.leaf));
    const size_t left = (*kept)[image.leaf].size();
    if (left == 0 || left == NumElements(leaf.shape())) continue;
    return MakeError(v1::ERROR_REASON_BAD_OPTION,
                     absl::StrCat("option ", kMask, ": \"", leaf.name(),
                                  "\" is an image, which is left out as a whole or not at all"),
                     absl::StrCat("options.", kMask), leaf.name());
  }
  auto modified =
      std::make_shared<ModifiedTask>(std::move(task), *std::move(kept), static_cast<int>(repeat));
  if (limit != options.end())
    modified->set_max_episode_steps(static_cast<int>(limit->second.int_value()));
  return modified;
}

}  // namespace hivewire
