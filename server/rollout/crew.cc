#include "server/rollout/crew.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"

namespace hivewire {
namespace {

// How long a crew keeps its worker, but for one step of all its lanes: long enough that taking
// turns costs nothing, short enough that other pools need not wait for it.
constexpr int64_t kTurnNanos = 300'000;

// Of the lane's own history, which its snapshots hold: what is collected after a snapshot was
// loaded repeats, and Collects that follow one another do not.
uint64_t StepOfEpisode(uint64_t episode, int64_t step) {
  return episode << 32 | static_cast<uint32_t>(step);
}

}  // namespace

void StagedSteps::Clear() {
  steps = 0;
  num_ended = 0;
  finals.clear();
  final_rows.clear();
  faults.clear();
  policy_error = absl::OkStatus();
  is_last = false;
  operations = resets = num_faults = 0;
  busy_ns = 0;
}

Crew::Crew(std::shared_ptr<CrewSetting> setting, uint32_t first, std::vector<Lane*> lanes,
           std::vector<uint64_t> op_nos)
    : setting_(std::move(setting)),
      first_(first),
      lanes_(std::move(lanes)),
      op_nos_(std::move(op_nos)) {
  const PayloadLayout& payload = setting_->layout.payload();
  staged_.leaves.resize(payload.num_leaves());
  for (size_t leaf = 0; leaf < payload.num_leaves(); ++leaf)
    staged_.leaves[leaf].resize(setting_->max_staged * size() * payload.row_bytes(leaf));
  staged_.last_values.resize(size());
  const PayloadLayout& action = setting_->spec.action_layout();
  size_t bytes = 0;
  for (size_t leaf = 0; leaf < action.num_leaves(); ++leaf) {
    action_offsets_.push_back(bytes);
    bytes += action.row_bytes(leaf);
  }
  action_.resize(bytes);
  origins_.resize(size());
  for (size_t n = 0; n < size(); ++n) origins_[n].Remember(*lanes_[n]);
}

bool Crew::Run(Workers::Turn& turn) {
  CrewSetting::Place& place = setting_->places[static_cast<size_t>(turn.worker())];
  const int64_t begin = absl::GetCurrentTimeNanos();
  if (!ResetLanes(place, turn)) return false;
  const size_t length = setting_->layout.length();
  const size_t most = std::min(setting_->max_staged, length - row_);
  int64_t now = begin;
  while (staged_.steps < most && now - begin < kTurnNanos) {
    if (setting_->stopping.load(std::memory_order_relaxed)) break;
    if (!Step(place, turn)) return false;
    now = absl::GetCurrentTimeNanos();
  }
  if (row_ + staged_.steps == length) {
    if (!turn.Renew()) return false;
    StageLast(place);
  }
  staged_.busy_ns = std::max<int64_t>(0, now - begin);
  return true;
}

void Crew::ClearStaged() {
  row_ += staged_.steps;
  if (staged_.is_last) {
    row_ = 0;
    ++fragment_;
  }
  staged_.Clear();
}

bool Crew::ResetLanes(CrewSetting::Place& place, Workers::Turn& turn) {
  for (size_t n = 0; n < size(); ++n) {
    if (lanes_[n]->phase != Lane::Phase::kNeedsReset) continue;
    if (!turn.Renew()) return false;
    ++op_nos_[n];
    resetting_ = true;
    running_.store(static_cast<int>(n), std::memory_order_release);
    place.runner->Reset(*lanes_[n], op_nos_[n], nullptr, {});
    if (!turn.Renew()) return false;
    running_.store(kNone, std::memory_order_relaxed);
    resetting_ = false;
    origins_[n].Remember(*lanes_[n]);
    ++staged_.resets;
  }
  return true;
}

bool Crew::Step(CrewSetting::Place& place, Workers::Turn& turn) {
  if (const uint64_t generation = setting_->slot->generation(); generation != generation_) {
    policy_ = setting_->slot->Get();
    generation_ = generation;
  }
  Observe(place);
  if (!turn.Renew()) return false;
  for (; next_ < size(); ++next_) {
    ++op_nos_[next_];
    running_.store(static_cast<int>(next_), std::memory_order_release);
    StepLane(place, next_);
    // Only what nobody has given up meanwhile is staged. The next lane's time begins here.
    if (!turn.Renew()) return false;
    running_.store(kNone, std::memory_order_relaxed);
    origins_[next_].Remember(*lanes_[next_]);
    StageResult(place, next_);
  }
  next_ = 0;
  ++staged_.steps;
  return true;
}

void Crew::Observe(CrewSetting::Place& place) {
  const PortablePolicy& policy = policy_->policy();
  first_evaluated_ = next_;
  const size_t rows = size() - first_evaluated_;
  policy.Reserve(rows, place.policy);
  place.draws.resize(rows);
  for (size_t row = 0; row < rows; ++row) {
    const size_t n = first_evaluated_ + row;
    const char* from = lanes_[n]->row.data();
    for (size_t leaf = 0; leaf < setting_->spec.observation().size(); ++leaf) {
      const RowLeaf& seen = setting_->spec.observation()[leaf];
      std::memcpy(Staged(leaf, n), from + seen.offset, setting_->layout.payload().row_bytes(leaf));
    }
    policy_->Observe(from, place.policy.observations.data() + row * policy.observation_dim());
    place.draws[row] = {setting_->seed, first_ + static_cast<uint32_t>(n),
                        StepOfEpisode(lanes_[n]->episode, lanes_[n]->elapsed_steps)};
  }
  policy.Act(place.draws, setting_->deterministic, place.policy);
  for (size_t row = 0; row < rows; ++row) {
    if (policy.AllFinite(row, place.policy)) continue;
    const Lane& lane = *lanes_[first_evaluated_ + row];
    // The action of a lane that is about to be reset is not used; nor is it shown.
    if (lane.phase == Lane::Phase::kRunning) staged_.policy_error = PolicyError();
    place.policy.log_probs[row] = std::nanf("");
  }
}

absl::Status Crew::PolicyError() const {
  return MakeError(v1::ERROR_REASON_BAD_POLICY,
                   absl::StrCat("policy version ", policy_->policy().version(),
                                " gave a number that is not finite"),
                   "version", absl::StrCat(policy_->policy().version()));
}

void Crew::StepLane(CrewSetting::Place& place, size_t n) {
  Lane& lane = *lanes_[n];
  const size_t row = n - first_evaluated_;
  const size_t dim = policy_->policy().action_dim();
  const uint64_t op_no = op_nos_[n];
  const bool finite = std::isfinite(place.policy.log_probs[row]);
  if (!finite && lane.phase == Lane::Phase::kRunning) {
    place.runner->Fail(lane, op_no, PolicyError());
    return;
  }
  if (!finite) std::fill_n(place.policy.sent.begin() + static_cast<ptrdiff_t>(row * dim), dim, 0.0);
  policy_->WriteAction(place.policy.sent.data() + row * dim, action_.data());
  place.runner->Step(lane, op_no, action_.data(), action_offsets_);
}

void Crew::StageResult(CrewSetting::Place& place, size_t n) {
  const FragmentLayout& layout = setting_->layout;
  const Lane& lane = *lanes_[n];
  const size_t row = n - first_evaluated_;
  ++staged_.operations;
  float log_prob = place.policy.log_probs[row];
  const bool shown = lane.fault.ok() && std::isfinite(log_prob);
  if (!shown) log_prob = 0;
  std::memcpy(Staged(layout.log_prob(), n), &log_prob, sizeof(log_prob));
  if (layout.has_values()) {
    const float value = shown ? place.policy.values[row] : 0;
    std::memcpy(Staged(layout.value(), n), &value, sizeof(value));
  }
  const PayloadLayout& action = setting_->spec.action_layout();
  if (shown) {
    policy_->WriteAction(place.policy.chosen.data() + row * policy_->policy().action_dim(),
                         action_.data());
  } else {
    std::fill(action_.begin(), action_.end(), 0);
  }
  for (size_t leaf = 0; leaf < action.num_leaves(); ++leaf) {
    std::memcpy(Staged(layout.action() + leaf, n), action_.data() + action_offsets_[leaf],
                action.row_bytes(leaf));
  }
  std::memcpy(Staged(layout.reward(), n), lane.row.data() + setting_->spec.reward_offset(),
              sizeof(double));
  *Staged(layout.flags(), n) = lane.row[setting_->spec.flags_offset()];
  const uint64_t version = policy_->policy().version();
  std::memcpy(Staged(layout.policy_version(), n), &version, sizeof(version));
  if (!lane.fault.ok()) StageFault(n);
  if (lane.has_final) StageFinal(place, n);
  if (lane.has_episode) {
    if (staged_.num_ended == staged_.ended.size()) staged_.ended.emplace_back();
    StagedSteps::Ended& ended = staged_.ended[staged_.num_ended++];
    ended.step = staged_.steps;
    ended.lane = n;
    ended.episode = lane.ended_episode;
  }
}

void Crew::StageFault(size_t n) {
  ++staged_.num_faults;
  const auto same_lane = [n](const StagedSteps::Fault& fault) { return fault.lane == n; };
  if (std::none_of(staged_.faults.begin(), staged_.faults.end(), same_lane))
    staged_.faults.push_back({n, lanes_[n]->fault});
}

void Crew::StageFinal(CrewSetting::Place& place, size_t n) {
  const PoolSpec& spec = setting_->spec;
  const char* from = lanes_[n]->final_row.data();
  for (size_t k = 0; k < spec.final_leaves().size(); ++k) {
    const char* leaf = from + spec.row_offset(spec.final_leaves()[k]);
    staged_.final_rows.insert(staged_.final_rows.end(), leaf,
                              leaf + spec.final_layout().row_bytes(k));
  }
  float value = 0;
  if (setting_->layout.has_values()) {
    policy_->policy().Reserve(1, place.final_value);
    policy_->Observe(from, place.final_value.observations.data());
    policy_->policy().Value(1, place.final_value);
    value = place.final_value.values[0];
    if (!std::isfinite(value)) {
      staged_.policy_error = PolicyError();
      value = 0;
    }
  }
  staged_.finals.push_back({staged_.steps, n, value});
}

void Crew::StageLast(CrewSetting::Place& place) {
  staged_.is_last = true;
  if (!setting_->layout.has_values()) return;
  const PortablePolicy& policy = policy_->policy();
  policy.Reserve(size(), place.policy);
  for (size_t n = 0; n < size(); ++n) {
    policy_->Observe(lanes_[n]->row.data(),
                     place.policy.observations.data() + n * policy.observation_dim());
  }
  policy.Value(size(), place.policy);
  for (size_t n = 0; n < size(); ++n) {
    float& value = staged_.last_values[n];
    value = place.policy.values[n];
    if (std::isfinite(value)) continue;
    staged_.policy_error = PolicyError();
    value = 0;
  }
}

std::shared_ptr<Crew> Crew::Successor(const absl::Status& status,
                                      std::vector<std::unique_ptr<Lane>>& lanes) const {
  const int hung = running_.load(std::memory_order_acquire);
  std::vector<Lane*> pointers;
  for (size_t n = 0; n < size(); ++n) {
    if (static_cast<int>(n) != hung) {
      lanes.push_back(std::make_unique<Lane>(*lanes_[n]));
    } else {
      lanes.push_back(origins_[n].Failed(setting_->spec, first_ + static_cast<uint32_t>(n),
                                         op_nos_[n], status));
    }
    pointers.push_back(lanes.back().get());
  }
  auto crew = std::make_shared<Crew>(setting_, first_, std::move(pointers), op_nos_);
  crew->fragment_ = fragment_;
  crew->row_ = row_ + staged_.steps;
  crew->policy_ = policy_;
  crew->generation_ = generation_;
  crew->next_ = next_;
  // The step that was under way: lanes before next_ are staged, those behind are still to go.
  const PayloadLayout& payload = setting_->layout.payload();
  for (size_t leaf = 0; leaf < payload.num_leaves(); ++leaf) {
    const size_t bytes = payload.row_bytes(leaf);
    if (next_ == 0 && hung == kNone) break;
    const char* from = staged_.leaves[leaf].data() + staged_.steps * size() * bytes;
    std::memcpy(crew->staged_.leaves[leaf].data(), from, std::min(next_ + 1, size()) * bytes);
  }
  crew->TakeOverEvents(staged_);
  if (hung != kNone && !resetting_) crew->StageHung(static_cast<size_t>(hung));
  return crew;
}

// What lanes gave in the step that was not finished.
void Crew::TakeOverEvents(const StagedSteps& before) {
  const size_t final_bytes =
      before.finals.empty() ? 0 : before.final_rows.size() / before.finals.size();
  for (size_t k = 0; k < before.num_ended; ++k) {
    if (before.ended[k].step != before.steps) continue;
    staged_.ended.push_back(before.ended[k]);
    staged_.ended.back().step = 0;
    ++staged_.num_ended;
  }
  for (size_t k = 0; k < before.finals.size(); ++k) {
    if (before.finals[k].step != before.steps) continue;
    staged_.finals.push_back(before.finals[k]);
    staged_.finals.back().step = 0;
    const auto row = before.final_rows.begin() + static_cast<ptrdiff_t>(k * final_bytes);
    staged_.final_rows.insert(staged_.final_rows.end(), row,
                              row + static_cast<ptrdiff_t>(final_bytes));
  }
}

void Crew::StageHung(size_t n) {
  const PayloadLayout& payload = setting_->layout.payload();
  for (size_t leaf = setting_->layout.action(); leaf < payload.num_leaves(); ++leaf)
    std::memset(Staged(leaf, n), 0, payload.row_bytes(leaf));
  *Staged(setting_->layout.flags(), n) = v1::LANE_FLAG_FAULT;
  const uint64_t version = policy_->policy().version();
  std::memcpy(Staged(setting_->layout.policy_version(), n), &version, sizeof(version));
  ++staged_.operations;
  staged_.faults.push_back({n, lanes_[n]->fault});
  next_ = n + 1;
  if (next_ < size()) return;
  next_ = 0;
  ++staged_.steps;
}

}  // namespace hivewire
