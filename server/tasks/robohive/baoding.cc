#include "server/tasks/robohive/baoding.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "server/tasks/robohive/robohive_task.h"
#include "server/tasks/robohive/rotation.h"

namespace hivewire {
namespace {

constexpr int kGoals = 1000;       // steps for which there are goals; then the last one holds
constexpr double kTimeStep = 0.1;  // s, of the goals
constexpr double kPeriod = 6;      // s, of one turn
constexpr double kNear = 0.015;    // m
constexpr double kLowest = 0.06;   // m; below, a ball was dropped
constexpr int kBallPositions = 14, kBallVelocities = 12;  // of the two free joints

class BaodingTask : public RoboHiveTask {
 public:
  static RoboHiveDefaults Defaults() {
    v1::OptionSpec shifts =
        IntOption("n_shifts_per_period", -1,
                  "In how many jumps the targets go once around; -1 for without jumps.");
    shifts.set_minimum(-1);
    return {.name = "robohive.Baoding",
            .model = "hands/assets/PDDM_baoding.xml",
            .obs_keys = {"hand_pos", "object1_pos", "object1_velp", "object2_pos", "object2_velp",
                         "target1_pos", "target2_pos", "target1_err", "target2_err"},
            .weights = {{"pos_dist_1", 5},
                        {"pos_dist_2", 5},
                        {"drop_penalty", 500},
                        {"wrist_angle", 0.5},
                        {"act_reg", 1},
                        {"bonus", 1}},
            .options = {shifts,
                        BoolOption("quirk.gains_twice", true,
                                   "The actuators' gains are divided by ten twice."),
                        BoolOption("quirk.velocity_times_dt", true,
                                   "Velocities are displacements in one step of the env.")}};
  }

  static ModelVariant Variant(const Options& options) {
    const int times = GetBool(options, "quirk.gains_twice") ? 2 : 1;
    return {.name = times == 2 ? "gains / 100" : "gains / 10", .edit = [times](mjModel& model) {
              for (int time = 0; time < times; ++time) {
                for (int k = 0; k < mjNGAIN * model.nu; ++k) model.actuator_gainprm[k] *= 0.1;
                for (int k = 0; k < mjNBIAS * model.nu; ++k) model.actuator_biasprm[k] *= 0.1;
              }
            }};
  }

  explicit BaodingTask(const Parameters& parameters)
      : RoboHiveTask(parameters),
        palm_(parts().Body("palm")),
        balls_{BallNamed("ball1_site", "target1_site", 3. * mjPI / 4.0),
               BallNamed("ball2_site", "target2_site", -1. * mjPI / 4.0)},
        velocity_unit_(Quirk("velocity_times_dt") ? dt() : 1),
        angles_(Angles(GetInt(options(), "n_shifts_per_period"))) {
    const mjModel& model = engine_model();
    parts().Need(model.nkey > 0 && model.nq > kBallPositions + 2 && model.nv > kBallVelocities,
                 "it is no hand with two balls and a keyframe");
    hand_ = std::max(3, static_cast<int>(model.nq) - kBallPositions);
    if (model.nkey > 0) init_qpos_.assign(model.key_qpos, model.key_qpos + model.nq);
    counter_ = AddOwn(1);
    palm_pos_ = AddOwn(3);
    palm_quat_ = AddOwn(4);
    time_ = AddObs("time", 1);
    hand_pos_ = AddObs("hand_pos", hand_);
    for (const char* key : {"object1_pos", "object2_pos", "object1_velp", "object2_velp",
                            "target1_pos", "target2_pos", "target1_err", "target2_err"}) {
      const int place = AddObs(key, 3);
      if (first_ == 0) first_ = place;
    }
    for (const char* reward : {"pos_dist_1", "pos_dist_2", "drop_penalty", "wrist_angle", "act_reg",
                               "bonus", "sparse", "solved", "done"})
      AddReward(reward);
  }

 private:
  struct Ball {
    int site, target;
    int target_pos;  // of edits
    double angle;    // where its target starts, rad
  };

  Ball BallNamed(const char* site, const char* target, double angle) {
    return {parts().Site(site), parts().Site(target), AddEdit(ModelArray::kSitePos, target), angle};
  }

  static std::vector<double> Angles(int64_t shifts) {
    std::vector<double> angles(kGoals);
    if (shifts <= 0) {
      for (int step = 0; step < kGoals; ++step)
        angles[static_cast<size_t>(step)] = 2 * mjPI * (step * kTimeStep / kPeriod);
      return angles;
    }
    const int wait =
        static_cast<int>(std::ceil(kPeriod / (static_cast<double>(shifts) * kTimeStep)));
    double angle = 0;
    for (int step = 0; step < kGoals; ++step) {
      if (step > 0 && step % wait == 0) angle += 2.0 * mjPI / static_cast<double>(shifts);
      angles[static_cast<size_t>(step)] = angle;
    }
    return angles;
  }

  // Places of a quantity of both balls in obs: it comes twice.
  int objects() const { return first_; }
  int velocities() const { return first_ + 6; }
  int targets() const { return first_ + 12; }
  int errors() const { return first_ + 18; }

  void Start(Env& env) const override { env.own[counter_] = 0; }

  void BeforeStep(Env& env) const override {
    double& counter = env.own[counter_];
    const double angle =
        angles_[static_cast<size_t>(std::min(counter, static_cast<double>(kGoals - 1)))];
    for (const Ball& ball : balls_) {
      const double wanted[] = {0.03 * std::cos(angle + ball.angle) + 0.005, -0.045,
                               0.02 * 1.5 * 1.2 * std::sin(angle + ball.angle) + 0.06};
      double turned[3];
      RotateByQuaternion(wanted, env.own + palm_quat_, turned);
      mju_add3(env.edits + ball.target_pos, env.own + palm_pos_, turned);
    }
    counter += 1;
  }

  void Measure(Env& env) const override {
    const mjData& data = env.data;
    // The next step's targets lie around the palm as it is now.
    std::copy_n(data.xpos + 3 * palm_, 3, env.own + palm_pos_);
    std::copy_n(data.xquat + 4 * palm_, 4, env.own + palm_quat_);
    double* const obs = env.obs;
    obs[time_] = data.time;
    std::copy_n(data.qpos, hand_, obs + hand_pos_);
    for (int k = 0; k < 2; ++k) {
      std::copy_n(data.site_xpos + 3 * balls_[k].site, 3, obs + objects() + 3 * k);
      std::copy_n(data.site_xpos + 3 * balls_[k].target, 3, obs + targets() + 3 * k);
      mju_sub3(obs + errors() + 3 * k, obs + targets() + 3 * k, obs + objects() + 3 * k);
      const mjtNum* const velocity = data.qvel + env.model.nv - kBallVelocities + 6 * k;
      for (int axis = 0; axis < 3; ++axis)
        obs[velocities() + 3 * k + axis] = velocity[axis] * velocity_unit_;
    }
  }

  void Score(const double* obs, double* rewards) const override {
    const double first = Norm(obs + errors(), 3), second = Norm(obs + errors() + 3, 3);
    const bool fallen = obs[objects() + 2] < kLowest || obs[objects() + 5] < kLowest;
    const bool first_near = first < kNear, second_near = second < kNear;
    const double* const hand = obs + hand_pos_;
    const double wrist[] = {hand[0] * 5, hand[1] * 0.5, hand[2] * 1};
    *rewards++ = -1. * first;
    *rewards++ = -1. * second;
    *rewards++ = -1. * fallen;
    *rewards++ = -1. * Norm(wrist, 3);
    *rewards++ = -0.;  // the model's actuators have no activations
    *rewards++ = 1. * first_near + 1. * second_near + 4. * (first_near && second_near);
    *rewards++ = -(first + second);
    *rewards++ = first_near && second_near && !fallen;
    *rewards++ = fallen;
  }

  const int palm_;
  const Ball balls_[2];
  const double velocity_unit_;
  const std::vector<double> angles_;
  int hand_;
  int counter_, palm_pos_, palm_quat_;
  int time_, hand_pos_, first_ = 0;
};

}  // namespace

TaskClass BaodingClass(std::shared_ptr<RoboHiveLibrary> library,
                       std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<BaodingTask>(std::move(library), std::move(robots));
}

}  // namespace hivewire
