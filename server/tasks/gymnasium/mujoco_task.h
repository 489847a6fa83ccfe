// What the envs of the suite have in common: how an episode starts, how an action becomes engine
// steps, and what a spec says of them.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_MUJOCO_TASK_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_MUJOCO_TASK_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/tasks/gymnasium/element_names.h"
#include "server/tasks/gymnasium/model_library.h"
#include "server/tasks/gymnasium/suite_version.h"
#include "server/tasks/registry.h"

namespace hivewire {

// Options that every class of the suite has: xml_file, frame_skip and default_camera_config.
std::vector<v1::OptionSpec> MujocoOptions(absl::string_view xml_file, int frame_skip);
// reset_noise_scale, in [0, half the largest double].
v1::OptionSpec NoiseOption(double default_value, absl::string_view doc);
v1::OptionSpec ExcludePositionsOption();

// An option of two numbers.
struct Interval {
  double low, high;
};
Interval GetInterval(const Options& options, absl::string_view name);

// The value of an option, or `fixed` where this version of the env has no such option.
double OptionOr(const Options& options, absl::string_view name, double fixed);
bool OptionOr(const Options& options, absl::string_view name, bool fixed);
Interval OptionOr(const Options& options, absl::string_view name, Interval fixed);

class MujocoTask : public Task {
 public:
  // What a task is made from.
  struct Parameters {
    SuiteVersion version;
    const v1::EnvEntry& entry;
    absl::Span<const v1::OptionSpec> class_options;
    const Options& options;  // resolved
    std::shared_ptr<const Model> model;
  };

  const v1::EnvSpec& spec() const final { return spec_; }
  std::shared_ptr<const Model> model() const final { return model_; }

  // Takes no options.
  absl::Status Reset(TaskContext& context, const Options& options, LeafPointers info) const final;
  // The action is the controls; the engine clips them.
  void Act(TaskContext& context, const Action& action) const final;
  // As Begin does.
  void OnPropertiesSet(TaskContext& context) const final;

 protected:
  explicit MujocoTask(const Parameters& parameters);

  // Moves qpos and qvel, which hold the model's reference state, to the start of an episode.
  virtual void DrawStart(TaskContext& context) const = 0;

  // After the engine computed the derived fields of that: sets task state and the info leaves of a
  // reset, which in v4 nobody wants.
  virtual void Begin(TaskContext& context, LeafPointers info) const;

  // Additions to the spec. The observation is one leaf; all leaves are float64.
  void SetObservation(const Elements& elements);
  // In v4 no leaf is set by a reset.
  void AddInfo(absl::string_view name, absl::string_view unit, absl::string_view doc,
               bool in_reset = false, const std::vector<int64_t>& shape = {});
  // The original's default view, m. What default_camera_config says goes before it. (Some originals
  // name a body to follow too, which has no effect: the view stays where it is.)
  void SetCamera(double distance);
  void SetCamera(double distance, std::optional<double> elevation, double height);

  bool is_v4() const { return version_ == SuiteVersion::kV4; }

  // s between two actions.
  double dt() const { return spec_.control_dt(); }

 private:
  SuiteVersion version_;
  std::shared_ptr<const Model> model_;
  v1::EnvSpec spec_;
  std::vector<double*> no_info_;  // a null for each leaf
};

// Adds uniform(−scale, scale) to each element.
void AddUniformNoise(NumpyRng& rng, double scale, mjtNum* values, int count);
// Adds scale · standard_normal() to each element.
void AddNormalNoise(NumpyRng& rng, double scale, mjtNum* values, int count);

// weight · Σ action², in float32 for an action that was sent so.
double ControlCost(double weight, const Action& action);

// np.clip(value, low, high); NaN stays NaN.
double Clip(double value, Interval range);

// Sets a leaf, if somebody wants it.
void Put(LeafPointers leaves, int leaf, double value);

// OK if the model has at least so many coordinates; else BAD_OPTION, blaming xml_file.
absl::Status NeedCoordinates(const Model& model, int positions, int velocities);
// OK if the model has such a part; else BAD_OPTION, blaming xml_file.
absl::Status NeedPart(const Model& model, mjtObj type, const char* name);

// OK if every option that is a list holds as many numbers as it should, and the camera follows a
// body of the model.
absl::Status CheckLists(absl::Span<const v1::OptionSpec> specs, const Options& options);
absl::Status CheckCamera(const Model& model, const Options& options);

// The class of a task T ("gymnasium.Ant", "gymnasium.Ant-v4"), which has T(const Parameters&) and
//   static absl::Status T::Check(const Model& model, const Options& options);
// that says whether it can be made of a model.
template <typename T>
TaskClass MakeMujocoClass(absl::string_view name, SuiteVersion version,
                          const std::vector<v1::OptionSpec>& specs,
                          std::shared_ptr<ModelLibrary> library) {
  return {.name = absl::StrCat("gymnasium.", name, version == SuiteVersion::kV4 ? "-v4" : ""),
          .options = specs,
          .make = [version, specs, library](const v1::EnvEntry& entry, const Options& options)
              -> absl::StatusOr<std::shared_ptr<const Task>> {
            absl::Status status = CheckLists(specs, options);
            if (!status.ok()) return status;
            auto model = library->Get(GetString(options, "xml_file"));
            if (!model.ok()) return model.status();
            status = CheckCamera(**model, options);
            if (status.ok()) status = T::Check(**model, options);
            if (!status.ok()) return status;
            return std::make_shared<const T>(
                MujocoTask::Parameters{version, entry, specs, options, *std::move(model)});
          }};
}

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_MUJOCO_TASK_H_
