#include "server/tasks/robohive/kitchen.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "server/tasks/gymnasium/numpy_sum.h"
#include "server/tasks/robohive/robohive_task.h"
#include "server/tasks/robohive/rotation.h"
#include "server/tasks/robohive/site_range.h"

namespace hivewire {
namespace {

// An object that can be moved: its joint and where it is taken hold of.
struct Object {
  const char *joint, *site;
};
constexpr Object kObjects[] = {
    {"knob1_joint", "knob1_site"},       {"knob2_joint", "knob2_site"},
    {"knob3_joint", "knob3_site"},       {"knob4_joint", "knob4_site"},
    {"lightswitch_joint", "light_site"}, {"slidedoor_joint", "slide_site"},
    {"leftdoorhinge", "leftdoor_site"},  {"rightdoorhinge", "rightdoor_site"},
    {"micro0joint", "microhandle_site"}, {"kettle0:Tx", "kettle_site0"},
    {"kettle0:Ty", "kettle_site0"},      {"kettle0:Tz", "kettle_site0"},
    {"kettle0:Rx", "kettle_site0"},      {"kettle0:Ry", "kettle_site0"},
    {"kettle0:Rz", "kettle_site0"},
};

constexpr const char* kRobotJoints[] = {
    "panda0_joint1", "panda0_joint2",        "panda0_joint3",
    "panda0_joint4", "panda0_joint5",        "panda0_joint6",
    "panda0_joint7", "panda0_finger_joint1", "panda0_finger_joint2"};
constexpr int kRobotJointCount = static_cast<int>(std::size(kRobotJoints));
constexpr char kGripper[] = "end_effector", kRobotBase[] = "chef";

// How near counts as there: a part of the joint's range, or this much where that is large.
constexpr double kNearPart = 0.15;
constexpr double kLargeSpan = 1.0, kNearLarge = 0.05;              // of a slide, m
const double kLargeTurn = mjPI, kNearLargeTurn = 15 * mjPI / 180;  // of a hinge

std::vector<std::string> Joints() {
  std::vector<std::string> joints;
  for (const Object& object : kObjects) joints.emplace_back(object.joint);
  return joints;
}

std::vector<v1::OptionSpec> ObjectOptions() {
  std::vector<v1::OptionSpec> options = {
      StringListOption("objects", Joints(), "Joints of the objects that count, in order.")};
  for (const auto& [prefix, doc] :
       {std::pair("obj_init.", "Where this joint starts: one value, or the two ends of a range."),
        std::pair("obj_goal.",
                  "Where this joint is wanted: likewise. By itself: where the model "
                  "has it.")}) {
    for (const Object& object : kObjects) {
      options.push_back(DoubleListOption(absl::StrCat(prefix, object.joint), {}, doc));
      options.back().clear_default_value();
    }
  }
  return options;
}

class KitchenTask : public RoboHiveTask {
 public:
  static RoboHiveDefaults Defaults() {
    RoboHiveDefaults defaults{
        .name = "robohive.Kitchen",
        .model = "multi_task/common/kitchen/franka_kitchen.xml",
        .robot = "franka_kitchen",
        .velocity_mode = true,
        .obs_keys = {"robot_jnt", "objs_jnt", "obj_goal", "ee_pose"},
        .proprio_keys = {"robot_jnt", "robot_vel", "ee_pose_wrt_robot"},
        .weights = {{"obj_goal", 1}, {"bonus", 0.5}, {"pose", 0}, {"approach", 0.5}},
        .options = ObjectOptions(),
    };
    for (const Object& object : kObjects) {
      const std::string key = absl::StrCat(object.site, "_err");
      if (defaults.obs_keys.back() != key) defaults.obs_keys.push_back(key);
    }
    v1::OptionSpec noise = DoubleOption("robot_jnt_reset_noise_scale", 0,
                                        "How far a reset moves the robot's joints, in parts of "
                                        "their ranges.");
    noise.set_minimum(0);
    for (const v1::OptionSpec& option :
         {StringOption("interact_site", kGripper, {}, "Site that the gripper should approach."),
          noise,
          DoubleListOption("robot_base_reset_low", {},
                           "How far a reset moves the robot's base, m: lower corner; or nothing."),
          DoubleListOption("robot_base_reset_high", {}, "Likewise, upper corner."),
          StringOption("randomized_body", "", {},
                       "Body that a reset puts anywhere around the robot; empty for none."),
          BoolOption("quirk.keyframe_velocity", true,
                     "Episodes start with the velocities of the model's first keyframe (in the "
                     "kitchen, the kettle spins slowly)."),
          BoolOption("quirk.velocity_times_dt", true,
                     "Velocities are displacements in one step of the env.")}) {
      defaults.options.push_back(option);
    }
    return defaults;
  }
  static ModelVariant Variant(const Options&) { return {}; }

  explicit KitchenTask(const Parameters& parameters)
      : RoboHiveTask(parameters),
        gripper_(parts().Site(kGripper)),
        interact_(parts().Site(GetString(options(), "interact_site"))),
        base_(parts().Body(kRobotBase)),
        noise_(GetDouble(options(), "robot_jnt_reset_noise_scale")),
        velocity_unit_(Quirk("velocity_times_dt") ? dt() : 1) {
    const mjModel& model = engine_model();
    for (const char* name : kRobotJoints) robot_.push_back(JointNamed(name));
    AddObjects();
    if (model.nkey > 0) {
      init_qpos_.assign(model.key_qpos, model.key_qpos + model.nq);
      if (Quirk("keyframe_velocity")) init_qvel_.assign(model.key_qvel, model.key_qvel + model.nv);
    }
    parts().Need(model.nkey > 0, "it has no keyframe to start from");
    if (!GetDoubleList(options(), "robot_base_reset_low").empty()) {
      base_range_ =
          SiteRange{Numbers("robot_base_reset_low", 3), Numbers("robot_base_reset_high", 3)};
      base_pos_ = AddEdit(ModelArray::kBodyPos, kRobotBase);
    }
    const std::string& body = GetString(options(), "randomized_body");
    if (!body.empty()) {
      randomized_ = true;
      body_pos_ = AddEdit(ModelArray::kBodyPos, body);
      body_quat_ = AddEdit(ModelArray::kBodyQuat, body);
    }
    AddEntries();
  }

 private:
  struct Joint {
    int address;
    double low, high;
    mjtJoint type;
  };
  // A value that is given, or drawn from a range.
  struct Setting {
    size_t object;
    double low, high;
    bool drawn;
    double Draw(NumpyRng& rng) const { return drawn ? rng.Uniform(low, high) : low; }
  };
  struct SiteError {
    int site, obs;
  };

  Joint JointNamed(const std::string& name) {
    const mjModel& model = engine_model();
    const int id = parts().Joint(name);
    return {model.jnt_dofadr[id], model.jnt_range[2 * id], model.jnt_range[2 * id + 1],
            static_cast<mjtJoint>(model.jnt_type[id])};
  }

  void AddObjects() {
    const std::vector<std::string> names = GetStringList(options(), "objects");
    parts().Need(!names.empty(), "option objects names none");
    for (const std::string& name : names) {
      const size_t index = objects_.size();
      objects_.push_back(JointNamed(name));
      for (const auto& [prefix, settings] :
           {std::pair("obj_init.", &inits_), std::pair("obj_goal.", &goals_)}) {
        const std::string option = absl::StrCat(prefix, name);
        if (!options().contains(option)) continue;
        const bool drawn = GetDoubleList(options(), option).size() == 2;
        const std::vector<double> ends = Numbers(option, drawn ? 2 : 1);
        settings->push_back({index, ends.front(), ends.back(), drawn});
      }
      const Joint& joint = objects_.back();
      const double span = joint.high - joint.low;
      near_.push_back(joint.type == mjJNT_HINGE
                          ? span < kLargeTurn ? kNearPart * span : kNearLargeTurn
                      : span < kLargeSpan ? kNearPart * span
                                          : kNearLarge);
    }
    goal_ = AddOwnProperty("obj_goal", static_cast<int>(objects_.size()),
                           "Where the objects' joints are wanted.");
  }

  void AddEntries() {
    const int objects = static_cast<int>(objects_.size());
    time_ = AddObs("time", 1);
    robot_jnt_ = AddObs("robot_jnt", kRobotJointCount);
    objs_jnt_ = AddObs("objs_jnt", objects);
    robot_vel_ = AddObs("robot_vel", kRobotJointCount);
    objs_vel_ = AddObs("objs_vel", objects);
    obj_goal_ = AddObs("obj_goal", objects);
    goal_err_ = AddObs("goal_err", objects);
    approach_err_ = AddObs("approach_err", 3);
    pose_err_ = AddObs("pose_err", kRobotJointCount);
    ee_pose_ = AddObs("ee_pose", 6);
    ee_pose_wrt_robot_ = AddObs("ee_pose_wrt_robot", 6);
    qpos_ = AddObs("qpos", engine_model().nq);
    const std::vector<std::string> names = GetStringList(options(), "objects");
    for (const Object& object : kObjects) {
      const int site = mj_name2id(&engine_model(), mjOBJ_SITE, object.site);
      const bool counts = std::find(names.begin(), names.end(), object.joint) != names.end();
      if (!counts || (!site_errors_.empty() && site_errors_.back().site == site)) continue;
      site_errors_.push_back(
          {parts().Site(object.site), AddObs(absl::StrCat(object.site, "_err"), 3)});
    }
    // Older ids observe this; with the others it is not in the dict.
    const std::vector<std::string> keys = GetStringList(options(), "obs_keys");
    if (std::find(keys.begin(), keys.end(), kGripper) != keys.end())
      end_effector_ = AddObs(kGripper, 3);
    for (const char* reward : {"obj_goal", "bonus", "pose", "approach", "sparse", "solved", "done"})
      AddReward(reward);
  }

  void DrawAtConstruction(NumpyRng& rng) const override {
    for (const auto* settings : {&goals_, &inits_}) {
      for (const Setting& setting : *settings) setting.Draw(rng);
    }
  }

  void Start(Env& env) const override {
    if (randomized_) {
      const double radius = env.rng.Uniform(0.4, 0.7), angle = env.rng.Uniform(-1.57, 1.57);
      env.edits[body_pos_] = radius * std::sin(angle);
      env.edits[body_pos_ + 1] = 0.5 + radius * std::cos(angle);
      const double euler[] = {0, 0, -angle};
      EulerToQuaternion(euler, env.edits + body_quat_);
    }
    for (const Setting& init : inits_)
      env.data.qpos[objects_[init.object].address] = init.Draw(env.rng);
    double* const goal = env.own + goal_;
    for (size_t k = 0; k < objects_.size(); ++k) goal[k] = env.model.qpos0[objects_[k].address];
    for (const Setting& setting : goals_) goal[setting.object] = setting.Draw(env.rng);
    for (const Joint& joint : robot_)
      env.data.qpos[joint.address] += noise_ * (env.rng.Random() - 0.5) * (joint.high - joint.low);
    if (!base_range_) return;
    base_range_->Draw(env.rng, env.edits + base_pos_);
    const mjtNum* const base = shared_base();
    for (int k = 0; k < 3; ++k) env.edits[base_pos_ + k] = base[k] + env.edits[base_pos_ + k];
  }

  // Where the model has the robot's base.
  const mjtNum* shared_base() const { return engine_model().body_pos + 3 * base_; }

  void Measure(Env& env) const override {
    const mjData& data = env.data;
    double* const obs = env.obs;
    obs[time_] = data.time;
    for (size_t k = 0; k < robot_.size(); ++k) {
      const Joint& joint = robot_[k];
      obs[robot_jnt_ + k] = data.qpos[joint.address];
      obs[robot_vel_ + k] = data.qvel[joint.address] * velocity_unit_;
      obs[pose_err_ + k] = (joint.low + joint.high) / 2 - data.qpos[joint.address];
    }
    for (size_t k = 0; k < objects_.size(); ++k) {
      const int address = objects_[k].address;
      obs[objs_jnt_ + k] = data.qpos[address];
      obs[objs_vel_ + k] = data.qvel[address] * velocity_unit_;
      obs[obj_goal_ + k] = env.own[goal_ + static_cast<int>(k)];
      obs[goal_err_ + k] = obs[obj_goal_ + k] - data.qpos[address];
    }
    const mjtNum* const gripper = data.site_xpos + 3 * gripper_;
    mju_sub3(obs + approach_err_, data.site_xpos + 3 * interact_, gripper);
    std::copy_n(gripper, 3, obs + ee_pose_);
    MatrixToEuler(data.site_xmat + 9 * gripper_, obs + ee_pose_ + 3);
    double euler[3];
    QuaternionToEuler(env.model.body_quat + 4 * base_, euler);
    mju_sub3(obs + ee_pose_wrt_robot_, gripper, env.model.body_pos + 3 * base_);
    mju_sub3(obs + ee_pose_wrt_robot_ + 3, obs + ee_pose_ + 3, euler);
    std::copy_n(data.qpos, env.model.nq, obs + qpos_);
    for (const SiteError& error : site_errors_)
      mju_sub3(obs + error.obs, data.site_xpos + 3 * error.site, gripper);
    if (end_effector_) std::copy_n(gripper, 3, obs + *end_effector_);
  }

  void Score(const double* obs, double* rewards) const override {
    const double distance = PairwiseSum<double>(0, objects_.size(), [&](size_t k) {
      return std::abs(obs[static_cast<size_t>(goal_err_) + k]);
    });
    const auto all_within = [&](double factor) {
      for (size_t k = 0; k < objects_.size(); ++k) {
        if (!(std::abs(obs[static_cast<size_t>(goal_err_) + k]) < factor * near_[k])) return false;
      }
      return true;
    };
    *rewards++ = -distance;
    *rewards++ = 1.0 * all_within(5) + 1.0 * all_within(1.67);
    *rewards++ = -PairwiseSum<double>(0, robot_.size(), [&](size_t k) {
      return std::abs(obs[static_cast<size_t>(pose_err_) + k]);
    });
    *rewards++ = -Norm(obs + approach_err_, 3);
    *rewards++ = -distance;
    *rewards++ = all_within(1);
    *rewards++ = 0;
  }

  const int gripper_, interact_, base_;
  const double noise_, velocity_unit_;
  std::vector<Joint> robot_, objects_;
  std::vector<double> near_;  // by object
  std::vector<Setting> inits_, goals_;
  std::optional<SiteRange> base_range_;
  bool randomized_ = false;
  int base_pos_ = 0, body_pos_ = 0, body_quat_ = 0, goal_ = 0;

  int time_, robot_jnt_, objs_jnt_, robot_vel_, objs_vel_, obj_goal_, goal_err_, approach_err_,
      pose_err_, ee_pose_, ee_pose_wrt_robot_, qpos_;
  std::vector<SiteError> site_errors_;
  std::optional<int> end_effector_;
};

}  // namespace

TaskClass KitchenClass(std::shared_ptr<RoboHiveLibrary> library,
                       std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<KitchenTask>(std::move(library), std::move(robots));
}

}  // namespace hivewire
