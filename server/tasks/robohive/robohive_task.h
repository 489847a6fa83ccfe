// What the envs of the suite have in common: the robot between action and engine, observations and
// rewards as dicts of named entries, and what an env changes of its model.
//
// One step: the robot turns the action into controls, the engine steps, sensors are read and
// written back, the engine computes everything from that, and the class measures its dict of
// observations. A class is its dicts, how an episode starts, and what is rewarded; the rest is
// here.
//
// RoboHive's peculiarities are options named "quirk.…", on by default: then trajectories are those
// of robohive 0.7.0 to the last bit.
#ifndef HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOHIVE_TASK_H_
#define HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOHIVE_TASK_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/tasks/registry.h"
#include "server/tasks/robohive/model_library.h"
#include "server/tasks/robohive/model_parts.h"
#include "server/tasks/robohive/robot.h"
#include "server/tasks/robohive/robot_library.h"

namespace hivewire {

// What a class gives its options for defaults.
struct RoboHiveDefaults {
  std::string name = {};  // "robohive.Reach"
  std::string model = {};
  std::string robot = {};  // empty for one without limits
  bool velocity_mode = false;
  int frame_skip = 40;
  std::vector<std::string> obs_keys = {}, proprio_keys = {};
  // What is added up to the reward, in this order.
  std::vector<std::pair<std::string, double>> weights = {};
  // Of the class alone.
  std::vector<v1::OptionSpec> options = {};
};

std::vector<v1::OptionSpec> RoboHiveOptions(const RoboHiveDefaults& defaults);

class RoboHiveTask : public Task {
 public:
  // What a task is made from.
  struct Parameters {
    const v1::EnvEntry& entry;
    const RoboHiveDefaults& defaults;
    absl::Span<const v1::OptionSpec> class_options;
    const Options& options;  // resolved
    std::shared_ptr<const Model> model;
    const RobotLibrary& robots;
  };

  const v1::EnvSpec& spec() const final { return spec_; }
  std::shared_ptr<const Model> model() const final { return model_; }
  int state_size() const final { return obs_begin_ + obs_size_; }

  // Takes no options.
  absl::Status Reset(TaskContext& context, const Options& options, LeafPointers info) const final;
  void Act(TaskContext& context, const Action& action) const final;
  void Advance(TaskContext& context) const final;
  Outcome Evaluate(TaskContext& context, const Action& action, LeafPointers info) const final;
  void Observe(TaskContext& context, LeafPointers observation) const final;
  std::vector<ImageLeaf> image_leaves() const final { return images_; }

  bool edits_model() const final { return !edits_.empty(); }
  void EditModel(absl::Span<const double> state, mjModel& model) const final;
  void OnSeeded(NumpyRng& rng) const final;
  std::vector<StateProperty> state_properties() const final;
  void OnPropertiesSet(TaskContext& context) const final;

  // The rest of making a task, once its class has said what it is made of. BAD_OPTION for an option
  // that names what is not there.
  absl::Status Finish(const Parameters& parameters);

 protected:
  // A lane's env, while a class works on it. The last three are where the class said that it keeps
  // edits, numbers of its own, and its dict of observations.
  struct Env {
    const mjModel& model;
    mjData& data;
    NumpyRng& rng;
    const double* last_ctrl;  // (nu)
    double* edits;
    double* own;
    double* obs;
  };

  explicit RoboHiveTask(const Parameters& parameters);

  // To be called by a class's constructor, each giving the place of the first number.
  int AddObs(const std::string& key, int size);
  int AddReward(const std::string& key);
  int AddEdit(ModelArray array, const std::string& part);
  // Of a part that may have no name; `label` stands for it where clients see it.
  int AddEdit(ModelArray array, int row, const std::string& label);
  int AddOwn(int size);
  // A vector of own numbers that clients may read and set.
  int AddOwnProperty(const std::string& name, int size, absl::string_view doc);

  // An option that must be a list of so many numbers.
  std::vector<double> Numbers(absl::string_view option, size_t count);
  // Whether an option named "quirk.<name>" is on.
  bool Quirk(absl::string_view name) const;
  // RoboHive adds up some bonuses as numpy bools, which makes the sum a logical or.
  double BoolSum(std::initializer_list<bool> bonuses) const;

  // Draws what the original draws when it is made.
  virtual void DrawAtConstruction(NumpyRng&) const {}
  // Draws an episode's start. qpos and qvel are init_qpos and init_qvel; edits and own numbers as
  // the last episode left them.
  virtual void Start(Env& env) const = 0;
  // Before an action; derived fields of the engine are not those of this env.
  virtual void BeforeStep(Env&) const {}
  virtual void Measure(Env& env) const = 0;
  // All rewards but "dense", which is their weighted sum.
  virtual void Score(const double* obs, double* rewards) const = 0;

  const mjModel& engine_model() const { return *model_->get(); }
  ModelParts& parts() { return parts_; }
  const Options& options() const { return options_; }
  // Of the robot; nothing where it does not fit the model.
  std::vector<Robot::JointRange> RangesOfActuators() const {
    return robot_ ? robot_->ActuatorRanges() : std::vector<Robot::JointRange>{};
  }
  double dt() const { return dt_; }  // s between two actions

  // To be called by the constructor of a class that measures sensors or forces, too.
  void ReadsForces() { reads_forces_ = true; }

  // The state that an episode starts from, for a class to change in its constructor.
  std::vector<double> init_qpos_, init_qvel_;

 private:
  struct Entry {
    std::string key;
    int begin, size;
  };
  struct Edit {
    ModelArray array;
    int row;
    int begin;
    std::string part;
  };
  struct OwnProperty {
    std::string name;
    int begin, size;
    std::string doc;
  };
  struct Weight {
    int reward;
    double weight;
  };

  Env EnvOf(TaskContext& context) const;
  // Sensors, derived fields, observations.
  void Look(TaskContext& context, Env& env) const;
  void StepEngine(Simulation& simulation) const;
  absl::StatusOr<std::vector<Entry>> Select(absl::string_view option) const;
  absl::Status ResolveKeys();
  absl::Status FillSpec(const Parameters& parameters);
  absl::Status TakeFirstStep();
  void PutObservations(const double* obs, LeafPointers info) const;

  std::shared_ptr<const Model> model_;
  Options options_;
  ModelParts parts_;
  absl::Status status_;
  v1::EnvSpec spec_;
  std::optional<Robot> robot_;
  int num_steps_;  // of the engine for one action
  double dt_;
  bool sparse_;
  bool silent_reset_, keep_last_ctrl_;
  bool reads_forces_ = false;

  std::vector<Entry> obs_, rewards_;     // the dicts
  std::vector<Entry> vector_, proprio_;  // what is selected of the first
  std::vector<ImageLeaf> images_;
  std::vector<Weight> weights_;
  std::vector<Edit> edits_;
  std::vector<OwnProperty> own_properties_;
  int obs_size_ = 0, edits_size_ = 0, own_size_ = 0;
  // A lane's state: whether it began, last_ctrl, edits, own numbers, observations.
  int edits_begin_ = 0, own_begin_ = 0, obs_begin_ = 0;
  // Before the first reset, when the original has taken one step.
  std::vector<double> first_state_;
};

// The class of a task T, which has T(const Parameters&) and
//   static RoboHiveDefaults Defaults();
//   static ModelVariant Variant(const Options& options);
template <typename T>
TaskClass MakeRoboHiveClass(std::shared_ptr<RoboHiveLibrary> library,
                            std::shared_ptr<const RobotLibrary> robots) {
  const RoboHiveDefaults defaults = T::Defaults();
  const std::vector<v1::OptionSpec> specs = RoboHiveOptions(defaults);
  return {.name = defaults.name,
          .options = specs,
          .make = [defaults, specs, library, robots](
                      const v1::EnvEntry& entry,
                      const Options& options) -> absl::StatusOr<std::shared_ptr<const Task>> {
            auto model = library->Get(GetString(options, "model"), T::Variant(options));
            if (!model.ok()) return model.status();
            const RoboHiveTask::Parameters parameters{entry,   defaults,          specs,
                                                      options, *std::move(model), *robots};
            const auto task = std::make_shared<T>(parameters);
            const absl::Status status = task->Finish(parameters);
            if (!status.ok()) return status;
            return task;
          }};
}

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_ROBOHIVE_ROBOHIVE_TASK_H_
