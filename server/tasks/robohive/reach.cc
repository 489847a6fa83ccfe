#include "server/tasks/robohive/reach.h"

#include <algorithm>
#include <utility>

#include "server/tasks/robohive/robohive_task.h"
#include "server/tasks/robohive/rotation.h"
#include "server/tasks/robohive/site_range.h"

namespace hivewire {
namespace {

constexpr double kFar = 1.0;  // m

class ReachTask : public RoboHiveTask {
 public:
  static RoboHiveDefaults Defaults() {
    RoboHiveDefaults defaults{
        .name = "robohive.Reach",
        .model = "arms/franka/assets/franka_reach_v0.xml",
        .robot = "franka_reach_v0",
        .obs_keys = {"qp_robot", "qv_robot", "reach_err"},
        .proprio_keys = {"qp_robot", "qv_robot"},
        .weights = {{"reach", -1}, {"bonus", 4}, {"penalty", -50}},
        .options = SiteRangeOptions({0.2, 0.3, 1.2}, {0.2, 0.3, 1.2}),
    };
    defaults.options.push_back(
        StringOption("robot_site", "end_effector", {}, "Site of the gripper."));
    return defaults;
  }
  static ModelVariant Variant(const Options&) { return {}; }

  explicit ReachTask(const Parameters& parameters)
      : RoboHiveTask(parameters),
        gripper_(parts().Site(GetString(options(), "robot_site"))),
        target_(parts().Site(GetString(options(), "target_site"))),
        target_pos_(AddEdit(ModelArray::kSitePos, GetString(options(), "target_site"))),
        range_{Numbers("target_xyz_low", 3), Numbers("target_xyz_high", 3)} {
    const mjModel& model = engine_model();
    time_ = AddObs("time", 1);
    qpos_ = AddObs("qp_robot", model.nq);
    qvel_ = AddObs("qv_robot", model.nv);
    error_ = AddObs("reach_err", 3);
    for (const char* reward : {"reach", "bonus", "penalty", "sparse", "solved", "done"})
      AddReward(reward);
  }

 private:
  void Start(Env& env) const override { range_.Draw(env.rng, env.edits + target_pos_); }

  void Measure(Env& env) const override {
    const mjData& data = env.data;
    env.obs[time_] = data.time;
    std::copy_n(data.qpos, env.model.nq, env.obs + qpos_);
    std::copy_n(data.qvel, env.model.nv, env.obs + qvel_);
    mju_sub3(env.obs + error_, data.site_xpos + 3 * target_, data.site_xpos + 3 * gripper_);
  }

  void Score(const double* obs, double* rewards) const override {
    const double distance = Norm(obs + error_, 3);
    *rewards++ = distance;
    *rewards++ = BoolSum({distance < 0.1, distance < 0.05});
    *rewards++ = distance > kFar;
    *rewards++ = -1.0 * distance;
    *rewards++ = distance < 0.05;
    *rewards++ = distance > kFar;
  }

  const int gripper_, target_, target_pos_;
  const SiteRange range_;
  int time_, qpos_, qvel_, error_;
};

}  // namespace

TaskClass ReachClass(std::shared_ptr<RoboHiveLibrary> library,
                     std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<ReachTask>(std::move(library), std::move(robots));
}

}  // namespace hivewire
