#include "server/tasks/composed/composed_task.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/nearest.h"
#include "server/tasks/composed/model_names.h"
#include "server/tasks/spec_builder.h"
#include "server/tasks/visual_keys.h"

namespace hivewire {
namespace {

// Terms are leaves, so each needs a name of its own.
template <typename Terms>
absl::Status CheckNames(const Terms& terms, absl::string_view field) {
  absl::flat_hash_set<std::string> names;
  for (int i = 0; i < terms.size(); ++i) {
    const std::string name_field = absl::StrCat(field, "[", i, "].name");
    if (terms[i].name().empty()) return FieldError(name_field, "is empty");
    if (!names.insert(terms[i].name()).second)
      return FieldError(name_field, absl::StrCat("\"", terms[i].name(), "\" is taken"));
  }
  return absl::OkStatus();
}

std::vector<int64_t> ShapeOf(const Quantity& quantity) {
  if (quantity.size() == 1 && quantity.element_names().empty()) return {};
  return {quantity.size()};
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Task>> ComposedTask::Make(const v1::EnvEntry& entry,
                                                               const Libraries& libraries) {
  // make_shared cannot reach the constructor.
  std::shared_ptr<ComposedTask> task(new ComposedTask);
  const absl::Status status = task->Compile(entry, libraries);
  if (!status.ok()) return status;
  return task;
}

absl::Status ComposedTask::CompileModel(const v1::ComposedEnv& env, RoboHiveLibrary& models) {
  if (env.model().empty() == env.robohive_model().empty())
    return FieldError("composed.model", "is needed, or else composed.robohive_model");
  const bool own = !env.model().empty();
  auto model = own ? Model::FromFile(env.model()) : models.Get(env.robohive_model(), {});
  if (!model.ok())
    return FieldError(own ? "composed.model" : "composed.robohive_model", model.status().message());
  model_ = *std::move(model);
  return absl::OkStatus();
}

absl::Status ComposedTask::CompileAction(const v1::Controls& action, const RobotLibrary& robots) {
  auto controls = ControlMap::Compile(action, model_->get(), "composed.action");
  if (!controls.ok()) return controls.status();
  controls_ = *std::move(controls);
  *spec_.add_action() = controls_.leaf();
  if (!action.has_robot()) return absl::OkStatus();
  if (!action.actuator().empty())
    return FieldError("composed.action.actuator", "a robot takes actions of all actuators");
  const v1::RobotLayer& layer = action.robot();
  const v1::RobotConfig* limits = layer.has_limits() ? &layer.limits() : nullptr;
  if (!layer.name().empty()) {
    if (layer.has_limits())
      return FieldError("composed.action.robot.name", "stands beside limits; give one of the two");
    limits = robots.Find(layer.name());
    if (limits == nullptr) {
      return FieldError("composed.action.robot.name",
                        absl::StrCat("\"", layer.name(), "\" is no robot",
                                     NearestHint(layer.name(), RobotLibrary::Names())));
    }
  }
  if (!(layer.noise_scale() >= 0))
    return FieldError("composed.action.robot.noise_scale",
                      absl::StrCat(layer.noise_scale(), " is below 0"));
  auto robot =
      Robot::Create(limits, *model_->get(), spec_.control_dt(),
                    {.velocity_mode = layer.velocity(), .noise_scale = layer.noise_scale()});
  if (!robot.ok()) return FieldError("composed.action.robot", robot.status().message());
  robot_ = *std::move(robot);
  v1::LeafSpec& leaf = *spec_.mutable_action(0);
  leaf.clear_low();
  leaf.clear_high();
  leaf.add_low(-1);
  leaf.add_high(1);
  return absl::OkStatus();
}

absl::Status ComposedTask::Compile(const v1::EnvEntry& entry, const Libraries& libraries) {
  const v1::ComposedEnv& env = entry.composed();
  if (env.frame_skip() < 0)
    return FieldError("composed.frame_skip", absl::StrCat(env.frame_skip(), " is below 1"));
  absl::Status status = CompileModel(env, *libraries.models);
  if (!status.ok()) return status;
  auto start = StartState::Compile(env.start(), model_->get(), "composed.start");
  if (!start.ok()) return start.status();
  start_ = *std::move(start);

  spec_ = StartSpec(entry, {});
  spec_.set_engine(absl::StrCat("mujoco-", mj_versionString()));
  spec_.set_frame_skip(std::max(1, env.frame_skip()));
  spec_.set_physics_dt(model_->get()->opt.timestep);
  spec_.set_control_dt(spec_.physics_dt() * spec_.frame_skip());
  spec_.set_render_fps(1 / spec_.control_dt());

  status = CompileAction(env.action(), *libraries.robots);
  if (!status.ok()) return status;
  const Setting setting = {model_->get(), controls_.names()};
  status = CompileObservation(env, setting);
  if (status.ok()) status = CompileReward(env, setting);
  if (status.ok()) status = CompileTermination(env, setting);
  if (status.ok()) status = CompileInfo(env, setting);
  if (status.ok()) status = CompileCameras(env);
  if (!status.ok()) return status;
  const std::vector<std::string> keys(env.visual_key().begin(), env.visual_key().end());
  auto images =
      AddVisualLeaves(keys, env.fast_images(), *model_->get(), "composed.visual_key", spec_);
  if (!images.ok()) return FieldError("composed.visual_key", images.status().message());
  images_ = *std::move(images);
  return absl::OkStatus();
}

absl::Status ComposedTask::CompileObservation(const v1::ComposedEnv& env, const Setting& setting) {
  constexpr char kField[] = "composed.observation";
  if (env.observation().empty()) return FieldError(kField, "at least one term is needed");
  const absl::Status status = CheckNames(env.observation(), kField);
  if (!status.ok()) return status;
  v1::LeafSpec flat = MakeLeaf("observation", v1::DTYPE_FLOAT64, {});
  int flat_size = 0;
  for (int i = 0; i < env.observation_size(); ++i) {
    const v1::Term& term = env.observation(i);
    auto quantity = CompileTerm(term.value(), setting, absl::StrCat(kField, "[", i, "].value"));
    if (!quantity.ok()) return quantity.status();
    const std::vector<std::string>& names = quantity->element_names();
    if (env.flat_observation()) {
      for (int k = 0; k < quantity->size(); ++k)
        flat.add_element_names(
            names.empty() && quantity->size() == 1
                ? term.name()
                : absl::StrCat(term.name(), ".", names.empty() ? absl::StrCat(k) : names[k]));
      observation_.push_back({*quantity, 0, flat_size});
      flat_size += quantity->size();
    } else {
      v1::LeafSpec leaf = MakeLeaf(term.name(), v1::DTYPE_FLOAT64, ShapeOf(*quantity));
      leaf.mutable_element_names()->Assign(names.begin(), names.end());
      *spec_.add_observation() = std::move(leaf);
      observation_.push_back({*std::move(quantity), i, 0});
    }
  }
  if (env.flat_observation()) {
    flat.add_shape(flat_size);
    *spec_.add_observation() = std::move(flat);
  }
  return absl::OkStatus();
}

absl::Status ComposedTask::CompileReward(const v1::ComposedEnv& env, const Setting& setting) {
  const absl::Status status = CheckNames(env.reward(), "composed.reward");
  if (!status.ok()) return status;
  for (int i = 0; i < env.reward_size(); ++i) {
    const v1::RewardTerm& term = env.reward(i);
    const std::string field = absl::StrCat("composed.reward[", i, "].value");
    auto quantity = CompileTerm(term.value(), setting, field);
    if (!quantity.ok()) return quantity.status();
    if (quantity->size() != 1)
      return FieldError(field, absl::StrCat("has ", quantity->size(),
                                            " elements; a reward needs one: add a step such as "
                                            "then { apply: SUM } or then { apply: NORM }"));
    reward_.push_back({*std::move(quantity), term.has_weight() ? term.weight() : 1});
    *spec_.add_info() = MakeLeaf(absl::StrCat("reward.", term.name()), v1::DTYPE_FLOAT64, {});
  }
  return absl::OkStatus();
}

absl::Status ComposedTask::CompileTermination(const v1::ComposedEnv& env, const Setting& setting) {
  const absl::Status status = CheckNames(env.termination(), "composed.termination");
  if (!status.ok()) return status;
  for (int i = 0; i < env.termination_size(); ++i) {
    auto quantity = CompileTerm(env.termination(i).value(), setting,
                                absl::StrCat("composed.termination[", i, "].value"));
    if (!quantity.ok()) return quantity.status();
    termination_.push_back(*std::move(quantity));
  }
  return absl::OkStatus();
}

absl::Status ComposedTask::CompileInfo(const v1::ComposedEnv& env, const Setting& setting) {
  const absl::Status status = CheckNames(env.info(), "composed.info");
  if (!status.ok()) return status;
  for (int i = 0; i < env.info_size(); ++i) {
    const v1::Term& term = env.info(i);
    auto quantity =
        CompileTerm(term.value(), setting, absl::StrCat("composed.info[", i, "].value"));
    if (!quantity.ok()) return quantity.status();
    v1::LeafSpec leaf = MakeLeaf(term.name(), v1::DTYPE_FLOAT64, ShapeOf(*quantity));
    leaf.mutable_element_names()->Assign(quantity->element_names().begin(),
                                         quantity->element_names().end());
    leaf.set_in_reset(true);
    for (const v1::LeafSpec& other : spec_.info()) {
      if (other.name() == term.name())
        return FieldError(absl::StrCat("composed.info[", i, "].name"),
                          absl::StrCat("\"", term.name(), "\" is a reward's"));
    }
    info_.push_back({*std::move(quantity), spec_.info_size(), 0});
    *spec_.add_info() = std::move(leaf);
  }
  return absl::OkStatus();
}

absl::Status ComposedTask::CompileCameras(const v1::ComposedEnv& env) {
  const mjModel* model = model_->get();
  for (int i = 0; i < env.camera_size(); ++i) {
    const auto id =
        FindPart(model, mjOBJ_CAMERA, env.camera(i), absl::StrCat("composed.camera[", i, "]"));
    if (!id.ok()) return id.status();
    spec_.add_cameras(env.camera(i));
  }
  if (env.camera().empty()) {
    for (const std::string& name : NamesOfParts(model, mjOBJ_CAMERA)) spec_.add_cameras(name);
  }
  spec_.set_renders(true);
  const v1::View& view = env.view();
  v1::DefaultCamera& camera = *spec_.mutable_default_camera();
  if (!view.track_body().empty()) {
    const auto body = FindPart(model, mjOBJ_BODY, view.track_body(), "composed.view.track_body");
    if (!body.ok()) return body.status();
    camera.set_track_body(*body);
  }
  if (view.has_distance()) camera.set_distance(view.distance());
  if (view.has_azimuth()) camera.set_azimuth(view.azimuth());
  if (view.has_elevation()) camera.set_elevation(view.elevation());
  if (view.lookat_size() != 0 && view.lookat_size() != 3)
    return FieldError("composed.view.lookat",
                      absl::StrCat("has ", view.lookat_size(), " values; a point has 3"));
  *camera.mutable_lookat() = view.lookat();
  return absl::OkStatus();
}

absl::StatusOr<Quantity> ComposedTask::CompileTerm(const v1::Quantity& proto,
                                                   const Setting& setting,
                                                   absl::string_view field) {
  auto quantity = Quantity::Compile(proto, setting, field);
  if (quantity.ok()) depth_ = std::max(depth_, quantity->depth());
  return quantity;
}

Scene ComposedTask::SceneOf(const TaskContext& context) const {
  const size_t size = controls_.size();
  return {context.simulation->model(), context.simulation->data(), context.state.subspan(0, size),
          context.state.subspan(size, size)};
}

void ComposedTask::WriteInfo(const Scene& scene, LeafPointers info) const {
  for (const PlacedTerm& term : info_) {
    if (info[term.leaf] != nullptr) term.quantity.Evaluate(scene, info[term.leaf]);
  }
}

absl::Status ComposedTask::Reset(TaskContext& context, const Options& options,
                                 LeafPointers info) const {
  const auto none = ResolveOptions({}, options);
  if (!none.ok()) return none.status();
  std::fill(context.state.begin(), context.state.end(), 0.0);
  Simulation& simulation = *context.simulation;
  mjData& data = *simulation.data();
  start_.Draw(simulation.model(), &data, *context.rng,
              edits_model() ? context.state.subspan(edits_begin()) : absl::Span<double>());
  if (edits_model()) {
    context.state[edits_begin() - 1] = 1;
    EditModel(context.state, simulation.edited_model());
  }
  if (robot_.has_value()) {
    robot_->LimitStart(data.qpos, data.qvel);
    robot_->SkipReadings(Robot::kReadingsAtReset, *context.rng);
    robot_->Sense(data.qpos, data.qvel, *context.rng);
  }
  simulation.Forward();
  WriteInfo(SceneOf(context), info);
  return absl::OkStatus();
}

void ComposedTask::Act(TaskContext& context, const Action& action) const {
  const size_t size = controls_.size();
  std::copy_n(context.state.begin(), size, context.state.begin() + size);
  std::copy_n(action.values.begin(), size, context.state.begin());
  mjData& data = *context.simulation->data();
  if (robot_.has_value()) {
    robot_->Control(action, *context.simulation->model(), data.qpos, data.ctrl);
  } else {
    controls_.Apply(action.values, &data);
  }
}

void ComposedTask::Advance(TaskContext& context) const {
  context.simulation->Step(spec_.frame_skip());
  mjData& data = *context.simulation->data();
  if (robot_.has_value()) robot_->Sense(data.qpos, data.qvel, *context.rng);
  // The state is no longer that of the step, or an image shows it.
  if (robot_.has_value() || !images_.empty()) context.simulation->Place();
  Refresh(context.simulation->model(), context.simulation->data(), depth_);
}

Outcome ComposedTask::Evaluate(TaskContext& context, const Action&, LeafPointers info) const {
  const Scene scene = SceneOf(context);
  Outcome outcome;
  for (size_t i = 0; i < reward_.size(); ++i) {
    const double product = reward_[i].weight * reward_[i].quantity.Value(scene);
    outcome.reward += product;
    if (info[i] != nullptr) *info[i] = product;
  }
  outcome.terminated = std::any_of(termination_.begin(), termination_.end(),
                                   [&](const Quantity& term) { return term.Holds(scene); });
  WriteInfo(scene, info);
  return outcome;
}

void ComposedTask::EditModel(absl::Span<const double> state, mjModel& model) const {
  if (state[edits_begin() - 1] == 0) return;  // an env that was never reset
  start_.EditModel(state.subspan(edits_begin()), model);
}

void ComposedTask::OnSeeded(NumpyRng& rng) const {
  // When RoboHive makes the robot, and in the step that it then takes.
  if (robot_.has_value()) robot_->SkipReadings(Robot::kReadingsAtReset + 1, rng);
}

void ComposedTask::Observe(TaskContext& context, LeafPointers observation) const {
  const Scene scene = SceneOf(context);
  for (const PlacedTerm& term : observation_) {
    double* leaf = observation[term.leaf];
    if (leaf != nullptr) term.quantity.Evaluate(scene, leaf + term.offset);
  }
}

}  // namespace hivewire
