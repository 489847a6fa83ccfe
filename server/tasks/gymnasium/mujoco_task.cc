#include "server/tasks/gymnasium/mujoco_task.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "server/tasks/gymnasium/element_names.h"
#include "server/tasks/gymnasium/numpy_sum.h"
#include "server/tasks/spec_builder.h"

namespace hivewire {
namespace {

constexpr int kMaxFrameSkip = 10000;

// The keys of default_camera_config. None has a default: what is not given is the env's own.
constexpr char kCameraDistance[] = "default_camera_config.distance";
constexpr char kCameraAzimuth[] = "default_camera_config.azimuth";
constexpr char kCameraElevation[] = "default_camera_config.elevation";
constexpr char kCameraLookat[] = "default_camera_config.lookat";
constexpr char kCameraBody[] = "default_camera_config.trackbodyid";

void AppendCameraOptions(std::vector<v1::OptionSpec>& options) {
  const size_t first = options.size();
  options.push_back(DoubleOption(kCameraDistance, 0, "Of the default view, m."));
  options.back().set_minimum(0);
  options.push_back(DoubleOption(kCameraAzimuth, 0, "Of the default view, degrees."));
  options.push_back(DoubleOption(kCameraElevation, 0, "Of the default view, degrees."));
  options.push_back(
      DoubleListOption(kCameraLookat, {}, "Where the default view looks: x, y, z, m."));
  options.push_back(IntOption(kCameraBody, 0, "Number of the body that the default view follows."));
  options.back().set_minimum(0);
  for (size_t k = first; k < options.size(); ++k) options[k].clear_default_value();
}

void ReadCameraOptions(const Options& options, v1::DefaultCamera& camera) {
  if (options.contains(kCameraDistance)) camera.set_distance(GetDouble(options, kCameraDistance));
  if (options.contains(kCameraAzimuth)) camera.set_azimuth(GetDouble(options, kCameraAzimuth));
  if (options.contains(kCameraElevation))
    camera.set_elevation(GetDouble(options, kCameraElevation));
  if (options.contains(kCameraLookat)) {
    for (const double coordinate : GetDoubleList(options, kCameraLookat))
      camera.add_lookat(coordinate);
  }
  if (options.contains(kCameraBody))
    camera.set_track_body(static_cast<int32_t>(GetInt(options, kCameraBody)));
}

absl::Status BadModel(const Model& model, absl::string_view what) {
  return MakeError(
      v1::ERROR_REASON_BAD_OPTION,
      absl::StrCat("option xml_file = \"", model.name(), "\" does not fit this env: ", what),
      "options.xml_file", model.name());
}

// The box of the controls. The original's bounds are float32; those of a model without limits are
// what the engine has there, 0.
v1::LeafSpec ActionLeaf(const mjModel& model) {
  std::vector<double> low, high;
  for (int actuator = 0; actuator < model.nu; ++actuator) {
    low.push_back(static_cast<float>(model.actuator_ctrlrange[2 * actuator]));
    high.push_back(static_cast<float>(model.actuator_ctrlrange[2 * actuator + 1]));
  }
  v1::LeafSpec leaf = MakeBoxLeaf("action", v1::DTYPE_FLOAT32, {model.nu}, low, high);
  for (const std::string& name : ActuatorNames(model)) leaf.add_element_names(name);
  leaf.set_doc("Controls; times the actuator's gear: N·m, or N for a slide.");
  return leaf;
}

}  // namespace

std::vector<v1::OptionSpec> MujocoOptions(absl::string_view xml_file, int frame_skip) {
  v1::OptionSpec skip = IntOption("frame_skip", frame_skip, "Steps of the engine for one action.");
  skip.set_minimum(1);
  skip.set_maximum(kMaxFrameSkip);
  std::vector<v1::OptionSpec> options = {
      StringOption("xml_file", xml_file, ModelLibrary::Names(), "The model."), skip};
  AppendCameraOptions(options);
  return options;
}

v1::OptionSpec NoiseOption(double default_value, absl::string_view doc) {
  v1::OptionSpec option = DoubleOption("reset_noise_scale", default_value, doc);
  option.set_minimum(0);
  // Twice this is still finite.
  option.set_maximum(std::numeric_limits<double>::max() / 2);
  return option;
}

v1::OptionSpec ExcludePositionsOption() {
  return BoolOption("exclude_current_positions_from_observation", true,
                    "Leave out where on the ground the body is.");
}

Interval GetInterval(const Options& options, absl::string_view name) {
  const std::vector<double> values = GetDoubleList(options, name);
  return {values[0], values[1]};
}

double OptionOr(const Options& options, absl::string_view name, double fixed) {
  return options.contains(std::string(name)) ? GetDouble(options, name) : fixed;
}

bool OptionOr(const Options& options, absl::string_view name, bool fixed) {
  return options.contains(std::string(name)) ? GetBool(options, name) : fixed;
}

Interval OptionOr(const Options& options, absl::string_view name, Interval fixed) {
  return options.contains(std::string(name)) ? GetInterval(options, name) : fixed;
}

MujocoTask::MujocoTask(const Parameters& parameters)
    : version_(parameters.version),
      model_(parameters.model),
      spec_(StartSpec(parameters.entry, parameters.class_options)) {
  const mjModel& model = *model_->get();
  const int frame_skip = static_cast<int>(GetInt(parameters.options, "frame_skip"));
  *spec_.add_action() = ActionLeaf(model);
  spec_.set_physics_dt(model.opt.timestep);
  spec_.set_frame_skip(frame_skip);
  spec_.set_control_dt(model.opt.timestep * frame_skip);
  spec_.set_render_fps(std::nearbyint(1 / spec_.control_dt()));
  spec_.set_renders(true);
  spec_.set_engine(absl::StrCat("mujoco-", mj_versionString()));
  ReadCameraOptions(parameters.options, *spec_.mutable_default_camera());
  for (int camera = 0; camera < model.ncam; ++camera) {
    const char* name = mj_id2name(&model, mjOBJ_CAMERA, camera);
    if (name != nullptr && *name != '\0') spec_.add_cameras(name);
  }
}

absl::Status MujocoTask::Reset(TaskContext& context, const Options& options,
                               LeafPointers info) const {
  const auto resolved = ResolveOptions({}, options);
  if (!resolved.ok()) return resolved.status();
  DrawStart(context);
  context.simulation->Forward();
  Begin(context, is_v4() ? LeafPointers(no_info_) : info);
  return absl::OkStatus();
}

void MujocoTask::Begin(TaskContext&, LeafPointers) const {}

void MujocoTask::OnPropertiesSet(TaskContext& context) const {
  const std::vector<double*> nobody(static_cast<size_t>(spec_.info_size()), nullptr);
  Begin(context, nobody);
}

void MujocoTask::Act(TaskContext& context, const Action& action) const {
  std::copy(action.values.begin(), action.values.end(), context.simulation->data()->ctrl);
}

void MujocoTask::SetObservation(const Elements& elements) {
  v1::LeafSpec& leaf = *spec_.add_observation();
  leaf = MakeLeaf("observation", v1::DTYPE_FLOAT64, {static_cast<int64_t>(elements.size())});
  for (const Element& element : elements) {
    leaf.add_element_names(element.name);
    leaf.add_element_units(element.unit);
  }
}

void MujocoTask::AddInfo(absl::string_view name, absl::string_view unit, absl::string_view doc,
                         bool in_reset, const std::vector<int64_t>& shape) {
  v1::LeafSpec& leaf = *spec_.add_info();
  leaf = MakeLeaf(name, v1::DTYPE_FLOAT64, shape);
  leaf.set_unit(std::string(unit));
  leaf.set_doc(std::string(doc));
  leaf.set_in_reset(in_reset && !is_v4());
  no_info_.push_back(nullptr);
}

void MujocoTask::SetCamera(double distance) {
  v1::DefaultCamera& camera = *spec_.mutable_default_camera();
  if (!camera.has_distance()) camera.set_distance(distance);
}

void MujocoTask::SetCamera(double distance, std::optional<double> elevation, double height) {
  SetCamera(distance);
  v1::DefaultCamera& camera = *spec_.mutable_default_camera();
  if (elevation && !camera.has_elevation()) camera.set_elevation(*elevation);
  if (!camera.lookat().empty()) return;
  for (const double coordinate : {0.0, 0.0, height}) camera.add_lookat(coordinate);
}

void AddUniformNoise(NumpyRng& rng, double scale, mjtNum* values, int count) {
  for (int k = 0; k < count; ++k) values[k] += rng.Uniform(-scale, scale);
}

void AddNormalNoise(NumpyRng& rng, double scale, mjtNum* values, int count) {
  for (int k = 0; k < count; ++k) values[k] += scale * rng.StandardNormal();
}

double ControlCost(double weight, const Action& action) {
  if (action.dtype == v1::DTYPE_FLOAT32)
    return static_cast<float>(weight) * SumOfSquares<float>(action.values);
  return weight * SumOfSquares<double>(action.values);
}

double Clip(double value, Interval range) {
  return std::min(std::max(value, range.low), range.high);
}

void Put(LeafPointers leaves, int leaf, double value) {
  if (leaves[leaf] != nullptr) *leaves[leaf] = value;
}

absl::Status NeedCoordinates(const Model& model, int positions, int velocities) {
  if (model->nq >= positions && model->nv >= velocities) return absl::OkStatus();
  return BadModel(
      model, absl::StrCat("it has ", model->nq, " positions and ", model->nv,
                          " velocities; at least ", positions, " and ", velocities, " are needed"));
}

absl::Status NeedPart(const Model& model, mjtObj type, const char* name) {
  if (mj_name2id(model.get(), type, name) >= 0) return absl::OkStatus();
  return BadModel(model, absl::StrCat("it has no ", mju_type2Str(type), " \"", name, "\""));
}

absl::Status CheckLists(absl::Span<const v1::OptionSpec> specs, const Options& options) {
  for (const v1::OptionSpec& spec : specs) {
    const auto option = options.find(spec.name());
    if (spec.type() != v1::VALUE_TYPE_DOUBLE_LIST || option == options.end()) continue;
    const bool is_point = spec.name() == kCameraLookat;
    if (option->second.double_list().values_size() == (is_point ? 3 : 2)) continue;
    const std::string text = FormatValue(option->second);
    return MakeError(v1::ERROR_REASON_BAD_OPTION,
                     absl::StrCat("option ", spec.name(), " = ", text, " is not ",
                                  is_point ? "three numbers: x, y and z"
                                           : "two numbers, the lower and the upper bound"),
                     absl::StrCat("options.", spec.name()), text);
  }
  return absl::OkStatus();
}

absl::Status CheckCamera(const Model& model, const Options& options) {
  if (!options.contains(kCameraBody)) return absl::OkStatus();
  const int64_t body = GetInt(options, kCameraBody);
  if (body < model->nbody) return absl::OkStatus();
  return MakeError(v1::ERROR_REASON_BAD_OPTION,
                   absl::StrCat("option ", kCameraBody, " = ", body, " is no body of ",
                                model.name(), ", 0 … ", model->nbody - 1),
                   absl::StrCat("options.", kCameraBody), absl::StrCat(body));
}

}  // namespace hivewire
