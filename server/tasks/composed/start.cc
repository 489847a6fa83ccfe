#include "server/tasks/composed/start.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/composed/joints.h"
#include "server/tasks/composed/model_names.h"

namespace hivewire {
namespace {

using Doubles = google::protobuf::RepeatedField<double>;

// One value an element from a list of one for all, one each, or (where `optional`) none for 0.
absl::StatusOr<std::vector<double>> PerElement(const Doubles& values, size_t size, bool optional,
                                               absl::string_view field) {
  for (int i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      return FieldError(absl::StrCat(field, "[", i, "]"), "is not finite");
  }
  const size_t given = values.size();
  if (given == 0 && optional) return std::vector<double>(size, 0.0);
  if (given == 1) return std::vector<double>(size, values[0]);
  if (given == size) return std::vector<double>(values.begin(), values.end());
  return FieldError(field, absl::StrCat("has ", given, " values; needs 1 for all, or ", size,
                                        ", one an element"));
}

absl::StatusOr<std::vector<int>> MocapIndices(const mjModel* model, const std::string& body,
                                              absl::string_view field) {
  const auto id = FindPart(model, mjOBJ_BODY, body, field);
  if (!id.ok()) return id.status();
  const int mocap = model->body_mocapid[*id];
  if (mocap < 0)
    return FieldError(
        field,
        absl::StrCat("body \"", body, "\" cannot be placed: give it mocap=\"true\" in the MJCF"));
  return std::vector<int>{3 * mocap, 3 * mocap + 1, 3 * mocap + 2};
}

}  // namespace

absl::StatusOr<StartState::Target> StartState::CompileTarget(const v1::Randomize& randomize,
                                                             const mjModel* model,
                                                             absl::string_view field) {
  switch (randomize.what_case()) {
    case v1::Randomize::kJointPosition: {
      auto joints = PositionsOfJoints(model, randomize.joint_position(),
                                      absl::StrCat(field, ".joint_position"));
      if (!joints.ok()) return joints.status();
      return Target{&mjData::qpos, std::move(joints->index)};
    }
    case v1::Randomize::kJointVelocity: {
      auto joints = VelocitiesOfJoints(model, randomize.joint_velocity(),
                                       absl::StrCat(field, ".joint_velocity"));
      if (!joints.ok()) return joints.status();
      return Target{&mjData::qvel, std::move(joints->index)};
    }
    case v1::Randomize::kMocapPosition: {
      auto index =
          MocapIndices(model, randomize.mocap_position(), absl::StrCat(field, ".mocap_position"));
      if (!index.ok()) return index.status();
      return Target{&mjData::mocap_pos, *std::move(index)};
    }
    case v1::Randomize::kSitePosition:
      return CompilePlace(mjOBJ_SITE, randomize.site_position(), model,
                          absl::StrCat(field, ".site_position"));
    case v1::Randomize::kBodyPosition:
      return CompilePlace(mjOBJ_BODY, randomize.body_position(), model,
                          absl::StrCat(field, ".body_position"));
    case v1::Randomize::WHAT_NOT_SET:
      break;
  }
  return FieldError(field,
                    "one of joint_position, joint_velocity, mocap_position, site_position, "
                    "body_position is needed");
}

absl::StatusOr<StartState::Target> StartState::CompilePlace(mjtObj type, const std::string& name,
                                                            const mjModel* model,
                                                            absl::string_view field) {
  const auto id = FindPart(model, type, name, field);
  if (!id.ok()) return id.status();
  mjtNum* mjModel::*const array = type == mjOBJ_SITE ? &mjModel::site_pos : &mjModel::body_pos;
  const auto taken = std::find_if(places_.begin(), places_.end(), [&](const Place& place) {
    return place.array == array && place.id == *id;
  });
  if (taken != places_.end())
    return FieldError(field, absl::StrCat("\"", name, "\" is placed by an entry above"));
  Place place{array, *id, {}};
  std::copy_n(model->*array + 3 * *id, 3, place.base.begin());
  const int begin = static_cast<int>(edits_size());
  places_.push_back(place);
  return Target{nullptr, {begin, begin + 1, begin + 2}};
}

absl::StatusOr<StartState::Distribution> StartState::CompileUniform(const v1::Uniform& uniform,
                                                                    size_t size,
                                                                    absl::string_view field) {
  auto low = PerElement(uniform.low(), size, /*optional=*/false, absl::StrCat(field, ".low"));
  if (!low.ok()) return low.status();
  auto high = PerElement(uniform.high(), size, /*optional=*/false, absl::StrCat(field, ".high"));
  if (!high.ok()) return high.status();
  for (size_t i = 0; i < size; ++i) {
    if ((*low)[i] > (*high)[i])
      return FieldError(field, absl::StrCat("low ", (*low)[i], " is above high ", (*high)[i]));
  }
  return Distribution{.normal = false, .first = *std::move(low), .second = *std::move(high)};
}

absl::StatusOr<StartState::Distribution> StartState::CompileNormal(const v1::Normal& normal,
                                                                   size_t size,
                                                                   absl::string_view field) {
  auto mean = PerElement(normal.mean(), size, /*optional=*/true, absl::StrCat(field, ".mean"));
  if (!mean.ok()) return mean.status();
  auto deviation =
      PerElement(normal.deviation(), size, /*optional=*/false, absl::StrCat(field, ".deviation"));
  if (!deviation.ok()) return deviation.status();
  for (const double value : *deviation) {
    if (value < 0)
      return FieldError(absl::StrCat(field, ".deviation"), absl::StrCat(value, " is below 0"));
  }
  return Distribution{.normal = true, .first = *std::move(mean), .second = *std::move(deviation)};
}

absl::StatusOr<StartState::Randomized> StartState::CompileOne(const v1::Randomize& randomize,
                                                              const mjModel* model,
                                                              absl::string_view field) {
  auto target = CompileTarget(randomize, model, field);
  if (!target.ok()) return target.status();
  const size_t size = target->index.size();
  absl::StatusOr<Distribution> distribution;
  if (randomize.has_uniform()) {
    distribution = CompileUniform(randomize.uniform(), size, absl::StrCat(field, ".uniform"));
  } else if (randomize.has_normal()) {
    distribution = CompileNormal(randomize.normal(), size, absl::StrCat(field, ".normal"));
  } else {
    return FieldError(field, "one of uniform, normal is needed");
  }
  if (!distribution.ok()) return distribution.status();
  return Randomized{*std::move(target), *std::move(distribution), randomize.replace()};
}

absl::StatusOr<StartState> StartState::Compile(const v1::Start& start, const mjModel* model,
                                               absl::string_view field) {
  StartState state;
  if (!start.keyframe().empty()) {
    const auto key = FindPart(model, mjOBJ_KEY, start.keyframe(), absl::StrCat(field, ".keyframe"));
    if (!key.ok()) return key.status();
    state.keyframe_ = *key;
  }
  for (int id = 0; start.driven_joints_in_the_middle() && id < model->nu; ++id) {
    const int joint = model->actuator_trnid[2 * id];
    if (model->actuator_trntype[id] != mjTRN_JOINT) continue;
    if (model->jnt_type[joint] != mjJNT_HINGE && model->jnt_type[joint] != mjJNT_SLIDE) continue;
    state.middles_.emplace_back(
        model->jnt_qposadr[joint],
        (model->jnt_range[2 * joint] + model->jnt_range[2 * joint + 1]) / 2);
  }
  for (int i = 0; i < start.randomize_size(); ++i) {
    auto randomized =
        state.CompileOne(start.randomize(i), model, absl::StrCat(field, ".randomize[", i, "]"));
    if (!randomized.ok()) return randomized.status();
    state.randomized_.push_back(*std::move(randomized));
  }
  return state;
}

void StartState::Draw(const mjModel* model, mjData* data, NumpyRng& rng,
                      absl::Span<double> edits) const {
  if (keyframe_ >= 0) mj_resetDataKeyframe(model, data, keyframe_);
  for (const auto& [address, value] : middles_) data->qpos[address] = value;
  for (size_t i = 0; i < places_.size(); ++i)
    std::copy_n(places_[i].base.begin(), 3, edits.begin() + 3 * i);
  for (const auto& [target, distribution, replace] : randomized_) {
    for (size_t i = 0; i < target.index.size(); ++i) {
      const double first = distribution.first[i];
      const double second = distribution.second[i];
      const double drawn =
          distribution.normal ? rng.Normal(first, second) : rng.Uniform(first, second);
      mjtNum* const values = target.array != nullptr ? data->*target.array : edits.data();
      mjtNum& value = values[target.index[i]];
      value = replace ? drawn : value + drawn;
    }
  }
  // Noise on a quaternion takes it off the unit sphere.
  mj_normalizeQuat(model, data->qpos);
}

void StartState::EditModel(absl::Span<const double> edits, mjModel& model) const {
  for (size_t i = 0; i < places_.size(); ++i) {
    const Place& place = places_[i];
    std::copy_n(edits.begin() + 3 * i, 3, model.*place.array + 3 * place.id);
    // Else the engine takes a site that was at its body's origin to be there still.
    if (place.array == &mjModel::site_pos) model.site_sameframe[place.id] = mjSAMEFRAME_NONE;
  }
}

}  // namespace hivewire
