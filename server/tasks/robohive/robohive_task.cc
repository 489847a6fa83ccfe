#include "server/tasks/robohive/robohive_task.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/nearest.h"
#include "server/tasks/robohive/model_text.h"
#include "server/tasks/spec_builder.h"
#include "server/tasks/visual_keys.h"

namespace hivewire {
namespace {

constexpr int kMaxFrameSkip = 10000;
// Enough for every class's dict of rewards, so that a step allocates nothing.
constexpr size_t kMaxRewards = 16;
constexpr char kWeight[] = "weight.";
constexpr char kQuirk[] = "quirk.";

v1::OptionSpec QuirkOption(absl::string_view name, absl::string_view doc) {
  return BoolOption(absl::StrCat(kQuirk, name), true, doc);
}

bool AnyWarning(const mjData& data) {
  return std::any_of(std::begin(data.warning), std::end(data.warning),
                     [](const mjWarningStat& warning) { return warning.number > 0; });
}

void Put(LeafPointers leaves, size_t leaf, const double* values, int size) {
  if (leaves[leaf] != nullptr) std::copy_n(values, size, leaves[leaf]);
}

}  // namespace

std::vector<v1::OptionSpec> RoboHiveOptions(const RoboHiveDefaults& defaults) {
  std::vector<std::string> robots = RobotLibrary::Names();
  robots.insert(robots.begin(), "");
  v1::OptionSpec skip =
      IntOption("frame_skip", defaults.frame_skip, "Steps of the engine for one action.");
  skip.set_minimum(1);
  skip.set_maximum(kMaxFrameSkip);
  v1::OptionSpec noise =
      DoubleOption("noise_scale", 0, "Noise of the robot's sensors, in units of each one's own.");
  noise.set_minimum(0);
  std::vector<v1::OptionSpec> options = {
      StringOption("model", defaults.model, RoboHiveModels(), "The model."),
      StringOption("robot", defaults.robot, robots,
                   "Whose limits hold for joints and actuators; empty for none."),
      StringOption("act_mode", defaults.velocity_mode ? "vel" : "pos", {"pos", "vel"},
                   "Whether actions are joint positions or velocities."),
      skip,
      BoolOption("normalize_act", true,
                 "Actions are in [-1, 1] and mapped to the actuators' ranges."),
      StringOption("reward_mode", "dense", {"dense", "sparse"},
                   "Which entry of rwd_dict is the reward."),
      StringListOption("obs_keys", defaults.obs_keys,
                       "Entries of obs_dict that make up the observation, in order."),
      StringListOption("proprio_keys", defaults.proprio_keys,
                       "Entries of obs_dict that make up proprio_dict."),
      noise,
      QuirkOption("sensor_clamp",
                  "What sensors read, clipped to their ranges, is written into the state."),
      QuirkOption("construction_step",
                  "An env was stepped once, with a zero action, before its first reset."),
      QuirkOption("float32_controls",
                  "A configured robot rounds controls to float32 where actions are float32."),
      QuirkOption("raw_unconfigured_actuators",
                  "Actuators that the robot's limits do not name get the action itself."),
      QuirkOption("keep_last_ctrl", "A reset leaves the last controls as an observation."),
      QuirkOption("silent_reset",
                  "After a warning of the engine the state is reset and the episode goes on; "
                  "otherwise the lane fails."),
      QuirkOption("bool_sum", "Bonuses that the original adds up as bools are 0 or 1 together."),
  };
  for (v1::OptionSpec& visual : VisualOptions({})) options.push_back(std::move(visual));
  for (const auto& [key, weight] : defaults.weights) {
    options.push_back(DoubleOption(absl::StrCat(kWeight, key), weight,
                                   absl::StrCat("Weight of rwd_dict.", key, " in the reward.")));
  }
  options.insert(options.end(), defaults.options.begin(), defaults.options.end());
  return options;
}

RoboHiveTask::RoboHiveTask(const Parameters& parameters)
    : model_(parameters.model),
      options_(parameters.options),
      parts_(parameters.model),
      sparse_(GetString(options_, "reward_mode") == "sparse"),
      silent_reset_(Quirk("silent_reset")),
      keep_last_ctrl_(Quirk("keep_last_ctrl")) {
  const mjModel& model = engine_model();
  dt_ = model.opt.timestep * static_cast<double>(GetInt(options_, "frame_skip"));
  num_steps_ = static_cast<int>(dt_ / model.opt.timestep);
  const bool normalized = GetBool(options_, "normalize_act");
  const auto robot = Robot::Create(parameters.robots.Find(GetString(options_, "robot")), model, dt_,
                                   {.velocity_mode = GetString(options_, "act_mode") == "vel",
                                    .normalized = normalized,
                                    .noise_scale = GetDouble(options_, "noise_scale"),
                                    .clamp_sensors = Quirk("sensor_clamp"),
                                    .float32_controls = Quirk("float32_controls"),
                                    .raw_unconfigured = Quirk("raw_unconfigured_actuators")});
  status_ = robot.status();
  if (robot.ok()) robot_ = *robot;
  init_qpos_.assign(model.qpos0, model.qpos0 + model.nq);
  init_qvel_.assign(static_cast<size_t>(model.nv), 0);
  // Joints that are driven start in the middle of their range.
  for (int id = 0; normalized && id < model.nu; ++id) {
    const int joint = model.actuator_trnid[2 * id];
    if (model.actuator_trntype[id] != mjTRN_JOINT) continue;
    if (model.jnt_type[joint] != mjJNT_HINGE && model.jnt_type[joint] != mjJNT_SLIDE) continue;
    init_qpos_[static_cast<size_t>(model.jnt_qposadr[joint])] =
        (model.jnt_range[2 * joint] + model.jnt_range[2 * joint + 1]) / 2;
  }
}

int RoboHiveTask::AddObs(const std::string& key, int size) {
  obs_.push_back({key, obs_size_, size});
  obs_size_ += size;
  return obs_.back().begin;
}

int RoboHiveTask::AddReward(const std::string& key) {
  rewards_.push_back({key, static_cast<int>(rewards_.size()), 1});
  return rewards_.back().begin;
}

int RoboHiveTask::AddEdit(ModelArray array, const std::string& part) {
  return AddEdit(array, parts_.Find(PartOf(array), part), part);
}

int RoboHiveTask::AddEdit(ModelArray array, int row, const std::string& label) {
  if (array == ModelArray::kGeomType && model_->has_found_pairs() && status_.ok()) {
    status_ = MakeError(v1::ERROR_REASON_NOT_SUPPORTED,
                        absl::StrCat("option model: the pairs of ", model_->name(),
                                     " that can collide were listed when it was compiled, so its "
                                     "geoms must keep their types"),
                        "options.model", model_->name());
  }
  edits_.push_back({array, row, edits_size_, label});
  edits_size_ += ColumnsOf(array);
  return edits_.back().begin;
}

int RoboHiveTask::AddOwn(int size) {
  own_size_ += size;
  return own_size_ - size;
}

int RoboHiveTask::AddOwnProperty(const std::string& name, int size, absl::string_view doc) {
  own_properties_.push_back({name, AddOwn(size), size, std::string(doc)});
  return own_properties_.back().begin;
}

std::vector<double> RoboHiveTask::Numbers(absl::string_view option, size_t count) {
  std::vector<double> numbers = GetDoubleList(options_, option);
  if (numbers.size() != count && status_.ok()) {
    status_ = MakeError(v1::ERROR_REASON_BAD_OPTION,
                        absl::StrCat("option ", option, ": ", numbers.size(), " numbers where ",
                                     count, " are needed"),
                        absl::StrCat("options.", option), absl::StrCat(numbers.size()));
  }
  numbers.resize(count);
  return numbers;
}

bool RoboHiveTask::Quirk(absl::string_view name) const {
  return GetBool(options_, absl::StrCat(kQuirk, name));
}

double RoboHiveTask::BoolSum(std::initializer_list<bool> bonuses) const {
  const auto held = std::count(bonuses.begin(), bonuses.end(), true);
  return static_cast<double>(Quirk("bool_sum") ? std::min<ptrdiff_t>(held, 1) : held);
}

absl::Status RoboHiveTask::Finish(const Parameters& parameters) {
  if (!status_.ok()) return status_;
  if (!parts_.status().ok()) return parts_.status();
  edits_begin_ = 1 + engine_model().nu;
  own_begin_ = edits_begin_ + edits_size_;
  obs_begin_ = own_begin_ + own_size_;
  absl::Status status = ResolveKeys();
  if (status.ok()) status = FillSpec(parameters);
  if (status.ok()) status = TakeFirstStep();
  return status;
}

absl::StatusOr<std::vector<RoboHiveTask::Entry>> RoboHiveTask::Select(
    absl::string_view option) const {
  std::vector<Entry> selected;
  for (const std::string& key : GetStringList(options_, option)) {
    const auto entry =
        std::find_if(obs_.begin(), obs_.end(), [&](const Entry& obs) { return obs.key == key; });
    if (entry == obs_.end()) {
      std::vector<std::string> keys;
      for (const Entry& obs : obs_) keys.push_back(obs.key);
      return MakeError(v1::ERROR_REASON_BAD_OPTION,
                       absl::StrCat("option ", option, ": obs_dict has no \"", Excerpt(key), "\"",
                                    NearestHint(key, keys)),
                       absl::StrCat("options.", option), Excerpt(key));
    }
    selected.push_back(*entry);
  }
  return selected;
}

absl::Status RoboHiveTask::ResolveKeys() {
  auto vector = Select("obs_keys");
  if (!vector.ok()) return vector.status();
  if (vector->empty())
    return MakeError(v1::ERROR_REASON_BAD_OPTION, "option obs_keys: at least one is needed",
                     "options.obs_keys");
  vector_ = *std::move(vector);
  auto proprio = Select("proprio_keys");
  if (!proprio.ok()) return proprio.status();
  proprio_ = *std::move(proprio);
  return absl::OkStatus();
}

absl::Status RoboHiveTask::FillSpec(const Parameters& parameters) {
  const mjModel& model = engine_model();
  spec_ = StartSpec(parameters.entry, parameters.class_options);
  for (const auto& [key, unused] : parameters.defaults.weights) {
    const auto reward = std::find_if(rewards_.begin(), rewards_.end(),
                                     [&](const Entry& entry) { return entry.key == key; });
    weights_.push_back({reward->begin, GetDouble(options_, absl::StrCat(kWeight, key))});
  }

  std::vector<double> low(static_cast<size_t>(model.nu), -1), high(low.size(), 1);
  if (!GetBool(options_, "normalize_act")) {
    for (int id = 0; id < model.nu; ++id) {
      low[static_cast<size_t>(id)] = static_cast<float>(model.actuator_ctrlrange[2 * id]);
      high[static_cast<size_t>(id)] = static_cast<float>(model.actuator_ctrlrange[2 * id + 1]);
    }
  }
  v1::LeafSpec& action = *spec_.add_action();
  action = MakeBoxLeaf("action", v1::DTYPE_FLOAT32, {model.nu}, low, high);
  for (int id = 0; id < model.nu; ++id) {
    const char* name = mj_id2name(&model, mjOBJ_ACTUATOR, id);
    action.add_element_names(name != nullptr ? name : absl::StrCat("actuator ", id));
  }

  v1::LeafSpec& observation = *spec_.add_observation();
  int size = 0;
  for (const Entry& entry : vector_) size += entry.size;
  observation = MakeLeaf("observation", v1::DTYPE_FLOAT64, {size});
  for (const Entry& entry : vector_) {
    for (int k = 0; k < entry.size; ++k)
      observation.add_element_names(entry.size == 1 ? entry.key : absl::StrCat(entry.key, ".", k));
  }
  observation.set_doc("Entries of obs_dict, one after the other.");
  auto images = AddVisualLeaves(GetStringList(options_, "visual_keys"),
                                IsFast(GetString(options_, "render_preset")), model,
                                "options.visual_keys", spec_);
  if (!images.ok()) return images.status();
  images_ = *std::move(images);

  const auto add_info = [&](const std::string& name, v1::DType dtype, int elements, bool in_reset,
                            absl::string_view doc) {
    v1::LeafSpec& leaf = *spec_.add_info();
    leaf = MakeLeaf(name, dtype,
                    elements == 1 ? std::vector<int64_t>{} : std::vector<int64_t>{elements});
    leaf.set_in_reset(in_reset);
    leaf.set_doc(std::string(doc));
    return &leaf;
  };
  add_info("time", v1::DTYPE_FLOAT64, 1, true, "Since the episode's start.")->set_unit("s");
  add_info("rwd_dense", v1::DTYPE_FLOAT64, 1, false, "Weighted sum of rwd_dict.");
  add_info("rwd_sparse", v1::DTYPE_FLOAT64, 1, false, "rwd_dict.sparse.");
  add_info("solved", v1::DTYPE_BOOL, 1, false, "Whether the task is done at this moment.");
  add_info("done", v1::DTYPE_BOOL, 1, false, "Whether this terminates the episode.");
  for (const Entry& entry : obs_)
    add_info(absl::StrCat("obs_dict.", entry.key), v1::DTYPE_FLOAT64, entry.size, true, "");
  for (const Entry& entry : proprio_)
    add_info(absl::StrCat("proprio_dict.", entry.key), v1::DTYPE_FLOAT64, entry.size, true, "");
  for (const Entry& entry : rewards_)
    add_info(absl::StrCat("rwd_dict.", entry.key), v1::DTYPE_FLOAT64, 1, false, "");
  add_info("rwd_dict.dense", v1::DTYPE_FLOAT64, 1, false, "");

  spec_.set_physics_dt(model.opt.timestep);
  spec_.set_frame_skip(num_steps_);
  spec_.set_control_dt(dt_);
  spec_.set_render_fps(std::nearbyint(1 / dt_));
  spec_.set_renders(true);
  spec_.set_engine(absl::StrCat("mujoco-", mj_versionString()));
  for (int camera = 0; camera < model.ncam; ++camera) {
    const char* name = mj_id2name(&model, mjOBJ_CAMERA, camera);
    if (name != nullptr && *name != '\0') spec_.add_cameras(name);
  }
  return absl::OkStatus();
}

absl::Status RoboHiveTask::TakeFirstStep() {
  first_state_.assign(static_cast<size_t>(state_size()), 0);
  first_state_[0] = 1;
  for (const Edit& edit : edits_)
    ReadRow(engine_model(), edit.array, edit.row, &first_state_[edits_begin_ + edit.begin]);
  const auto simulation = Simulation::Create(model_);
  if (!simulation.ok()) return simulation.status();
  return Simulation::Guard([&] {
    NumpyRng unused;
    TaskContext context{simulation->get(), absl::MakeSpan(first_state_), &unused};
    if (edits_model()) EditModel(first_state_, (*simulation)->UseEdited(nullptr));
    (*simulation)->Reset();
    (*simulation)->Forward();
    Env env = EnvOf(context);
    Measure(env);
    if (!Quirk("construction_step")) return;
    const std::vector<double> zeros(static_cast<size_t>(engine_model().nu), 0);
    Act(context, {zeros, v1::DTYPE_FLOAT64});
    Advance(context);
  });
}

RoboHiveTask::Env RoboHiveTask::EnvOf(TaskContext& context) const {
  double* const state = context.state.data();
  return {*context.simulation->model(), *context.simulation->data(), *context.rng,      state + 1,
          state + edits_begin_,         state + own_begin_,          state + obs_begin_};
}

absl::Status RoboHiveTask::Reset(TaskContext& context, const Options& options,
                                 LeafPointers info) const {
  const auto resolved = ResolveOptions({}, options);
  if (!resolved.ok()) return resolved.status();
  if (context.state[0] == 0)
    std::copy(first_state_.begin(), first_state_.end(), context.state.begin());
  if (!keep_last_ctrl_) std::fill_n(context.state.begin() + 1, engine_model().nu, 0);
  {
    mjData& data = *context.simulation->data();
    std::copy(init_qpos_.begin(), init_qpos_.end(), data.qpos);
    std::copy(init_qvel_.begin(), init_qvel_.end(), data.qvel);
    Env env = EnvOf(context);
    Start(env);
    robot_->LimitStart(data.qpos, data.qvel);
  }
  if (edits_model()) EditModel(context.state, context.simulation->edited_model());
  robot_->SkipReadings(Robot::kReadingsAtReset, *context.rng);
  Env env = EnvOf(context);
  Look(context, env);
  PutObservations(env.obs, info);
  return absl::OkStatus();
}

void RoboHiveTask::Act(TaskContext& context, const Action& action) const {
  Env env = EnvOf(context);
  BeforeStep(env);
  if (edits_model()) EditModel(context.state, context.simulation->edited_model());
  robot_->Control(action, env.model, env.data.qpos, env.data.ctrl);
  std::copy_n(env.data.ctrl, env.model.nu, context.state.begin() + 1);
}

void RoboHiveTask::Advance(TaskContext& context) const {
  context.simulation->Step(num_steps_);
  if (silent_reset_ && AnyWarning(*context.simulation->data())) context.simulation->Reset();
  Env env = EnvOf(context);
  Look(context, env);
}

void RoboHiveTask::Look(TaskContext& context, Env& env) const {
  robot_->Sense(env.data.qpos, env.data.qvel, env.rng);
  // The original computes everything here; what nobody reads, and the next step computes anew, is
  // left out.
  if (reads_forces_) {
    context.simulation->Forward();
  } else if (!images_.empty()) {
    context.simulation->Place();
  } else {
    context.simulation->PlaceBodies();
  }
  Measure(env);
}

Outcome RoboHiveTask::Evaluate(TaskContext& context, const Action&, LeafPointers info) const {
  const double* const obs = context.state.data() + obs_begin_;
  double rewards[kMaxRewards];
  Score(obs, rewards);
  double dense = 0;
  for (const Weight& weight : weights_) dense += weight.weight * rewards[weight.reward];
  // The last three: sparse, solved, done.
  const double* const end = rewards + rewards_.size();
  const double sparse = end[-3], done = end[-1];
  PutObservations(obs, info);
  size_t leaf = 1;
  for (const double value : {dense, sparse, end[-2], done}) Put(info, leaf++, &value, 1);
  leaf += obs_.size() + proprio_.size();
  for (const Entry& entry : rewards_) Put(info, leaf++, rewards + entry.begin, 1);
  Put(info, leaf, &dense, 1);
  return {.reward = sparse_ ? sparse : dense, .terminated = done != 0};
}

void RoboHiveTask::PutObservations(const double* obs, LeafPointers info) const {
  Put(info, 0, obs, 1);
  size_t leaf = 5;
  for (const Entry& entry : obs_) Put(info, leaf++, obs + entry.begin, entry.size);
  for (const Entry& entry : proprio_) Put(info, leaf++, obs + entry.begin, entry.size);
}

void RoboHiveTask::Observe(TaskContext& context, LeafPointers observation) const {
  if (observation[0] == nullptr) return;
  const double* const obs = context.state.data() + obs_begin_;
  double* out = observation[0];
  for (const Entry& entry : vector_) out = std::copy_n(obs + entry.begin, entry.size, out);
}

void RoboHiveTask::EditModel(absl::Span<const double> state, mjModel& model) const {
  if (state[0] == 0) return;  // an env that was never reset
  for (const Edit& edit : edits_)
    WriteRow(model, edit.array, edit.row, &state[static_cast<size_t>(edits_begin_ + edit.begin)]);
}

void RoboHiveTask::OnSeeded(NumpyRng& rng) const {
  DrawAtConstruction(rng);
  // When the robot is made, and after the step that makes the env.
  robot_->SkipReadings(Robot::kReadingsAtReset + (Quirk("construction_step") ? 1 : 0), rng);
}

std::vector<StateProperty> RoboHiveTask::state_properties() const {
  std::vector<StateProperty> properties;
  const auto add = [&](const std::string& name, int begin, int size, absl::string_view doc) {
    StateProperty property;
    property.spec.set_name(name);
    property.spec.set_dtype(v1::DTYPE_FLOAT64);
    property.spec.add_shape(size);
    property.spec.set_writable(true);
    property.spec.set_doc(std::string(doc));
    property.offset = static_cast<size_t>(begin);
    properties.push_back(std::move(property));
  };
  for (const Edit& edit : edits_) {
    if (edit.array == ModelArray::kGeomType) continue;
    add(absl::StrCat(NameOf(edit.array), ".", edit.part), edits_begin_ + edit.begin,
        ColumnsOf(edit.array), "As this env has it; a reset draws it anew.");
  }
  for (const OwnProperty& own : own_properties_)
    add(own.name, own_begin_ + own.begin, own.size, own.doc);
  return properties;
}

void RoboHiveTask::OnPropertiesSet(TaskContext& context) const {
  Env env = EnvOf(context);
  Measure(env);
}

}  // namespace hivewire
