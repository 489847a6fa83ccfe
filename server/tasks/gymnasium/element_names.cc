#include "server/tasks/gymnasium/element_names.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

constexpr BodyPart kBallPosition[] = {{"qw", ""}, {"qx", ""}, {"qy", ""}, {"qz", ""}};
constexpr BodyPart kFreePosition[] = {{"x", "m"}, {"y", "m"}, {"z", "m"}, {"qw", ""},
                                      {"qx", ""}, {"qy", ""}, {"qz", ""}};
constexpr absl::string_view kLinear[] = {"vx", "vy", "vz"};
constexpr absl::string_view kAngular[] = {"wx", "wy", "wz"};

// Unnamed parts of a model go by their number.
std::string NameOf(const mjModel& model, mjtObj type, int id) {
  const char* name = mj_id2name(&model, type, id);
  return name != nullptr && *name != '\0' ? name : absl::StrCat(mju_type2Str(type), id);
}

}  // namespace

Elements PositionElements(const mjModel& model) {
  Elements elements;
  for (int joint = 0; joint < model.njnt; ++joint) {
    const std::string name = NameOf(model, mjOBJ_JOINT, joint);
    const auto append = [&](absl::Span<const BodyPart> parts) {
      for (const BodyPart& part : parts)
        elements.push_back({absl::StrCat(name, ".", part.name), std::string(part.unit)});
    };
    switch (model.jnt_type[joint]) {
      case mjJNT_FREE:
        append(kFreePosition);
        break;
      case mjJNT_BALL:
        append(kBallPosition);
        break;
      default:
        elements.push_back({name, model.jnt_type[joint] == mjJNT_SLIDE ? "m" : "rad"});
    }
  }
  return elements;
}

Elements DofElements(const mjModel& model, const DofQuantity& quantity) {
  Elements elements;
  for (int joint = 0; joint < model.njnt; ++joint) {
    const std::string name = absl::StrCat(NameOf(model, mjOBJ_JOINT, joint), ".", quantity.name);
    const int type = model.jnt_type[joint];
    const auto append = [&](absl::Span<const absl::string_view> axes, absl::string_view unit) {
      for (const absl::string_view axis : axes)
        elements.push_back({absl::StrCat(name, ".", axis), std::string(unit)});
    };
    if (type == mjJNT_FREE) append(kLinear, quantity.linear_unit);
    if (type == mjJNT_FREE || type == mjJNT_BALL) {
      append(kAngular, quantity.angular_unit);
    } else {
      elements.push_back(
          {name, std::string(type == mjJNT_SLIDE ? quantity.linear_unit : quantity.angular_unit)});
    }
  }
  return elements;
}

Elements StateElements(const mjModel& model, int skipped) {
  Elements elements = PositionElements(model);
  elements.erase(elements.begin(), elements.begin() + skipped);
  for (Element& element : DofElements(model, kVelocity)) elements.push_back(std::move(element));
  return elements;
}

Elements BodyElements(const mjModel& model, int first, absl::string_view quantity,
                      absl::Span<const BodyPart> parts) {
  Elements elements;
  for (int body = first; body < model.nbody; ++body) {
    const std::string name = NameOf(model, mjOBJ_BODY, body);
    for (const BodyPart& part : parts) {
      elements.push_back(
          {absl::StrCat(name, ".", quantity, ".", part.name), std::string(part.unit)});
    }
  }
  return elements;
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
