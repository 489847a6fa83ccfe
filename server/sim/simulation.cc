#include "server/sim/simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "server/sim/collision_pairs.h"

namespace hivewire {
namespace {

struct EngineError : std::exception {
  explicit EngineError(const char* text) : message(text) {}
  const char* what() const noexcept override { return message.c_str(); }
  std::string message;
};

thread_local int guard_depth = 0;

// MuJoCo's error handler may not return. Under a guard it unwinds to it (libmujoco has unwind
// tables); without one there is nobody to go back to.
void OnEngineError(const char* message) {
  if (guard_depth > 0) throw EngineError(message);
  std::fprintf(stderr, "MuJoCo error outside a guard: %s\n", message);
  std::abort();
}

// Warnings are counted in mjData, where CheckState finds them; MuJoCo's own log file is not wanted.
void OnEngineWarning(const char*) {}

void InstallHandlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    mju_user_error = OnEngineError;
    mju_user_warning = OnEngineWarning;
  });
}

#ifdef HIVEWIRE_POISON_DERIVED
constexpr bool kPoison = true;
#else
constexpr bool kPoison = false;
#endif

// NaN into derived fields that tasks read, so that one who reads them before the engine recomputed
// them is found out.
void PoisonDerived(const mjModel& model, mjData& data) {
  const auto poison = [](mjtNum* field, mjtSize count) {
    for (mjtSize k = 0; k < count; ++k) field[k] = std::numeric_limits<mjtNum>::quiet_NaN();
  };
  poison(data.xpos, 3 * model.nbody);
  poison(data.xquat, 4 * model.nbody);
  poison(data.xipos, 3 * model.nbody);
  poison(data.geom_xpos, 3 * model.ngeom);
  poison(data.site_xpos, 3 * model.nsite);
  poison(data.cfrc_ext, 6 * model.nbody);
  poison(data.cvel, 6 * model.nbody);
  poison(data.cinert, 10 * model.nbody);
  poison(data.subtree_com, 3 * model.nbody);
  poison(data.sensordata, model.nsensordata);
  poison(data.qfrc_actuator, model.nv);
  poison(data.qfrc_constraint, model.nv);
  poison(data.ten_length, model.ntendon);
  poison(data.ten_velocity, model.ntendon);
  poison(data.actuator_force, model.nu);
}

constexpr mjtWarning kBadState[] = {mjWARN_BADQPOS, mjWARN_BADQVEL, mjWARN_BADQACC, mjWARN_BADCTRL};

}  // namespace

Simulation::Simulation(std::shared_ptr<const Model> model, mjData* data)
    : model_(std::move(model)),
      data_(data),
      active_(model_->get()),
      before_step_(model_->integration_size()) {}

Simulation::~Simulation() {
  mj_deleteData(data_);
  mj_deleteModel(own_);
}

absl::StatusOr<std::unique_ptr<Simulation>> Simulation::Create(std::shared_ptr<const Model> model) {
  mjData* data = nullptr;
  const absl::Status status = Guard([&] { data = mj_makeData(model->get()); });
  if (!status.ok() || data == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for an engine of ", model->name(), ": ", status.message()));
  }
  return std::unique_ptr<Simulation>(new Simulation(std::move(model), data));
}

mjModel& Simulation::OwnModel() {
  if (own_ == nullptr) {
    own_ = mj_copyModel(nullptr, model_->get());
    if (own_ == nullptr) mju_error("no memory for a copy of the model");
    // The shared model's are only read.
    shared_arrays_ = ModelOverrides::FloatArrays(const_cast<mjModel&>(*model_->get()));
    own_arrays_ = ModelOverrides::FloatArrays(*own_);
  }
  return *own_;
}

void Simulation::Use(const std::shared_ptr<const ModelOverrides>& overrides) {
  if (overrides == nullptr) {
    active_ = model_->get();
    return;
  }
  active_ = &OwnModel();
  DropEdits();
  if (applied_ == overrides) return;
  if (applied_ != nullptr) applied_->Revert(shared_arrays_, own_arrays_);
  overrides->Apply(own_arrays_);
  applied_ = overrides;
}

mjModel& Simulation::UseEdited(const std::shared_ptr<const void>& editor) {
  mjModel& model = OwnModel();
  if (active_ != &model) {
    if (applied_ != nullptr) applied_->Revert(shared_arrays_, own_arrays_);
    applied_.reset();
    active_ = &model;
  }
  if (editor_ != editor) {
    DropEdits();
    editor_ = editor;
  }
  return model;
}

void Simulation::DropEdits() {
  if (editor_ == nullptr) return;
  const mjModel& base = *model_->get();
  const auto restore = [](const auto* from, mjtSize count, auto* to) {
    std::copy_n(from, count, to);
  };
  restore(base.body_pos, 3 * base.nbody, own_->body_pos);
  restore(base.body_quat, 4 * base.nbody, own_->body_quat);
  restore(base.site_pos, 3 * base.nsite, own_->site_pos);
  restore(base.site_quat, 4 * base.nsite, own_->site_quat);
  restore(base.site_sameframe, base.nsite, own_->site_sameframe);
  restore(base.geom_type, base.ngeom, own_->geom_type);
  restore(base.geom_size, 3 * base.ngeom, own_->geom_size);
  restore(base.geom_pos, 3 * base.ngeom, own_->geom_pos);
  restore(base.geom_quat, 4 * base.ngeom, own_->geom_quat);
  restore(base.geom_rgba, 4 * base.ngeom, own_->geom_rgba);
  if (applied_ != nullptr) applied_->Apply(own_arrays_);
  editor_.reset();
}

std::shared_ptr<const ModelOverrides> Simulation::Override(ModelOverrides::Values values) {
  active_ = model_->get();
  if (values.empty()) return nullptr;
  mjModel& model = OwnModel();
  DropEdits();
  if (applied_ != nullptr) applied_->Revert(shared_arrays_, own_arrays_);
  bool has_constants = false;
  for (const auto& [name, numbers] : values) {
    const ModelField& field = *FindModelField(name);
    std::copy(numbers.begin(), numbers.end(), field.values(model));
    has_constants = has_constants || field.has_constants;
  }
  if (model_->has_found_pairs()) UpdateCollisionPairs(model);
  if (has_constants) {
    mj_resetData(&model, data_);
    mj_setConst(&model, data_);
  }
  applied_.reset(new ModelOverrides(std::move(values), *model_->get(), model));
  return applied_;
}

void Simulation::Load(absl::Span<const double> row) {
  mj_setState(model(), data_, row.data(), mjSTATE_INTEGRATION);
  for (mjWarningStat& warning : data_->warning) warning.number = 0;
  std::copy_n(row.begin() + before_step_.size(), before_step_.size(), before_step_.begin());
  stepped_ = row.back() != 0;
  if (kPoison) PoisonDerived(*model(), *data_);
}

void Simulation::Save(absl::Span<double> row) const {
  mj_getState(model(), data_, row.data(), mjSTATE_INTEGRATION);
  double* const tail = row.data() + before_step_.size();
  if (stepped_) {
    std::copy(before_step_.begin(), before_step_.end(), tail);
  } else {
    std::fill_n(tail, before_step_.size(), 0);
  }
  row.back() = stepped_ ? 1 : 0;
}

void Simulation::LoadWithDerived(absl::Span<const double> row) {
  Load(row);
  if (!stepped_) return Forward();
  mj_setState(model(), data_, before_step_.data(), mjSTATE_INTEGRATION);
  mj_step(model(), data_);
}

void Simulation::Reset() {
  mj_resetData(model(), data_);
  stepped_ = false;
}

void Simulation::Forward() {
  mj_forward(model(), data_);
  stepped_ = false;
}

void Simulation::PlaceBodies() {
  mj_kinematics(model(), data_);
  stepped_ = false;
}

void Simulation::Place() {
  PlaceBodies();
  mj_comPos(model(), data_);
  mj_camlight(model(), data_);
  mj_flex(model(), data_);
  mj_tendon(model(), data_);
}

void Simulation::Step(int count) {
  for (int step = 0; step < count; ++step) {
    if (step + 1 == count) {
      mj_getState(model(), data_, before_step_.data(), mjSTATE_INTEGRATION);
      stepped_ = true;
    }
    mj_step(model(), data_);
  }
}

absl::Status Simulation::CheckState() const {
  for (const mjtWarning kind : kBadState) {
    const mjWarningStat& warning = data_->warning[kind];
    if (warning.number == 0) continue;
    return MakeError(v1::ERROR_REASON_SIM_DIVERGED,
                     absl::StrCat("the simulation diverged: ",
                                  mju_warningText(kind, static_cast<size_t>(warning.lastinfo))));
  }
  return absl::OkStatus();
}

absl::Status Simulation::Guard(absl::FunctionRef<void()> body) {
  InstallHandlers();
  ++guard_depth;
  absl::Status status;
  try {
    body();
  } catch (const std::exception& error) {
    status = MakeError(v1::ERROR_REASON_ENV_FAULT, error.what());
  } catch (...) {
    status = MakeError(v1::ERROR_REASON_ENV_FAULT, "an exception of unknown type");
  }
  --guard_depth;
  return status;
}

}  // namespace hivewire
