#include "server/tasks/robohive/adroit.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "server/tasks/robohive/robohive_task.h"
#include "server/tasks/robohive/rotation.h"

namespace hivewire {
namespace {

// The gain of position servos, from one actuator to another one, as the original sets it.
void SetServoGain(mjModel& model, const char* first, const char* last, double gain) {
  const int begin = mj_name2id(&model, mjOBJ_ACTUATOR, first);
  const int end = mj_name2id(&model, mjOBJ_ACTUATOR, last);
  for (int id = std::max(begin, 0); id <= end; ++id) {
    const double gains[] = {gain, 0, 0}, biases[] = {0, -gain, 0};
    std::copy_n(gains, 3, model.actuator_gainprm + mjNGAIN * id);
    std::copy_n(biases, 3, model.actuator_biasprm + mjNBIAS * id);
  }
}

double Clip1(double value) { return std::min(std::max(value, -1.0), 1.0); }

// What the four classes have in common.
class HandTask : public RoboHiveTask {
 public:
  static ModelVariant Variant(const Options&) {
    return {.name = "servo gains", .edit = [](mjModel& model) {
              SetServoGain(model, "A_WRJ1", "A_WRJ0", 10);
              SetServoGain(model, "A_FFJ3", "A_THJ0", 1);
            }};
  }

 protected:
  static RoboHiveDefaults Defaults(const char* name, const char* model,
                                   std::vector<std::string> obs_keys,
                                   std::vector<std::pair<std::string, double>> weights) {
    return {.name = name,
            .model = model,
            .frame_skip = 5,
            .obs_keys = std::move(obs_keys),
            .weights = std::move(weights)};
  }

  // The last `free` joints are not the hand's.
  HandTask(const Parameters& parameters, int free) : RoboHiveTask(parameters) {
    const mjModel& model = engine_model();
    parts().Need(model.nq > free && model.nq == model.nv, "its joints are others");
    hand_ = std::max(1, static_cast<int>(model.nv) - free);
    std::fill(init_qpos_.begin(), init_qpos_.end(), 0);
    time_ = AddObs("time", 1);
  }

  void MeasureTime(Env& env) const { env.obs[time_] = env.data.time; }
  int hand() const { return hand_; }  // joints

  static const mjtNum* SiteAt(const Env& env, int id) { return env.data.site_xpos + 3 * id; }
  static const mjtNum* BodyAt(const Env& env, int id) { return env.data.xpos + 3 * id; }

 private:
  int hand_, time_;
};

class DoorTask : public HandTask {
 public:
  static RoboHiveDefaults Defaults() {
    return HandTask::Defaults(
        "robohive.Door", "hands/assets/DAPG_door.xml",
        {"hand_jnt", "latch_pos", "door_pos", "palm_pos", "handle_pos", "reach_err"},
        {{"reach", 1}, {"open", 1}, {"bonus", 1}});
  }

  explicit DoorTask(const Parameters& parameters)
      : HandTask(parameters, 2),
        hinge_(engine_model().jnt_dofadr[parts().Joint("door_hinge")]),
        grasp_(parts().Site("S_grasp")),
        handle_(parts().Site("S_handle")),
        frame_pos_(AddEdit(ModelArray::kBodyPos, "frame")) {
    hand_jnt_ = AddObs("hand_jnt", hand() - 1);
    hand_vel_ = AddObs("hand_vel", hand());
    handle_pos_ = AddObs("handle_pos", 3);
    palm_pos_ = AddObs("palm_pos", 3);
    reach_err_ = AddObs("reach_err", 3);
    door_pos_ = AddObs("door_pos", 1);
    latch_pos_ = AddObs("latch_pos", 1);
    door_open_ = AddObs("door_open", 1);
    for (const char* reward : {"reach", "open", "bonus", "sparse", "solved", "done"})
      AddReward(reward);
  }

 private:
  void Start(Env& env) const override {
    double* const frame = env.edits + frame_pos_;
    frame[0] = env.rng.Uniform(-0.3, -0.2);
    frame[1] = env.rng.Uniform(0.25, 0.35);
    frame[2] = env.rng.Uniform(0.252, 0.35);
  }

  void Measure(Env& env) const override {
    MeasureTime(env);
    const mjData& data = env.data;
    double* const obs = env.obs;
    std::copy_n(data.qpos + 1, hand() - 1, obs + hand_jnt_);
    std::copy_n(data.qvel, hand(), obs + hand_vel_);
    std::copy_n(SiteAt(env, handle_), 3, obs + handle_pos_);
    std::copy_n(SiteAt(env, grasp_), 3, obs + palm_pos_);
    mju_sub3(obs + reach_err_, obs + palm_pos_, obs + handle_pos_);
    obs[door_pos_] = data.qpos[hinge_];
    obs[latch_pos_] = data.qpos[env.model.nq - 1];
    obs[door_open_] = 2.0 * (obs[door_pos_] > 1.0) - 1.0;
  }

  void Score(const double* obs, double* rewards) const override {
    const double reach = Norm(obs + reach_err_, 3), door = obs[door_pos_];
    *rewards++ = -0.1 * reach;
    *rewards++ = -0.1 * (door - 1.57) * (door - 1.57);
    *rewards++ = 2 * (door > 0.2) + 8 * (door > 1.0) + 10 * (door > 1.35);
    *rewards++ = door;
    *rewards++ = door > 1.35;
    *rewards++ = reach > 1.0;
  }

  const int hinge_, grasp_, handle_, frame_pos_;
  int hand_jnt_, hand_vel_, handle_pos_, palm_pos_, reach_err_, door_pos_, latch_pos_, door_open_;
};

class HammerTask : public HandTask {
 public:
  static RoboHiveDefaults Defaults() {
    return HandTask::Defaults(
        "robohive.Hammer", "hands/assets/DAPG_hammer.xml",
        {"hand_jnt", "obj_vel", "palm_pos", "obj_pos", "obj_rot", "target_pos", "nail_impact",
         "tool_pos", "goal_pos", "hand_vel"},
        {{"palm_obj", 1}, {"tool_target", 1}, {"target_goal", 1}, {"smooth", 1}, {"bonus", 1}});
  }

  explicit HammerTask(const Parameters& parameters)
      : HandTask(parameters, 6),
        target_(parts().Site("S_target")),
        grasp_(parts().Site("S_grasp")),
        tool_(parts().Site("tool")),
        goal_(parts().Site("nail_goal")),
        object_(parts().Body("object")),
        nail_(parts().Sensor("S_nail")),
        board_pos_(AddEdit(ModelArray::kBodyPos, "nail_board")) {
    ReadsForces();
    hand_jnt_ = AddObs("hand_jnt", hand());
    obj_vel_ = AddObs("obj_vel", 6);
    palm_pos_ = AddObs("palm_pos", 3);
    obj_pos_ = AddObs("obj_pos", 3);
    obj_rot_ = AddObs("obj_rot", 3);
    target_pos_ = AddObs("target_pos", 3);
    nail_impact_ = AddObs("nail_impact", 1);
    tool_pos_ = AddObs("tool_pos", 3);
    goal_pos_ = AddObs("goal_pos", 3);
    hand_vel_ = AddObs("hand_vel", hand());
    for (const char* reward :
         {"palm_obj", "tool_target", "target_goal", "smooth", "bonus", "sparse", "solved", "done"})
      AddReward(reward);
  }

 private:
  void Start(Env& env) const override { env.edits[board_pos_ + 2] = env.rng.Uniform(0.1, 0.25); }

  void Measure(Env& env) const override {
    MeasureTime(env);
    const mjData& data = env.data;
    double* const obs = env.obs;
    std::copy_n(data.qpos, hand(), obs + hand_jnt_);
    std::transform(data.qvel + hand(), data.qvel + env.model.nv, obs + obj_vel_, Clip1);
    std::copy_n(SiteAt(env, grasp_), 3, obs + palm_pos_);
    std::copy_n(BodyAt(env, object_), 3, obs + obj_pos_);
    QuaternionToEuler(data.xquat + 4 * object_, obs + obj_rot_);
    std::copy_n(SiteAt(env, target_), 3, obs + target_pos_);
    // The original takes the sensor's number for its place in sensordata.
    obs[nail_impact_] = Clip1(data.sensordata[nail_]);
    std::copy_n(SiteAt(env, tool_), 3, obs + tool_pos_);
    std::copy_n(SiteAt(env, goal_), 3, obs + goal_pos_);
    std::transform(data.qvel, data.qvel + hand(), obs + hand_vel_, Clip1);
  }

  void Score(const double* obs, double* rewards) const override {
    double difference[3];
    const auto distance = [&](int a, int b) {
      mju_sub3(difference, obs + a, obs + b);
      return Norm(difference, 3);
    };
    const double palm = distance(palm_pos_, obj_pos_), tool = distance(tool_pos_, target_pos_),
                 goal = distance(target_pos_, goal_pos_);
    const double hand_vel = Norm(obs + hand_vel_, hand()), obj_vel = Norm(obs + obj_vel_, 6);
    const bool lifted = obs[obj_pos_ + 2] > 0.04;
    *rewards++ = -0.1 * palm;
    *rewards++ = -1.0 * tool;
    *rewards++ = -10.0 * goal;
    *rewards++ = -1e-2 * (hand_vel + obj_vel);
    *rewards++ = 2.0 * lifted + 25.0 * (goal < 0.020) + 75.0 * (goal < 0.010);
    *rewards++ = -1.0 * goal;
    *rewards++ = goal < 0.010;
    *rewards++ = palm > 1.0;
  }

  const int target_, grasp_, tool_, goal_, object_, nail_, board_pos_;
  int hand_jnt_, obj_vel_, palm_pos_, obj_pos_, obj_rot_, target_pos_, nail_impact_, tool_pos_,
      goal_pos_, hand_vel_;
};

class PenTask : public HandTask {
 public:
  static RoboHiveDefaults Defaults() {
    return HandTask::Defaults(
        "robohive.Pen", "hands/assets/DAPG_pen.xml",
        {"hand_jnt", "obj_pos", "obj_vel", "obj_rot", "obj_des_rot", "obj_err_pos", "obj_err_rot"},
        {{"pos_align", 1}, {"rot_align", 1}, {"drop", 1}, {"bonus", 1}});
  }

  explicit PenTask(const Parameters& parameters)
      : HandTask(parameters, 6),
        object_(parts().Body("Object")),
        ball_(parts().Site("eps_ball")),
        pen_(EndsNamed("object_top", "object_bottom")),
        wanted_(EndsNamed("target_top", "target_bottom")),
        target_quat_(AddEdit(ModelArray::kBodyQuat, "target")) {
    hand_jnt_ = AddObs("hand_jnt", hand());
    obj_pos_ = AddObs("obj_pos", 3);
    obj_des_pos_ = AddObs("obj_des_pos", 3);
    obj_vel_ = AddObs("obj_vel", 6);
    obj_rot_ = AddObs("obj_rot", 3);
    obj_des_rot_ = AddObs("obj_des_rot", 3);
    obj_err_pos_ = AddObs("obj_err_pos", 3);
    obj_err_rot_ = AddObs("obj_err_rot", 3);
    for (const char* reward :
         {"pos_align", "rot_align", "drop", "bonus", "sparse", "solved", "done"})
      AddReward(reward);
  }

 private:
  struct Ends {
    int top, bottom;
    double length;  // m
  };

  Ends EndsNamed(const char* top_name, const char* bottom_name) {
    const mjModel& model = engine_model();
    const int top = parts().Site(top_name), bottom = parts().Site(bottom_name);
    double along[3];
    mju_sub3(along, model.site_pos + 3 * top, model.site_pos + 3 * bottom);
    return {top, bottom, Norm(along, 3)};
  }

  static void Direction(const Env& env, const Ends& ends, double* direction) {
    mju_sub3(direction, SiteAt(env, ends.top), SiteAt(env, ends.bottom));
    for (int k = 0; k < 3; ++k) direction[k] /= ends.length;
  }

  void Start(Env& env) const override {
    double euler[3] = {};
    euler[0] = env.rng.Uniform(-1, 1);
    euler[1] = env.rng.Uniform(-1, 1);
    EulerToQuaternion(euler, env.edits + target_quat_);
  }

  void Measure(Env& env) const override {
    MeasureTime(env);
    double* const obs = env.obs;
    std::copy_n(env.data.qpos, hand(), obs + hand_jnt_);
    std::copy_n(BodyAt(env, object_), 3, obs + obj_pos_);
    std::copy_n(SiteAt(env, ball_), 3, obs + obj_des_pos_);
    std::copy_n(env.data.qvel + hand(), 6, obs + obj_vel_);
    Direction(env, pen_, obs + obj_rot_);
    Direction(env, wanted_, obs + obj_des_rot_);
    mju_sub3(obs + obj_err_pos_, obs + obj_pos_, obs + obj_des_pos_);
    mju_sub3(obs + obj_err_rot_, obs + obj_rot_, obs + obj_des_rot_);
  }

  void Score(const double* obs, double* rewards) const override {
    const double distance = Norm(obs + obj_err_pos_, 3);
    const double cosine = Cosine(obs + obj_rot_, obs + obj_des_rot_, 3);
    const bool dropped = obs[obj_pos_ + 2] < 0.075, near = distance < 0.075;
    *rewards++ = -1.0 * distance;
    *rewards++ = cosine;
    *rewards++ = -5.0 * dropped;
    *rewards++ = 10.0 * (cosine > 0.9) * near + 50.0 * (cosine > 0.95) * near;
    *rewards++ = -1.0 * distance + cosine;
    *rewards++ = cosine > 0.95 && !dropped;
    *rewards++ = dropped;
  }

  const int object_, ball_;
  const Ends pen_, wanted_;
  const int target_quat_;
  int hand_jnt_, obj_pos_, obj_des_pos_, obj_vel_, obj_rot_, obj_des_rot_, obj_err_pos_,
      obj_err_rot_;
};

class RelocateTask : public HandTask {
 public:
  static RoboHiveDefaults Defaults() {
    return HandTask::Defaults(
        "robohive.Relocate", "hands/assets/DAPG_relocate.xml",
        {"hand_jnt", "palm_obj_err", "palm_tar_err", "obj_tar_err", "obj_pos"},
        {{"palm_obj", 1}, {"palm_tar", 1}, {"obj_tar", 1}, {"bonus", 1}});
  }

  explicit RelocateTask(const Parameters& parameters)
      : HandTask(parameters, 6),
        target_(parts().Site("target")),
        grasp_(parts().Site("S_grasp")),
        object_(parts().Body("Object")),
        object_at_(AddEdit(ModelArray::kBodyPos, "Object")),
        target_at_(AddEdit(ModelArray::kSitePos, "target")) {
    hand_jnt_ = AddObs("hand_jnt", hand());
    palm_obj_err_ = AddObs("palm_obj_err", 3);
    palm_tar_err_ = AddObs("palm_tar_err", 3);
    obj_tar_err_ = AddObs("obj_tar_err", 3);
    obj_pos_ = AddObs("obj_pos", 3);
    for (const char* reward :
         {"palm_obj", "palm_tar", "obj_tar", "bonus", "sparse", "solved", "done"})
      AddReward(reward);
  }

 private:
  void Start(Env& env) const override {
    env.edits[object_at_] = env.rng.Uniform(-0.15, 0.15);
    env.edits[object_at_ + 1] = env.rng.Uniform(-0.15, 0.3);
    env.edits[target_at_] = env.rng.Uniform(-0.2, 0.2);
    env.edits[target_at_ + 1] = env.rng.Uniform(-0.2, 0.2);
    env.edits[target_at_ + 2] = env.rng.Uniform(0.15, 0.35);
  }

  void Measure(Env& env) const override {
    MeasureTime(env);
    double* const obs = env.obs;
    const mjtNum *const palm = SiteAt(env, grasp_), *const object = BodyAt(env, object_),
                        *const target = SiteAt(env, target_);
    std::copy_n(env.data.qpos, hand(), obs + hand_jnt_);
    mju_sub3(obs + palm_obj_err_, palm, object);
    mju_sub3(obs + palm_tar_err_, palm, target);
    mju_sub3(obs + obj_tar_err_, object, target);
    std::copy_n(object, 3, obs + obj_pos_);
  }

  void Score(const double* obs, double* rewards) const override {
    const double palm_object = Norm(obs + palm_obj_err_, 3),
                 palm_target = Norm(obs + palm_tar_err_, 3),
                 object_target = Norm(obs + obj_tar_err_, 3);
    const bool lifted = obs[obj_pos_ + 2] > 0.04;
    *rewards++ = -0.1 * palm_object;
    *rewards++ = -0.5 * palm_target * lifted;
    *rewards++ = -0.5 * object_target * lifted;
    *rewards++ = 1.0 * lifted + 10.0 * (object_target < 0.1) + 20.0 * (object_target < 0.05);
    *rewards++ = -1.0 * object_target;
    *rewards++ = object_target < 0.1;
    *rewards++ = palm_object > 0.7;
  }

  const int target_, grasp_, object_, object_at_, target_at_;
  int hand_jnt_, palm_obj_err_, palm_tar_err_, obj_tar_err_, obj_pos_;
};

}  // namespace

TaskClass DoorClass(std::shared_ptr<RoboHiveLibrary> library,
                    std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<DoorTask>(std::move(library), std::move(robots));
}

TaskClass HammerClass(std::shared_ptr<RoboHiveLibrary> library,
                      std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<HammerTask>(std::move(library), std::move(robots));
}

TaskClass PenClass(std::shared_ptr<RoboHiveLibrary> library,
                   std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<PenTask>(std::move(library), std::move(robots));
}

TaskClass RelocateClass(std::shared_ptr<RoboHiveLibrary> library,
                        std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<RelocateTask>(std::move(library), std::move(robots));
}

}  // namespace hivewire
