#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "server/pool/frame_checks.h"
#include "server/pool/pool.h"
#include "server/pool/pool_frame.h"
#include "server/pool/snapshot.h"

namespace hivewire {
namespace {

// As Slot::delivered_seq: whoever attaches has missed it.
constexpr uint64_t kNeverDelivered = UINT64_MAX;

}  // namespace

absl::StatusOr<std::vector<std::string>> Pool::Save(absl::Span<const uint32_t> env_ids) const {
  auto lanes = CheckLanes(spec_, {env_ids.begin(), env_ids.end()});
  if (!lanes.ok()) return lanes.status();
  std::vector<std::string> snapshots;
  snapshots.reserve(lanes->size());
  MutexLock lock(mutex_);
  for (const uint32_t lane : *lanes) {
    const absl::Status idle = CheckIdle(lane);
    if (!idle.ok()) return idle;
    snapshots.push_back(SaveSnapshot(spec_, *lanes_[lane]));
  }
  return snapshots;
}

absl::Status Pool::CheckIdle(uint32_t lane) const {
  if (slots_[lane].occupancy != Occupancy::kRunning) return absl::OkStatus();
  return MakeError(v1::ERROR_REASON_LANE_BUSY,
                   absl::StrCat("env_ids: lane ", lane, " has an operation outstanding"), "env_ids",
                   absl::StrCat(lane));
}

absl::Status Pool::GetProperties(
    const google::protobuf::RepeatedField<uint32_t>& env_ids,
    const google::protobuf::RepeatedPtrField<std::string>& names,
    google::protobuf::RepeatedPtrField<v1::LaneProperties>& properties) const {
  const auto lanes = CheckLanes(spec_, env_ids);
  if (!lanes.ok()) return lanes.status();
  std::vector<std::string> wanted(names.begin(), names.end());
  if (wanted.empty()) {
    for (const v1::PropertySpec& property : spec_.description().spec().properties())
      wanted.push_back(property.name());
  }
  MutexLock lock(mutex_);
  for (const uint32_t lane : *lanes) {
    const absl::Status idle = CheckIdle(lane);
    if (!idle.ok()) return idle;
    v1::LaneProperties& of_lane = *properties.Add();
    of_lane.set_env_id(lane);
    for (const std::string& name : wanted) {
      auto value = properties_.Get(*lanes_[lane], name);
      // Who asks for everything gets what there is before the first reset.
      if (names.empty() && ReasonOf(value.status()) == v1::ERROR_REASON_NEEDS_RESET) continue;
      if (!value.ok()) return value.status();
      (*of_lane.mutable_values())[name] = *std::move(value);
    }
  }
  return absl::OkStatus();
}

absl::Status Pool::SetProperties(
    const google::protobuf::RepeatedPtrField<v1::LaneProperties>& properties) {
  if (properties.empty()) return absl::OkStatus();
  google::protobuf::RepeatedField<uint32_t> env_ids;
  for (const v1::LaneProperties& of_lane : properties) env_ids.Add(of_lane.env_id());
  const auto lanes = CheckLanes(spec_, env_ids);
  if (!lanes.ok()) return lanes.status();
  std::vector<Lane> changed;
  {
    MutexLock lock(mutex_);
    for (const uint32_t lane : *lanes) {
      if (slots_[lane].occupancy != Occupancy::kIdle) {
        return MakeError(
            v1::ERROR_REASON_LANE_BUSY,
            absl::StrCat("lanes: lane ", lane, " runs, or its result was not received yet"),
            "lanes", absl::StrCat(lane));
      }
    }
    // Nobody else may run them while the engine works out what they become.
    for (const uint32_t lane : *lanes) {
      slots_[lane].occupancy = Occupancy::kRunning;
      changed.push_back(*lanes_[lane]);
    }
  }
  absl::Status status;
  for (size_t row = 0; row < lanes->size() && status.ok(); ++row) {
    status = properties_.Set(properties[static_cast<int>(row)].values(), changed[row]);
    if (!status.ok()) status = Annotate(status, absl::StrCat("lanes[", row, "]"));
  }
  MutexLock lock(mutex_);
  for (size_t row = 0; row < lanes->size(); ++row) {
    const uint32_t lane = (*lanes)[row];
    slots_[lane].occupancy = Occupancy::kIdle;
    if (!status.ok()) continue;
    *lanes_[lane] = std::move(changed[row]);
    slots_[lane].origin.Remember(*lanes_[lane]);
  }
  return status;
}

absl::StatusOr<Pool::Scene> Pool::SceneOf(uint32_t env_id) const {
  MutexLock lock(mutex_);
  if (env_id >= lanes_.size()) {
    return MakeError(v1::ERROR_REASON_BAD_ENV_ID,
                     absl::StrCat("env_ids: lane ", env_id, " is not below ", lanes_.size()),
                     "env_ids", absl::StrCat(env_id));
  }
  const absl::Status idle = CheckIdle(env_id);
  if (!idle.ok()) return idle;
  if (lanes_[env_id]->episode == 0) {
    return MakeError(v1::ERROR_REASON_NEEDS_RESET,
                     absl::StrCat("env_ids: lane ", env_id, " was never reset"), "env_ids",
                     absl::StrCat(env_id));
  }
  Scene scene{lanes_[env_id]->state, lanes_[env_id]->overrides, nullptr};
  if (spec_.task().edits_model()) {
    scene.edit_model = [task = spec_.shared_task(), state = lanes_[env_id]->task_state](
                           mjModel& model) { task->EditModel(state, model); };
  }
  return scene;
}

Pool::Statistics Pool::statistics() const {
  MutexLock lock(mutex_);
  return statistics_;
}

absl::StatusOr<std::unique_ptr<Pool::Loan>> Pool::Borrow(absl::Time deadline) {
  const absl::Status alive = workers_.CheckAlive();
  if (!alive.ok()) return alive;
  std::unique_ptr<Loan> loan(new Loan(*this));
  MutexLock lock(mutex_);
  const bool idle = ready_.WaitUntil(
      lock, deadline, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return outstanding_ == 0; });
  for (uint32_t lane = 0; lane < slots_.size() && !idle; ++lane) {
    const absl::Status status = CheckIdle(lane);
    if (!status.ok()) {
      loan->op_nos_.clear();  // nothing is lent
      return status;
    }
  }
  groups_.clear();
  ready_lanes_.clear();
  for (Slot& slot : slots_) {
    if (slot.occupancy == Occupancy::kReady) slot.delivered_seq = kNeverDelivered;
    slot.occupancy = Occupancy::kRunning;
    loan->op_nos_.push_back(slot.accepted_op_no);
  }
  return loan;
}

Pool::Loan::~Loan() {
  MutexLock lock(pool_.mutex_);
  for (size_t lane = 0; lane < op_nos_.size(); ++lane) {
    Slot& slot = pool_.slots_[lane];
    slot.occupancy = Occupancy::kIdle;
    if (slot.accepted_op_no == op_nos_[lane]) continue;
    slot.accepted_op_no = op_nos_[lane];
    slot.delivered_seq = kNeverDelivered;
    slot.origin.Remember(*pool_.lanes_[lane]);
  }
}

LaneRunner& Pool::Loan::runner(int worker) const {
  return pool_.stage_->runners[static_cast<size_t>(worker)];
}

void Pool::Loan::Ran(uint32_t env_id, uint64_t op_no) {
  while (op_nos_[env_id] < op_no) {
    ++op_nos_[env_id];
    if (pool_.operation_log_ != nullptr)
      pool_.operation_log_->Append(pool_.name_in_log_, env_id, op_nos_[env_id]);
  }
}

void Pool::Loan::Replace(std::unique_ptr<Lane> lane) {
  MutexLock lock(pool_.mutex_);
  pool_.lanes_[lane->env_id] = lane.get();
  pool_.stage_->lanes.push_back(std::move(lane));
}

void Pool::Loan::Count(const Statistics& more) {
  MutexLock lock(pool_.mutex_);
  Statistics& all = pool_.statistics_;
  all.steps += more.steps;
  all.resets += more.resets;
  all.episodes += more.episodes;
  all.faults += more.faults;
  all.batches += more.batches;
  all.busy_seconds += more.busy_seconds;
}

}  // namespace hivewire
