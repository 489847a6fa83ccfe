#include "server/tasks/composed/source.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/tasks/composed/frame.h"
#include "server/tasks/composed/joints.h"
#include "server/tasks/composed/model_names.h"

namespace hivewire {
namespace {

const std::vector<std::string> kAxes = {"x", "y", "z"};

// Numbers of one array of mjData.
QuantityStage Gather(mjtNum* mjData::*array, Addresses addresses, Depth depth) {
  return {.run =
              [array, index = std::move(addresses.index)](const Scene& scene, double* out) {
                const mjtNum* values = scene.data->*array;
                for (const int i : index) *out++ = values[i];
              },
          .size = static_cast<int>(addresses.names.size()),
          .depth = depth,
          .element_names = std::move(addresses.names)};
}

QuantityStage GatherAction(absl::Span<const double> Scene::*action, const Setting& setting) {
  return {.run =
              [action](const Scene& scene, double* out) {
                std::copy((scene.*action).begin(), (scene.*action).end(), out);
              },
          .size = static_cast<int>(setting.action_names.size()),
          .element_names = setting.action_names};
}

// Makes the stage of each kind of source. `field` is the path of the source in its file.
class SourceCompiler {
 public:
  SourceCompiler(const Setting& setting, absl::string_view field)
      : setting_(setting), model_(setting.model), field_(field) {}

  absl::StatusOr<QuantityStage> Joints(mjtNum* mjData::*array, const v1::Names& joints) const {
    auto addresses = array == &mjData::qpos ? PositionsOfJoints(model_, joints, field_)
                                            : VelocitiesOfJoints(model_, joints, field_);
    if (!addresses.ok()) return addresses.status();
    return Gather(array, *std::move(addresses), Depth::kState);
  }

  absl::StatusOr<QuantityStage> Sensors(const v1::Names& sensors) const {
    const auto ids = FindParts(model_, mjOBJ_SENSOR, sensors.name(), NameField());
    if (!ids.ok()) return ids.status();
    Addresses addresses;
    for (const int id : *ids)
      addresses.Add(NameOfPart(model_, mjOBJ_SENSOR, id), model_->sensor_adr[id],
                    model_->sensor_dim[id]);
    return Gather(&mjData::sensordata, std::move(addresses), Depth::kForce);
  }

  absl::StatusOr<QuantityStage> Actuators(mjtNum* mjData::*array, const v1::Names& actuators,
                                          Depth depth) const {
    const auto ids = FindParts(model_, mjOBJ_ACTUATOR, actuators.name(), NameField());
    if (!ids.ok()) return ids.status();
    Addresses addresses;
    for (const int id : *ids) addresses.Add(NameOfPart(model_, mjOBJ_ACTUATOR, id), id, 1);
    return Gather(array, std::move(addresses), depth);
  }

  absl::StatusOr<QuantityStage> Position(const v1::Frame& frame) const {
    return OfFrame(frame, Depth::kPosition, kAxes,
                   [](const Frame& frame, const Scene& scene, double* out) {
                     mju_copy3(out, frame.Position(scene.data));
                   });
  }

  absl::StatusOr<QuantityStage> Quaternion(const v1::Frame& frame) const {
    return OfFrame(frame, Depth::kPosition, {"w", "x", "y", "z"},
                   [](const Frame& frame, const Scene& scene, double* out) {
                     mju_mat2Quat(out, frame.Axes(scene.data));
                   });
  }

  absl::StatusOr<QuantityStage> Up(const v1::Frame& frame) const {
    return OfFrame(frame, Depth::kPosition, kAxes,
                   [](const Frame& frame, const Scene& scene, double* out) {
                     const double* axes = frame.Axes(scene.data);
                     for (int row = 0; row < 3; ++row) out[row] = axes[3 * row + 2];
                   });
  }

  absl::StatusOr<QuantityStage> AngularVelocity(const v1::Frame& frame) const {
    return OfFrame(frame, Depth::kVelocity, kAxes,
                   [](const Frame& frame, const Scene& scene, double* out) {
                     double velocity[6];
                     frame.Velocity(scene.model, scene.data, velocity);
                     mju_copy3(out, velocity);
                   });
  }

  absl::StatusOr<QuantityStage> LinearVelocity(const v1::Frame& frame) const {
    return OfFrame(frame, Depth::kVelocity, kAxes,
                   [](const Frame& frame, const Scene& scene, double* out) {
                     double velocity[6];
                     frame.Velocity(scene.model, scene.data, velocity);
                     mju_copy3(out, velocity + 3);
                   });
  }

  absl::StatusOr<QuantityStage> Vector(const v1::Between& between) const {
    const auto from = Frame::Compile(between.from(), model_, absl::StrCat(field_, ".from"));
    if (!from.ok()) return from.status();
    const auto to = Frame::Compile(between.to(), model_, absl::StrCat(field_, ".to"));
    if (!to.ok()) return to.status();
    return QuantityStage{.run =
                             [from = *from, to = *to](const Scene& scene, double* out) {
                               mju_sub3(out, to.Position(scene.data), from.Position(scene.data));
                             },
                         .size = 3,
                         .depth = Depth::kPosition,
                         .element_names = kAxes};
  }

  absl::StatusOr<QuantityStage> Distance(const v1::Between& between) const {
    auto vector = Vector(between);
    if (!vector.ok()) return vector.status();
    return QuantityStage{.run =
                             [vector = std::move(vector->run)](const Scene& scene, double* out) {
                               vector(scene, out);
                               out[0] = mju_norm3(out);
                             },
                         .size = 1,
                         .workspace = 3,
                         .depth = vector->depth};
  }

  absl::StatusOr<QuantityStage> Constant(const v1::DoubleList& list) const {
    if (list.values().empty()) return FieldError(field_, "has no values");
    std::vector<double> values(list.values().begin(), list.values().end());
    const int size = static_cast<int>(values.size());
    return QuantityStage{
        .run = [values = std::move(values)](
                   const Scene&, double* out) { std::copy(values.begin(), values.end(), out); },
        .size = size};
  }

  absl::StatusOr<QuantityStage> Difference(const v1::Difference& proto) const {
    auto left = Quantity::Compile(proto.left(), setting_, absl::StrCat(field_, ".left"));
    if (!left.ok()) return left.status();
    auto right = Quantity::Compile(proto.right(), setting_, absl::StrCat(field_, ".right"));
    if (!right.ok()) return right.status();
    const int size = std::max(left->size(), right->size());
    if (std::min(left->size(), right->size()) != 1 && left->size() != right->size())
      return FieldError(
          field_, absl::StrCat("left has ", left->size(), " elements, right ", right->size()));
    QuantityStage stage{.size = size,
                        .workspace = size + std::max(left->workspace(), right->workspace()),
                        .depth = std::max(left->depth(), right->depth()),
                        .element_names = left->element_names()};
    if (left->size() != size) stage.element_names = right->element_names();
    // The right side is computed behind the room that the left side's values keep.
    stage.run = [left = *std::move(left), right = *std::move(right), size](const Scene& scene,
                                                                           double* out) {
      double* other = out + size;
      left.EvaluateIn(scene, other);
      for (int i = 0; i < size; ++i) out[i] = other[left.size() == 1 ? 0 : i];
      right.EvaluateIn(scene, other);
      for (int i = 0; i < size; ++i) out[i] -= other[right.size() == 1 ? 0 : i];
    };
    return stage;
  }

 private:
  // `read` takes (frame, scene, out).
  template <typename Read>
  absl::StatusOr<QuantityStage> OfFrame(const v1::Frame& proto, Depth depth,
                                        const std::vector<std::string>& element_names,
                                        Read read) const {
    const auto frame = Frame::Compile(proto, model_, field_);
    if (!frame.ok()) return frame.status();
    return QuantityStage{
        .run = [frame = *frame, read](const Scene& scene, double* out) { read(frame, scene, out); },
        .size = static_cast<int>(element_names.size()),
        .depth = depth,
        .element_names = element_names};
  }

  std::string NameField() const { return absl::StrCat(field_, ".name"); }

  const Setting& setting_;
  const mjModel* model_;
  std::string field_;
};

const google::protobuf::OneofDescriptor* SourceOneof() {
  return v1::Quantity::descriptor()->FindOneofByName("source");
}

std::string SourceField(const v1::Quantity& quantity, absl::string_view field) {
  const google::protobuf::FieldDescriptor* source =
      quantity.GetReflection()->GetOneofFieldDescriptor(quantity, SourceOneof());
  return source == nullptr ? std::string(field) : absl::StrCat(field, ".", source->name());
}

absl::Status NoSource(absl::string_view field) {
  std::vector<std::string> names;
  for (int i = 0; i < SourceOneof()->field_count(); ++i)
    names.push_back(SourceOneof()->field(i)->name());
  return FieldError(
      field, absl::StrCat("has no source; one of ", absl::StrJoin(names, ", "), " is needed"));
}

}  // namespace

absl::StatusOr<QuantityStage> CompileSource(const v1::Quantity& quantity, const Setting& setting,
                                            absl::string_view field) {
  const SourceCompiler compiler(setting, SourceField(quantity, field));
  switch (quantity.source_case()) {
    case v1::Quantity::kJointPosition:
      return compiler.Joints(&mjData::qpos, quantity.joint_position());
    case v1::Quantity::kJointVelocity:
      return compiler.Joints(&mjData::qvel, quantity.joint_velocity());
    case v1::Quantity::kPosition:
      return compiler.Position(quantity.position());
    case v1::Quantity::kQuaternion:
      return compiler.Quaternion(quantity.quaternion());
    case v1::Quantity::kUp:
      return compiler.Up(quantity.up());
    case v1::Quantity::kLinearVelocity:
      return compiler.LinearVelocity(quantity.linear_velocity());
    case v1::Quantity::kAngularVelocity:
      return compiler.AngularVelocity(quantity.angular_velocity());
    case v1::Quantity::kVector:
      return compiler.Vector(quantity.vector());
    case v1::Quantity::kDistance:
      return compiler.Distance(quantity.distance());
    case v1::Quantity::kSensor:
      return compiler.Sensors(quantity.sensor());
    case v1::Quantity::kActuatorForce:
      return compiler.Actuators(&mjData::actuator_force, quantity.actuator_force(), Depth::kForce);
    case v1::Quantity::kControl:
      return compiler.Actuators(&mjData::ctrl, quantity.control(), Depth::kState);
    case v1::Quantity::kAction:
      return GatherAction(&Scene::action, setting);
    case v1::Quantity::kPreviousAction:
      return GatherAction(&Scene::previous_action, setting);
    case v1::Quantity::kTime:
      return QuantityStage{.run = [](const Scene& scene, double* out) { *out = scene.data->time; },
                           .size = 1};
    case v1::Quantity::kConstant:
      return compiler.Constant(quantity.constant());
    case v1::Quantity::kDifference:
      return compiler.Difference(quantity.difference());
    case v1::Quantity::SOURCE_NOT_SET:
      break;
  }
  return NoSource(field);
}

}  // namespace hivewire
