#include "server/tasks/robohive/arm_pose.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/tasks/robohive/robohive_task.h"
#include "server/tasks/robohive/rotation.h"

namespace hivewire {
namespace {

// The hand is mounted on the arm's last link.
ModelVariant MountedHand() {
  return {.name = "mounted hand", .moved_body = "ee_mount", .new_parent = "panda0_link7"};
}

constexpr double kFar = 10;

class ArmPoseTask : public RoboHiveTask {
 public:
  static RoboHiveDefaults Defaults() {
    v1::OptionSpec joints =
        IntOption("num_joints", 0, "How many joints count, the first ones; 0 for all.");
    joints.set_minimum(0);
    return {.name = "robohive.ArmPose",
            .model = "fm/assets/franka_dmanus.xml",
            .robot = "franka_dmanus",
            .obs_keys = {"qp", "qv", "pose_err"},
            .weights = {{"pose", -1}, {"bonus", 4}, {"penalty", -50}},
            .options = {joints, DoubleListOption("target_pose", {},
                                                 "Where the joints are wanted; empty for drawn "
                                                 "from the actuators' ranges by each reset.")}};
  }
  static ModelVariant Variant(const Options&) { return MountedHand(); }

  explicit ArmPoseTask(const Parameters& parameters) : RoboHiveTask(parameters) {
    const mjModel& model = engine_model();
    const int64_t joints = GetInt(options(), "num_joints");
    parts().Need(joints <= std::min(model.nq, model.nv), "it has fewer joints than num_joints");
    joints_ = joints == 0 || joints > model.nv ? model.nv : static_cast<int>(joints);
    parts().Need(model.nq == model.nv, "not all of its joints are hinges and slides");
    random_ = GetDoubleList(options(), "target_pose").empty();
    if (!random_) pose_ = Numbers("target_pose", static_cast<size_t>(joints_));
    parts().Need(!random_ || joints_ <= model.nu, "it has fewer actuators than joints");
    target_ = AddOwnProperty("target_pose", joints_, "Where the joints are wanted.");
    time_ = AddObs("time", 1);
    qpos_ = AddObs("qp", joints_);
    qvel_ = AddObs("qv", joints_);
    error_ = AddObs("pose_err", joints_);
    for (const char* reward : {"pose", "bonus", "penalty", "sparse", "solved", "done"})
      AddReward(reward);
  }

 private:
  void Draw(NumpyRng& rng, double* target) const {
    const mjtNum* const range = engine_model().actuator_ctrlrange;
    for (int k = 0; k < joints_; ++k) target[k] = rng.Uniform(range[2 * k], range[2 * k + 1]);
  }

  void DrawAtConstruction(NumpyRng& rng) const override {
    std::vector<double> unused(static_cast<size_t>(joints_));
    if (random_) Draw(rng, unused.data());
  }

  void Start(Env& env) const override {
    if (random_) {
      Draw(env.rng, env.own + target_);
    } else {
      std::copy(pose_.begin(), pose_.end(), env.own + target_);
    }
  }

  void Measure(Env& env) const override {
    env.obs[time_] = env.data.time;
    std::copy_n(env.data.qpos, joints_, env.obs + qpos_);
    std::copy_n(env.data.qvel, joints_, env.obs + qvel_);
    for (int k = 0; k < joints_; ++k) env.obs[error_ + k] = env.data.qpos[k] - env.own[target_ + k];
  }

  void Score(const double* obs, double* rewards) const override {
    const double distance = Norm(obs + error_, joints_);
    *rewards++ = distance;
    *rewards++ = BoolSum({distance < 1, distance < 2});
    *rewards++ = distance > kFar;
    *rewards++ = -1.0 * distance;
    *rewards++ = distance < 0.5;
    *rewards++ = distance > kFar;
  }

  int joints_;
  bool random_;
  std::vector<double> pose_;
  int target_, time_, qpos_, qvel_, error_;
};

// No task: an arm that records what it does.
class ArmDataTask : public RoboHiveTask {
 public:
  static RoboHiveDefaults Defaults() {
    return {.name = "robohive.ArmData",
            .model = "fm/assets/franka_robotiq.xml",
            .robot = "franka_robotiq",
            .obs_keys = {"time"},
            .weights = {{"none", -0.0}}};
  }
  static ModelVariant Variant(const Options&) { return MountedHand(); }

  explicit ArmDataTask(const Parameters& parameters)
      : RoboHiveTask(parameters), gripper_(parts().Site("end_effector")) {
    parts().Need(std::min(engine_model().nq, engine_model().nv) >= kArm + kHand,
                 "it has too few joints");
    time_ = AddObs("time", 1);
    qp_ = AddObs("qp", kArm + kHand);
    qp_arm_ = AddObs("qp_arm", kArm);
    qv_arm_ = AddObs("qv_arm", kArm);
    qp_ee_ = AddObs("qp_ee", kHand);
    qv_ee_ = AddObs("qv_ee", kHand);
    pos_ee_ = AddObs("pos_ee", 3);
    rot_ee_ = AddObs("rot_ee", 9);
    for (const char* reward : {"none", "sparse", "solved", "done"}) AddReward(reward);
  }

 private:
  static constexpr int kArm = 7, kHand = 1;  // joints

  void Start(Env&) const override {}

  void Measure(Env& env) const override {
    const mjData& data = env.data;
    double* const obs = env.obs;
    obs[time_] = data.time;
    std::copy_n(data.qpos, kArm + kHand, obs + qp_);
    std::copy_n(data.qpos, kArm, obs + qp_arm_);
    std::copy_n(data.qvel, kArm, obs + qv_arm_);
    std::copy_n(data.qpos + kArm, kHand, obs + qp_ee_);
    std::copy_n(data.qvel + kArm, kHand, obs + qv_ee_);
    std::copy_n(data.site_xpos + 3 * gripper_, 3, obs + pos_ee_);
    std::copy_n(data.site_xmat + 9 * gripper_, 9, obs + rot_ee_);
  }

  void Score(const double*, double* rewards) const override { std::fill_n(rewards, 4, 0); }

  const int gripper_;
  int time_, qp_, qp_arm_, qv_arm_, qp_ee_, qv_ee_, pos_ee_, rot_ee_;
};

}  // namespace

TaskClass ArmPoseClass(std::shared_ptr<RoboHiveLibrary> library,
                       std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<ArmPoseTask>(std::move(library), std::move(robots));
}

TaskClass ArmDataClass(std::shared_ptr<RoboHiveLibrary> library,
                       std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<ArmDataTask>(std::move(library), std::move(robots));
}

}  // namespace hivewire
