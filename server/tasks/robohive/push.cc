#include "server/tasks/robohive/push.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/tasks/robohive/robohive_task.h"
#include "server/tasks/robohive/rotation.h"
#include "server/tasks/robohive/site_range.h"

namespace hivewire {
namespace {

constexpr double kFar = 1.25;  // m
constexpr double kQuarterTurn = mjPI / 2;

// What the two classes have in common: all but the start.
class ObjectTask : public RoboHiveTask {
 public:
  static RoboHiveDefaults Defaults() {
    RoboHiveDefaults defaults{
        .obs_keys = {"qp_robot", "qp_object", "qv_robot", "qv_object", "object_err", "target_err"},
        .weights = {{"object_dist", -1}, {"target_dist", -1}, {"bonus", 4}, {"penalty", -50}},
    };
    v1::OptionSpec dofs = IntOption("robot_ndof", 9, "Joints of the robot; the rest are objects'.");
    dofs.set_minimum(0);
    defaults.options = {dofs,
                        StringOption("robot_site", "end_effector", {}, "Site of the gripper.")};
    return defaults;
  }

 protected:
  explicit ObjectTask(const Parameters& parameters)
      : RoboHiveTask(parameters),
        gripper_(parts().Site(GetString(options(), "robot_site"))),
        object_(parts().Site(GetString(options(), "object_site"))),
        target_(parts().Site(GetString(options(), "target_site"))),
        target_pos_(AddEdit(ModelArray::kSitePos, GetString(options(), "target_site"))),
        range_{Numbers("target_xyz_low", 3), Numbers("target_xyz_high", 3)} {
    const mjModel& model = engine_model();
    const int64_t given = GetInt(options(), "robot_ndof");
    parts().Need(given <= model.nv, "it has fewer joints than robot_ndof");
    dofs_ = static_cast<int>(std::min<int64_t>(given, model.nv));
    time_ = AddObs("time", 1);
    robot_qpos_ = AddObs("qp_robot", dofs_);
    robot_qvel_ = AddObs("qv_robot", dofs_);
    object_qpos_ = AddObs("qp_object", model.nq - dofs_);
    object_qvel_ = AddObs("qv_object", model.nv - dofs_);
    object_error_ = AddObs("object_err", 3);
    target_error_ = AddObs("target_err", 3);
    for (const char* reward :
         {"object_dist", "target_dist", "bonus", "penalty", "sparse", "solved", "done"})
      AddReward(reward);
  }

  void DrawTarget(Env& env) const { range_.Draw(env.rng, env.edits + target_pos_); }

 private:
  void Measure(Env& env) const override {
    const mjData& data = env.data;
    env.obs[time_] = data.time;
    std::copy_n(data.qpos, dofs_, env.obs + robot_qpos_);
    std::copy_n(data.qvel, dofs_, env.obs + robot_qvel_);
    std::copy_n(data.qpos + dofs_, env.model.nq - dofs_, env.obs + object_qpos_);
    std::copy_n(data.qvel + dofs_, env.model.nv - dofs_, env.obs + object_qvel_);
    const mjtNum* const object = data.site_xpos + 3 * object_;
    mju_sub3(env.obs + object_error_, object, data.site_xpos + 3 * gripper_);
    mju_sub3(env.obs + target_error_, data.site_xpos + 3 * target_, object);
  }

  void Score(const double* obs, double* rewards) const override {
    const double object = Norm(obs + object_error_, 3), target = Norm(obs + target_error_, 3);
    *rewards++ = object;
    *rewards++ = target;
    *rewards++ = BoolSum({object < 0.1, target < 0.1, target < 0.05});
    *rewards++ = object > kFar;
    *rewards++ = -1.0 * target;
    *rewards++ = target < 0.05;
    *rewards++ = object > kFar;
  }

  const int gripper_, object_, target_, target_pos_;
  const SiteRange range_;
  int dofs_;
  int time_, robot_qpos_, robot_qvel_, object_qpos_, object_qvel_, object_error_, target_error_;
};

class PushTask : public ObjectTask {
 public:
  static RoboHiveDefaults Defaults() {
    RoboHiveDefaults defaults = ObjectTask::Defaults();
    defaults.name = "robohive.Push";
    defaults.model = "arms/franka/assets/franka_ycb_v0.xml";
    defaults.robot = "franka_ycb_v0";
    defaults.proprio_keys = {"qp_robot", "qp_object", "qv_robot", "qv_object"};
    defaults.options.push_back(StringOption("object_site", "sugarbox", {}, "Site of the object."));
    const auto range = SiteRangeOptions({-0.4, 0.5, 0.78}, {-0.4, 0.5, 0.78});
    defaults.options.insert(defaults.options.end(), range.begin(), range.end());
    return defaults;
  }
  static ModelVariant Variant(const Options&) { return {}; }

  explicit PushTask(const Parameters& parameters) : ObjectTask(parameters) {}

 private:
  void Start(Env& env) const override { DrawTarget(env); }
};

// Where `randomize` is on, also the objects' shapes are drawn. Their bodies are free, so where the
// model puts them has no effect, and as in the original neither masses nor bounds follow the
// shapes.
class PickPlaceTask : public ObjectTask {
 public:
  static RoboHiveDefaults Defaults() {
    RoboHiveDefaults defaults = ObjectTask::Defaults();
    defaults.name = "robohive.PickPlace";
    defaults.model = "arms/franka/assets/franka_busbin_v0.xml";
    defaults.robot = "franka_busbin_v0";
    auto range = SiteRangeOptions({-0.235, 0.5, 0.85}, {-0.235, 0.5, 0.85});
    range[0].mutable_default_value()->set_string_value("drop_target");
    defaults.options.insert(defaults.options.end(), range.begin(), range.end());
    defaults.options.push_back(StringOption("object_site", "obj0", {}, "Site of the object."));
    defaults.options.push_back(
        BoolOption("randomize", false, "Draw target and objects at each reset."));
    defaults.options.push_back(DoubleListOption("geom_size_low", {0.2, 0.2, 0.2},
                                                "Least size of the objects' shapes, m."));
    defaults.options.push_back(DoubleListOption("geom_size_high", {0.05, 0.05, 0.05},
                                                "Largest size of the objects' shapes, m."));
    return defaults;
  }
  static ModelVariant Variant(const Options&) { return {}; }

  explicit PickPlaceTask(const Parameters& parameters)
      : ObjectTask(parameters), sizes_{Numbers("geom_size_low", 3), Numbers("geom_size_high", 3)} {
    if (!GetBool(options(), "randomize")) return;
    randomize_ = true;
    for (const char* name : {"obj0", "obj1", "obj2"}) {
      const mjModel& model = engine_model();
      const int id = parts().Body(name);
      Body body;
      std::copy_n(model.body_pos + 3 * id, 3, body.base);
      body.pos = AddEdit(ModelArray::kBodyPos, name);
      body.quat = AddEdit(ModelArray::kBodyQuat, name);
      for (int k = 0; k < model.body_geomnum[id]; ++k) {
        const int geom = model.body_geomadr[id] + k;
        const std::string label = absl::StrCat(name, ".", k);
        body.geoms.push_back({AddEdit(ModelArray::kGeomType, geom, label),
                              AddEdit(ModelArray::kGeomSize, geom, label),
                              AddEdit(ModelArray::kGeomPos, geom, label),
                              AddEdit(ModelArray::kGeomQuat, geom, label),
                              AddEdit(ModelArray::kGeomRgba, geom, label)});
      }
      bodies_.push_back(std::move(body));
    }
  }

 private:
  struct Geom {
    int type, size, pos, quat, rgba;
  };
  struct Body {
    double base[3];
    int pos, quat;
    std::vector<Geom> geoms;
  };

  static void DrawQuaternion(NumpyRng& rng, double* quaternion) {
    double euler[3];
    rng.FillUniform(-kQuarterTurn, kQuarterTurn, euler);
    EulerToQuaternion(euler, quaternion);
  }

  void Start(Env& env) const override {
    if (!randomize_) return;
    DrawTarget(env);
    constexpr mjtGeom kShapes[] = {mjGEOM_SPHERE, mjGEOM_CAPSULE, mjGEOM_ELLIPSOID, mjGEOM_CYLINDER,
                                   mjGEOM_BOX};
    constexpr double kMove = -0.01;  // m
    for (const Body& body : bodies_) {
      for (int k = 0; k < 3; ++k)
        env.edits[body.pos + k] = body.base[k] + env.rng.Uniform(kMove, kMove);
      DrawQuaternion(env.rng, env.edits + body.quat);
      for (const Geom& geom : body.geoms) {
        env.edits[geom.type] = kShapes[env.rng.Integers(0, std::size(kShapes))];
        double* const size = env.edits + geom.size;
        sizes_.Draw(env.rng, size);
        for (int k = 0; k < 3; ++k) env.edits[geom.pos + k] = env.rng.Uniform(-size[k], size[k]);
        DrawQuaternion(env.rng, env.edits + geom.quat);
        for (int k = 0; k < 3; ++k) env.edits[geom.rgba + k] = env.rng.Uniform(0.2, 0.9);
        env.edits[geom.rgba + 3] = env.rng.Uniform(1, 1);
      }
    }
  }

  const SiteRange sizes_;
  bool randomize_ = false;
  std::vector<Body> bodies_;
};

}  // namespace

TaskClass PushClass(std::shared_ptr<RoboHiveLibrary> library,
                    std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<PushTask>(std::move(library), std::move(robots));
}

TaskClass PickPlaceClass(std::shared_ptr<RoboHiveLibrary> library,
                         std::shared_ptr<const RobotLibrary> robots) {
  return MakeRoboHiveClass<PickPlaceTask>(std::move(library), std::move(robots));
}

}  // namespace hivewire
