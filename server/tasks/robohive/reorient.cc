#include "server/tasks/robohive/reorient.h"

#include <algorithm>
#include <utility>

#include "server/tasks/robohive/robohive_task.h"
#include "server/tasks/robohive/rotation.h"
#include "server/tasks/robohive/site_range.h"

namespace hivewire {
namespace {

constexpr double kFar = 1.0;  // m

class ReorientTask : public RoboHiveTask {
 public:
  static RoboHiveDefaults Defaults() {
    RoboHiveDefaults defaults{
        .name = "robohive.Reorient",
        .model = "claws/trifinger/trifinger_reorient.xml",
        .obs_keys = {"qp", "qv", "reach_pos_err", "reach_rot_err"},
        .weights = {{"reach_pos", -1}, {"reach_rot", -0.01}, {"bonus", 4}, {"penalty", -50}},
        .options = SiteRangeOptions({0.01, 0.03, 0.95}, {0.01, 0.03, 0.95}),
    };
    for (const v1::OptionSpec& option :
         {StringOption("object_site", "object", {}, "Site of the object."),
          DoubleListOption("target_euler_low", {0.2, 0.3, 0.1},
                           "Least Euler angles of the target, rad."),
          DoubleListOption("target_euler_high", {0.2, 0.3, 0.1},
                           "Largest Euler angles of the target, rad.")}) {
      defaults.options.push_back(option);
    }
    return defaults;
  }
  static ModelVariant Variant(const Options&) { return {}; }

  explicit ReorientTask(const Parameters& parameters)
      : RoboHiveTask(parameters),
        object_(parts().Site(GetString(options(), "object_site"))),
        target_(parts().Site(GetString(options(), "target_site"))),
        target_pos_(AddEdit(ModelArray::kSitePos, GetString(options(), "target_site"))),
        target_quat_(AddEdit(ModelArray::kSiteQuat, GetString(options(), "target_site"))),
        positions_{Numbers("target_xyz_low", 3), Numbers("target_xyz_high", 3)},
        angles_{Numbers("target_euler_low", 3), Numbers("target_euler_high", 3)} {
    time_ = AddObs("time", 1);
    qpos_ = AddObs("qp", engine_model().nq);
    qvel_ = AddObs("qv", engine_model().nv);
    position_error_ = AddObs("reach_pos_err", 3);
    angle_error_ = AddObs("reach_rot_err", 3);
    for (const char* reward :
         {"reach_pos", "reach_rot", "bonus", "penalty", "sparse", "solved", "done"})
      AddReward(reward);
  }

 private:
  void Start(Env& env) const override {
    positions_.Draw(env.rng, env.edits + target_pos_);
    double euler[3];
    angles_.Draw(env.rng, euler);
    EulerToQuaternion(euler, env.edits + target_quat_);
  }

  void Measure(Env& env) const override {
    const mjData& data = env.data;
    double* const obs = env.obs;
    obs[time_] = data.time;
    std::copy_n(data.qpos, env.model.nq, obs + qpos_);
    std::copy_n(data.qvel, env.model.nv, obs + qvel_);
    mju_sub3(obs + position_error_, data.site_xpos + 3 * target_, data.site_xpos + 3 * object_);
    double target[3], object[3];
    MatrixToEuler(data.site_xmat + 9 * target_, target);
    MatrixToEuler(data.site_xmat + 9 * object_, object);
    mju_sub3(obs + angle_error_, target, object);
  }

  void Score(const double* obs, double* rewards) const override {
    const double distance = Norm(obs + position_error_, 3), angle = Norm(obs + angle_error_, 3);
    *rewards++ = distance;
    *rewards++ = angle;
    *rewards++ = BoolSum({distance < 0.1, distance < 0.05, angle < 0.3, angle < 0.1});
    *rewards++ = distance > kFar;
    *rewards++ = -1.0 * distance - 1.0 * angle;
    *rewards++ = distance < 0.05 && angle < 0.1;
    *rewards++ = distance > kFar;
  }

  const int object_, target_, target_pos_, target_quat_;
  const SiteRange positions_, angles_;
  int time_, qpos_, qvel_, position_error_, angle_error_;
};

}  // namespace

TaskClass ReorientClass(std::shared_ptr<RoboHiveLibrary> library,
                        std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<ReorientTask>(std::move(library), std::move(robots));
}

}  // namespace hivewire
