#include "server/tasks/robohive/quadruped.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "server/tasks/gymnasium/numpy_sum.h"
#include "server/tasks/robohive/robohive_task.h"
#include "server/tasks/robohive/rotation.h"

namespace hivewire {
namespace {

constexpr char kFirstJoint[] = "A:FRJ10", kLastJoint[] = "A:BRJ42";
constexpr int kRoot = 6;  // coordinates of the torso

// What the three classes have in common.
class QuadrupedTask : public RoboHiveTask {
 public:
  static ModelVariant Variant(const Options&) { return {}; }

 protected:
  static RoboHiveDefaults Defaults(const char* name, const char* robot, double upright_threshold) {
    return {.name = name,
            .model = "quadrupeds/dkitty/dkitty_walk_v0.xml",
            .robot = robot,
            .obs_keys = {},
            .proprio_keys = {"kitty_qpos"},
            .weights = {},
            .options = {DoubleOption("upright_threshold", upright_threshold,
                                     "Cosine of the torso's tilt at which it counts as fallen.")}};
  }

  QuadrupedTask(const Parameters& parameters, const char* last_action)
      : RoboHiveTask(parameters),
        torso_(parts().Site("torso")),
        target_(parts().Site("target")),
        heading_site_(parts().Site("heading")),
        threshold_(GetDouble(options(), "upright_threshold")) {
    const mjModel& model = engine_model();
    first_ = model.jnt_dofadr[parts().Joint(kFirstJoint)];
    joints_ = model.jnt_dofadr[parts().Joint(kLastJoint)] + 1 - first_;
    parts().Need(model.nq > kRoot && joints_ > 0, "it is no four-legged robot");
    time_ = AddObs("time", 1);
    last_action_ = AddObs(last_action, model.nu);
    upright_ = AddObs("upright", 1);
    root_pos_ = AddObs("root_pos", 3);
    root_euler_ = AddObs("root_euler", 3);
    root_vel_ = AddObs("root_vel", 3);
    root_angular_vel_ = AddObs("root_angular_vel", 3);
    qpos_ = AddObs("kitty_qpos", joints_);
    qvel_ = AddObs("kitty_qvel", joints_);
    heading_ = AddObs("heading", 1);
    target_pos_ = AddObs("target_pos", 2);
    target_error_ = AddObs("target_error", 2);
  }

  void Measure(Env& env) const override {
    const mjData& data = env.data;
    const mjtNum *const torso = data.site_xpos + 3 * torso_,
                        *const target = data.site_xpos + 3 * target_,
                        *const heading = data.site_xpos + 3 * heading_site_,
                        *const turn = data.site_xmat + 9 * torso_;
    double* const obs = env.obs;
    obs[time_] = data.time;
    std::copy_n(env.last_ctrl, env.model.nu, obs + last_action_);
    obs[upright_] = turn[8];
    std::copy_n(torso, 3, obs + root_pos_);
    std::copy_n(data.qpos + 3, 3, obs + root_euler_);
    std::copy_n(data.qvel, 3, obs + root_vel_);
    std::copy_n(data.qvel + 3, 3, obs + root_angular_vel_);
    std::copy_n(data.qpos + first_, joints_, obs + qpos_);
    std::copy_n(data.qvel + first_, joints_, obs + qvel_);
    // Along the torso's y axis.
    const double ahead[] = {turn[1], turn[4]};
    const double wanted[] = {heading[0] - torso[0], heading[1] - torso[1]};
    obs[heading_] = Cosine(ahead, wanted, 2);
    std::copy_n(target, 2, obs + target_pos_);
    const double x = target[0] - torso[0], y = target[1] - torso[1];
    obs[target_error_] = turn[0] * x + turn[3] * y;
    obs[target_error_ + 1] = turn[1] * x + turn[4] * y;
  }

  const int torso_, target_, heading_site_;
  const double threshold_;
  int first_, joints_;  // of the legs
  int time_, last_action_, upright_, root_pos_, root_euler_, root_vel_, root_angular_vel_, qpos_,
      qvel_, heading_, target_pos_, target_error_;
};

// Walk and Orient: a target somewhere around.
class TargetTask : public QuadrupedTask {
 protected:
  static RoboHiveDefaults Defaults(const char* name, double distance, double angle) {
    RoboHiveDefaults defaults = QuadrupedTask::Defaults(name, "dkitty_walk_v0", 0.9);
    defaults.obs_keys = {"upright", "kitty_qpos", "heading", "target_error", "last_a"};
    for (const v1::OptionSpec& option :
         {DoubleListOption("target_distance_range", {distance, distance},
                           "How far the target may be, m."),
          DoubleListOption("target_angle_range", {angle, angle}, "In which direction, rad."),
          DoubleListOption("target_height_range", {0.28, 0.28},
                           "How high the torso should be, m: the mean of both.")}) {
      defaults.options.push_back(option);
    }
    return defaults;
  }

  explicit TargetTask(const Parameters& parameters)
      : QuadrupedTask(parameters, "last_a"),
        target_at_(AddEdit(ModelArray::kSitePos, "target")),
        heading_at_(AddEdit(ModelArray::kSitePos, "heading")),
        distances_(Numbers("target_distance_range", 2)),
        angles_(Numbers("target_angle_range", 2)),
        heights_(Numbers("target_height_range", 2)) {
    for (const Robot::JointRange& joint : RangesOfActuators())
      init_qpos_[static_cast<size_t>(joint.address)] = (joint.low + joint.high) / 2;
    for (const char* reward : {"target_dist_cost", "upright", "falling", "heading", "height",
                               "bonus_small", "bonus_big", "sparse", "solved", "done"})
      AddReward(reward);
  }

  double MeanDistance() const { return (distances_[0] + distances_[1]) / 2; }
  double MeanHeight() const { return (heights_[0] + heights_[1]) / 2; }

 private:
  void Start(Env& env) const override {
    for (int k = kRoot; k < env.model.nq; ++k)
      env.data.qpos[k] += mjPI / 8 * env.rng.Uniform(-1, 1);
    const double distance = env.rng.Uniform(distances_[0], distances_[1]);
    const double angle = env.rng.Uniform(angles_[0], angles_[1]);
    // The heading's is farther away, so that it stays ahead near the target.
    Place(distance, angle, env.edits + target_at_);
    Place(distance + 0.5, angle, env.edits + heading_at_);
  }

  static void Place(double distance, double angle, double* site) {
    site[0] = distance * std::cos(angle);
    site[1] = distance * std::sin(angle);
    site[2] = distance * 0;
  }

  const int target_at_, heading_at_;
  const std::vector<double> distances_, angles_, heights_;
};

class WalkTask : public TargetTask {
 public:
  static RoboHiveDefaults Defaults() {
    RoboHiveDefaults defaults = TargetTask::Defaults("robohive.Walk", 2.3, mjPI / 2);
    defaults.weights = {{"target_dist_cost", 4}, {"upright", 1},  {"falling", 100},
                        {"heading", 2},          {"height", 0.5}, {"bonus_small", 5},
                        {"bonus_big", 10}};
    return defaults;
  }

  explicit WalkTask(const Parameters& parameters) : TargetTask(parameters) {}

 private:
  void Score(const double* obs, double* rewards) const override {
    const double distance = Norm(obs + target_error_, 2), heading = obs[heading_],
                 upright = obs[upright_];
    const bool ahead = heading > 0.9;
    *rewards++ = -1.0 * distance;
    *rewards++ = upright - threshold_;
    *rewards++ = -1.0 * (upright < threshold_);
    *rewards++ = (heading - 0.9) / 0.1;
    *rewards++ = -1. * std::abs(obs[root_pos_ + 2] - MeanHeight());
    *rewards++ = 1.0 * (distance < 0.75 * MeanDistance()) + 1.0 * ahead;
    *rewards++ = 1.0 * (distance < 0.5 * MeanDistance()) * ahead;
    *rewards++ = -1.0 * distance;
    *rewards++ = distance < 0.5;
    *rewards++ = upright < threshold_;
  }
};

class OrientTask : public TargetTask {
 public:
  static RoboHiveDefaults Defaults() {
    RoboHiveDefaults defaults = TargetTask::Defaults("robohive.Orient", 0, -mjPI / 2);
    defaults.weights = {{"target_dist_cost", 1}, {"upright", 2}, {"falling", 100},
                        {"heading", 5},          {"height", 10}, {"bonus_small", 5},
                        {"bonus_big", 10}};
    return defaults;
  }

  explicit OrientTask(const Parameters& parameters) : TargetTask(parameters) {}

 private:
  void Score(const double* obs, double* rewards) const override {
    const double heading = obs[heading_], upright = obs[upright_];
    const bool stands = upright > threshold_, there = heading > 0.996;
    *rewards++ = -1.0 * Norm(obs + target_error_, 2);
    *rewards++ = upright - threshold_;
    *rewards++ = -1.0 * (upright < threshold_);
    *rewards++ = heading + 1.0;
    *rewards++ = -1. * std::abs(obs[root_pos_ + 2] - MeanHeight());
    *rewards++ = 1.0 * stands + 1.0 * (heading > 0.9);
    *rewards++ = 1.0 * stands * there;
    *rewards++ = heading;
    *rewards++ = stands && there;
    *rewards++ = upright < threshold_;
  }
};

class StandTask : public QuadrupedTask {
 public:
  static RoboHiveDefaults Defaults() {
    RoboHiveDefaults defaults = QuadrupedTask::Defaults("robohive.Stand", "dkitty_stand_v0", 0);
    defaults.obs_keys = {"root_pos",   "root_euler",  "kitty_qpos", "root_vel",  "root_angular_vel",
                         "kitty_qvel", "last_action", "upright",    "pose_error"};
    defaults.weights = {{"pose_error_cost", 4}, {"center_distance_cost", 2},
                        {"bonus_small", 5},     {"bonus_big", 10},
                        {"upright", 1},         {"falling", 100}};
    defaults.options.push_back(StringOption("reset_type", "fixed", {"fixed", "random"},
                                            "Whether legs start folded or anywhere."));
    defaults.options.push_back(BoolOption("quirk.center_distance_3d", true,
                                          "The distance from the centre counts height, too."));
    return defaults;
  }

  explicit StandTask(const Parameters& parameters)
      : QuadrupedTask(parameters, "last_action"),
        random_(GetString(options(), "reset_type") == "random"),
        center_axes_(Quirk("center_distance_3d") ? 3 : 2) {
    pose_error_ = AddObs("pose_error", joints_);
    for (const char* reward : {"upright", "falling", "pose_error_cost", "center_distance_cost",
                               "bonus_small", "bonus_big", "sparse", "solved", "done"})
      AddReward(reward);
  }

 private:
  void Start(Env& env) const override {
    if (random_) {
      for (const Robot::JointRange& joint : RangesOfActuators())
        env.data.qpos[joint.address] = env.rng.Uniform(joint.low, joint.high);
      return;
    }
    constexpr double kFolded[] = {0, mjPI / 4, -mjPI / 2};  // hip, knee, ankle
    for (int k = 0; k < joints_; ++k) env.data.qpos[first_ + k] = kFolded[k % 3];
  }

  void Measure(Env& env) const override {
    QuadrupedTask::Measure(env);
    for (int k = 0; k < joints_; ++k) env.obs[pose_error_ + k] = 0 - env.data.qpos[first_ + k];
  }

  void Score(const double* obs, double* rewards) const override {
    const double upright = obs[upright_];
    const double error =
        PairwiseSum<double>(
            0, static_cast<size_t>(joints_),
            [&](size_t k) { return std::abs(obs[static_cast<size_t>(pose_error_) + k]); }) /
        joints_;
    const bool near = error < mjPI / 12;
    *rewards++ = (upright - threshold_) / (1 - threshold_);
    *rewards++ = -1.0 * (upright < threshold_);
    *rewards++ = -1 * error;
    *rewards++ = -1 * Norm(obs + root_pos_, center_axes_);
    *rewards++ = 1.0 * (error < mjPI / 6) * upright;
    *rewards++ = 1.0 * near * (upright > 0.9);
    *rewards++ = 1 - std::max(error / (mjPI / 3), 1.0);
    *rewards++ = near && upright > 0.9;
    *rewards++ = upright < threshold_;
  }

  const bool random_;
  const int center_axes_;
  int pose_error_;
};

}  // namespace

TaskClass WalkClass(std::shared_ptr<RoboHiveLibrary> library,
                    std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<WalkTask>(std::move(library), std::move(robots));
}

TaskClass OrientClass(std::shared_ptr<RoboHiveLibrary> library,
                      std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<OrientTask>(std::move(library), std::move(robots));
}

TaskClass StandClass(std::shared_ptr<RoboHiveLibrary> library,
                     std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<StandTask>(std::move(library), std::move(robots));
}

}  // namespace hivewire
