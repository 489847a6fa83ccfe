#include "server/tasks/gymnasium/element_names.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

using Parts = absl::Span<const absl::string_view>;

constexpr absl::string_view kBallPosition[] = {"qw", "qx", "qy", "qz"};
constexpr absl::string_view kFreePosition[] = {"x", "y", "z", "qw", "qx", "qy", "qz"};
constexpr absl::string_view kBallVelocity[] = {"wx", "wy", "wz"};
constexpr absl::string_view kFreeVelocity[] = {"vx", "vy", "vz", "wx", "wy", "wz"};

// Unnamed parts of a model go by their number.
std::string NameOf(const mjModel& model, mjtObj type, int id) {
  const char* name = mj_id2name(&model, type, id);
  return name != nullptr && *name != '\0' ? name : absl::StrCat(mju_type2Str(type), id);
}

void Append(const std::string& name, Parts parts, std::vector<std::string>& names) {
  if (parts.empty()) names.push_back(name);
  for (const absl::string_view part : parts) names.push_back(absl::StrCat(name, ".", part));
}

Parts PartsOf(int joint_type, Parts ball, Parts free) {
  if (joint_type == mjJNT_BALL) return ball;
  return joint_type == mjJNT_FREE ? free : Parts();
}

}  // namespace

std::vector<std::string> PositionNames(const mjModel& model) {
  std::vector<std::string> names;
  for (int joint = 0; joint < model.njnt; ++joint) {
    Append(NameOf(model, mjOBJ_JOINT, joint),
           PartsOf(model.jnt_type[joint], kBallPosition, kFreePosition), names);
  }
  return names;
}

std::vector<std::string> DofNames(const mjModel& model, absl::string_view quantity) {
  std::vector<std::string> names;
  for (int joint = 0; joint < model.njnt; ++joint) {
    Append(absl::StrCat(NameOf(model, mjOBJ_JOINT, joint), ".", quantity),
           PartsOf(model.jnt_type[joint], kBallVelocity, kFreeVelocity), names);
  }
  return names;
}

std::vector<std::string> StateNames(const mjModel& model, int skipped) {
  std::vector<std::string> names = PositionNames(model);
  names.erase(names.begin(), names.begin() + skipped);
  for (std::string& name : DofNames(model, "velocity")) names.push_back(std::move(name));
  return names;
}

std::vector<std::string> BodyNames(const mjModel& model, int first, absl::string_view quantity,
                                   absl::Span<const absl::string_view> parts) {
  std::vector<std::string> names;
  for (int body = first; body < model.nbody; ++body)
    Append(absl::StrCat(NameOf(model, mjOBJ_BODY, body), ".", quantity), parts, names);
  return names;
}

std::vector<std::string> ActuatorNames(const mjModel& model) {
  std::vector<std::string> names;
  for (int actuator = 0; actuator < model.nu; ++actuator) {
    const char* name = mj_id2name(&model, mjOBJ_ACTUATOR, actuator);
    const bool named = name != nullptr && *name != '\0';
    if (!named && model.actuator_trntype[actuator] == mjTRN_JOINT) {
      names.push_back(NameOf(model, mjOBJ_JOINT, model.actuator_trnid[2 * actuator]));
    } else {
      names.push_back(NameOf(model, mjOBJ_ACTUATOR, actuator));
    }
  }
  return names;
}

}  // namespace hivewire
