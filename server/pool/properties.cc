#include "server/pool/properties.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/layout.h"
#include "base/nearest.h"
#include "base/value.h"
#include "server/tasks/properties.h"

namespace hivewire {
namespace {

std::string FieldName(absl::string_view name) { return absl::StrCat("values[\"", name, "\"]"); }

absl::Status BadValue(const v1::PropertySpec& property, absl::string_view problem,
                      absl::string_view value) {
  const std::string field = FieldName(property.name());
  return MakeError(v1::ERROR_REASON_BAD_OPTION, absl::StrCat(field, ": ", problem), field, value);
}

// The code of "not yours to change"; reason and field as for a property that is not there.
absl::Status ReadOnly(const std::string& name) {
  const std::string field = FieldName(name);
  const absl::Status unknown = MakeError(v1::ERROR_REASON_UNKNOWN_PROPERTY, "", field, name);
  absl::Status status(absl::StatusCode::kPermissionDenied, absl::StrCat(field, ": is read-only"));
  unknown.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    status.SetPayload(type_url, payload);
  });
  return status;
}

template <typename T>
std::vector<double> ToDoubles(const std::string& data) {
  std::vector<double> values(data.size() / sizeof(T));
  for (size_t k = 0; k < values.size(); ++k) {
    T value;
    std::memcpy(&value, data.data() + k * sizeof(T), sizeof(T));
    values[k] = static_cast<double>(value);
  }
  return values;
}

absl::StatusOr<std::vector<double>> NumbersOfTensor(const v1::PropertySpec& property,
                                                    const v1::Tensor& tensor) {
  if (!std::equal(tensor.shape().begin(), tensor.shape().end(), property.shape().begin(),
                  property.shape().end())) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat(FieldName(property.name()),
                                  ": the tensor's shape is not the "
                                  "property's (see EnvSpec)"),
                     FieldName(property.name()));
  }
  switch (tensor.dtype()) {
    case v1::DTYPE_FLOAT64:
      return ToDoubles<double>(tensor.data());
    case v1::DTYPE_FLOAT32:
      return ToDoubles<float>(tensor.data());
    default:
      return BadValue(property, "a tensor must be DTYPE_FLOAT64 or DTYPE_FLOAT32",
                      v1::DType_IsValid(tensor.dtype()) ? v1::DType_Name(tensor.dtype()) : "");
  }
}

absl::Status CheckNumbers(const v1::PropertySpec& property, const std::vector<double>& numbers) {
  const size_t expected = NumElements(property.shape());
  if (numbers.size() != expected) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat(FieldName(property.name()), ": ", numbers.size(),
                                  " numbers where it has ", expected),
                     FieldName(property.name()), absl::StrCat(numbers.size()));
  }
  for (size_t k = 0; k < numbers.size(); ++k) {
    const double number = numbers[k];
    const std::string value = absl::StrCat(number);
    if (!std::isfinite(number)) {
      return BadValue(property, absl::StrCat("element ", k, " is ", value, ", not finite"), value);
    }
    if (property.has_minimum() && number < property.minimum()) {
      return BadValue(
          property, absl::StrCat("element ", k, " is ", value, ", less than ", property.minimum()),
          value);
    }
    if (property.has_maximum() && number > property.maximum()) {
      return BadValue(
          property, absl::StrCat("element ", k, " is ", value, ", more than ", property.maximum()),
          value);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> NumbersOf(const v1::PropertySpec& property,
                                              const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kDoubleValue:
      return std::vector<double>{value.double_value()};
    case v1::Value::kIntValue:
      return std::vector<double>{static_cast<double>(value.int_value())};
    case v1::Value::kDoubleList:
      return std::vector<double>(value.double_list().values().begin(),
                                 value.double_list().values().end());
    case v1::Value::kTensorValue:
      return NumbersOfTensor(property, value.tensor_value());
    default:
      return BadValue(property,
                      absl::StrCat(Excerpt(FormatValue(value)), " is not numbers (",
                                   NumElements(property.shape()), " of them are needed)"),
                      Excerpt(FormatValue(value)));
  }
}

v1::Value ValueOf(const v1::PropertySpec& property, absl::Span<const double> numbers) {
  v1::Value value;
  if (property.shape().empty()) {
    value.set_double_value(numbers[0]);
  } else {
    value.mutable_double_list()->mutable_values()->Assign(numbers.begin(), numbers.end());
  }
  return value;
}

absl::Status NeverReset(const Lane& lane, absl::string_view name) {
  return MakeError(v1::ERROR_REASON_NEEDS_RESET,
                   absl::StrCat(FieldName(name), ": lane ", lane.env_id,
                                " has no state yet: it was never reset"),
                   FieldName(name));
}

// Where a part begins in a row of the engine's whole state.
size_t OffsetOf(const mjModel& model, mjtState part) {
  // Parts lie in the order of their bits.
  return static_cast<size_t>(mj_stateSize(&model, mjSTATE_INTEGRATION & (part - 1)));
}

}  // namespace

absl::StatusOr<const v1::PropertySpec*> Properties::Find(absl::string_view name) const {
  const auto& known = spec_.description().spec().properties();
  for (const v1::PropertySpec& property : known) {
    if (property.name() == name) return &property;
  }
  std::vector<std::string> names;
  for (const v1::PropertySpec& property : known) names.push_back(property.name());
  return MakeError(v1::ERROR_REASON_UNKNOWN_PROPERTY,
                   absl::StrCat("env \"", spec_.description().spec().id(), "\" has no property \"",
                                Excerpt(name), "\"", NearestHint(name, names)),
                   FieldName(Excerpt(name)), Excerpt(name));
}

const StateProperty* Properties::FindOwn(absl::string_view name) const {
  for (const StateProperty& property : own_) {
    if (property.spec.name() == name) return &property;
  }
  return nullptr;
}

absl::Status Properties::OnEngine(absl::FunctionRef<void(Simulation&)> body) {
  if (simulation_ == nullptr) {
    auto made = Simulation::Create(spec_.task().model());
    if (!made.ok()) return made.status();
    simulation_ = *std::move(made);
  }
  const absl::Status status = Simulation::Guard([&] { body(*simulation_); });
  if (!status.ok()) simulation_.reset();
  return status;
}

absl::StatusOr<v1::Value> Properties::Get(const Lane& lane, absl::string_view name) const {
  const auto property = Find(name);
  if (!property.ok()) return property.status();
  if (const StateProperty* own = FindOwn(name)) {
    if (lane.episode == 0) return NeverReset(lane, name);
    return ValueOf(
        **property,
        absl::MakeSpan(lane.task_state).subspan(own->offset, NumElements((*property)->shape())));
  }
  const mjModel& model = *spec_.task().model()->get();
  if (const EngineProperty* part = FindEngineProperty(name)) {
    if (lane.episode == 0) return NeverReset(lane, name);
    return ValueOf(**property,
                   absl::MakeSpan(lane.state)
                       .subspan(OffsetOf(model, part->part), NumElements((*property)->shape())));
  }
  if (lane.overrides != nullptr) {
    const auto set = lane.overrides->values().find(name);
    if (set != lane.overrides->values().end()) return ValueOf(**property, set->second);
  }
  return ValueOf(**property, FindModelField(name)->Read(model));
}

absl::Status Properties::Set(const Values& values, Lane& lane) {
  ModelOverrides::Values of_model;
  if (lane.overrides != nullptr) of_model = lane.overrides->values();
  std::vector<double> state = lane.state;
  std::vector<double> task_state = lane.task_state;
  bool sets_model = false;
  bool sets_engine = false;
  for (const auto& [name, value] : values) {
    const auto property = Find(name);
    if (!property.ok()) return property.status();
    if (!(*property)->writable()) return ReadOnly(name);
    auto numbers = NumbersOf(**property, value);
    if (!numbers.ok()) return numbers.status();
    const absl::Status status = CheckNumbers(**property, *numbers);
    if (!status.ok()) return status;
    const StateProperty* own = FindOwn(name);
    const EngineProperty* part = FindEngineProperty(name);
    if (own == nullptr && part == nullptr) {
      of_model[name] = *std::move(numbers);
      sets_model = true;
      continue;
    }
    if (lane.episode == 0) return NeverReset(lane, name);
    if (own != nullptr) {
      std::copy(numbers->begin(), numbers->end(),
                task_state.begin() + static_cast<ptrdiff_t>(own->offset));
    } else {
      const size_t offset = OffsetOf(*spec_.task().model()->get(), part->part);
      std::copy(numbers->begin(), numbers->end(), state.begin() + static_cast<ptrdiff_t>(offset));
      sets_engine = true;
    }
  }
  std::shared_ptr<const ModelOverrides> overrides = lane.overrides;
  if (sets_model) {
    auto made = MakeOverrides(std::move(of_model));
    if (!made.ok()) return made.status();
    overrides = *std::move(made);
  }
  if ((sets_model || sets_engine) && lane.episode > 0) {
    MutexLock lock(mutex_);
    NumpyRng unused = lane.rng;
    const absl::Status status = OnEngine([&](Simulation& simulation) {
      simulation.Use(overrides);
      if (spec_.task().edits_model())
        spec_.task().EditModel(task_state, simulation.UseEdited(spec_.shared_task()));
      simulation.Load(state);
      simulation.Forward();
      TaskContext context{&simulation, absl::MakeSpan(task_state), &unused};
      spec_.task().OnPropertiesSet(context);
      // Where the model alone changed, the state is what it was to the last bit.
      if (sets_engine) simulation.Save(absl::MakeSpan(state));
      Simulation::ForgetStep(absl::MakeSpan(state));
    });
    if (!status.ok()) return Annotate(status, "values");
    const absl::Status diverged = simulation_->CheckState();
    if (!diverged.ok()) return Annotate(diverged, "values");
  }
  lane.overrides = std::move(overrides);
  lane.state = std::move(state);
  lane.task_state = std::move(task_state);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const ModelOverrides>> Properties::MakeOverrides(
    ModelOverrides::Values values) {
  if (values.empty()) return nullptr;
  for (const auto& [name, numbers] : values) {
    const auto property = Find(name);
    if (!property.ok()) return property.status();
    if (spec_.task().model() == nullptr || FindModelField(name) == nullptr || FindOwn(name)) {
      return BadValue(**property, "is not of the model", name);
    }
    const absl::Status status = CheckNumbers(**property, numbers);
    if (!status.ok()) return status;
  }
  std::shared_ptr<const ModelOverrides> overrides;
  MutexLock lock(mutex_);
  const absl::Status status =
      OnEngine([&](Simulation& simulation) { overrides = simulation.Override(std::move(values)); });
  if (!status.ok()) return Annotate(status, "values");
  if (!overrides->finite()) {
    return MakeError(v1::ERROR_REASON_BAD_OPTION,
                     "values: the engine cannot compute the constants of a model with these",
                     "values");
  }
  return overrides;
}

}  // namespace hivewire
