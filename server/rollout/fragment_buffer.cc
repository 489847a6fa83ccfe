#include "server/rollout/fragment_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace hivewire {

FragmentBuffer::FragmentBuffer(const CrewSetting& setting, uint32_t first, size_t num_lanes)
    : setting_(setting), first_(first), num_lanes_(num_lanes) {
  v1::Fragment& fragment = *response_.mutable_fragment();
  for (uint32_t lane = 0; lane < num_lanes; ++lane) fragment.add_env_ids(first + lane);
  fragment.set_length(static_cast<uint32_t>(setting.layout.length()));
  *fragment.mutable_layout() = setting.layout.wire();
  const size_t rows = setting.layout.length() * num_lanes;
  fragment.mutable_payload()->resize(setting.layout.payload().PayloadBytes(rows));
  setting.layout.payload().Offsets(rows, payload_offsets_);
  const PayloadLayout& last = setting.spec.final_layout();
  fragment.mutable_last_observation()->resize(last.PayloadBytes(num_lanes));
  last.Offsets(num_lanes, last_offsets_);
  if (setting.layout.has_values())
    fragment.mutable_bootstrap_values()->resize(num_lanes * sizeof(float));
}

void FragmentBuffer::CopyRows(const Crew& crew) {
  v1::Fragment& fragment = *response_.mutable_fragment();
  const StagedSteps& staged = crew.staged();
  const size_t lane = crew.first() - first_;
  const PayloadLayout& payload = setting_.layout.payload();
  for (size_t leaf = 0; leaf < payload.num_leaves(); ++leaf) {
    const size_t row_bytes = payload.row_bytes(leaf);
    const size_t bytes = crew.size() * row_bytes;
    const char* from = staged.leaves[leaf].data();
    char* to = fragment.mutable_payload()->data() + payload_offsets_[leaf] +
               (crew.row() * num_lanes_ + lane) * row_bytes;
    for (size_t step = 0; step < staged.steps; ++step) {
      std::memcpy(to, from, bytes);
      from += bytes;
      to += num_lanes_ * row_bytes;
    }
  }
  if (!staged.is_last) return;
  const PoolSpec& spec = setting_.spec;
  const PayloadLayout& last = spec.final_layout();
  for (size_t leaf = 0; leaf < last.num_leaves(); ++leaf) {
    const size_t bytes = last.row_bytes(leaf);
    const size_t offset = spec.row_offset(spec.final_leaves()[leaf]);
    char* to = fragment.mutable_last_observation()->data() + last_offsets_[leaf] + lane * bytes;
    for (size_t n = 0; n < crew.size(); ++n)
      std::memcpy(to + n * bytes, crew.lane(n).row.data() + offset, bytes);
  }
  if (setting_.layout.has_values()) {
    std::memcpy(fragment.mutable_bootstrap_values()->data() + lane * sizeof(float),
                staged.last_values.data(), crew.size() * sizeof(float));
  }
}

bool FragmentBuffer::AddEvents(const Crew& crew) {
  const StagedSteps& staged = crew.staged();
  const size_t first_lane = crew.first() - first_;
  const auto row_of = [&](size_t step, size_t lane) {
    return (crew.row() + step) * num_lanes_ + first_lane + lane;
  };
  // What belongs to a step that was not finished is its successor's to tell.
  for (size_t k = 0; k < staged.num_ended; ++k) {
    const StagedSteps::Ended& from = staged.ended[k];
    if (from.step >= staged.steps) continue;
    if (num_ended_ == ended_.size()) ended_.emplace_back();
    Ended& ended = ended_[num_ended_++];
    ended.row = row_of(from.step, from.lane);
    ended.episode = from.episode;
  }
  const size_t final_bytes =
      staged.finals.empty() ? 0 : staged.final_rows.size() / staged.finals.size();
  for (size_t k = 0; k < staged.finals.size(); ++k) {
    const StagedSteps::Final& from = staged.finals[k];
    if (from.step >= staged.steps) continue;
    finals_.push_back({row_of(from.step, from.lane), from.value, final_rows_.size()});
    const char* row = staged.final_rows.data() + k * final_bytes;
    final_rows_.insert(final_rows_.end(), row, row + final_bytes);
  }
  for (const StagedSteps::Fault& fault : staged.faults) {
    const size_t lane = first_lane + fault.lane;
    const auto same_lane = [lane](const StagedSteps::Fault& known) { return known.lane == lane; };
    if (std::none_of(faults_.begin(), faults_.end(), same_lane))
      faults_.push_back({lane, fault.status});
  }
  if (!staged.policy_error.ok() && !response_.fragment().has_status())
    *response_.mutable_fragment()->mutable_status() = ToProto(staged.policy_error);
  return staged.is_last;
}

const v1::CollectResponse& FragmentBuffer::Finish() {
  v1::Fragment& fragment = *response_.mutable_fragment();
  // Crews come in any order; what they tell is in the order of the rows.
  order_.resize(num_ended_);
  for (size_t k = 0; k < num_ended_; ++k) order_[k] = k;
  std::sort(order_.begin(), order_.end(),
            [this](size_t a, size_t b) { return ended_[a].row < ended_[b].row; });
  for (const size_t k : order_) *fragment.add_episodes() = ended_[k].episode;
  std::sort(faults_.begin(), faults_.end(),
            [](const auto& a, const auto& b) { return a.lane < b.lane; });
  for (const StagedSteps::Fault& from : faults_) {
    v1::LaneFault& fault = *fragment.add_faults();
    fault.set_env_id(first_ + static_cast<uint32_t>(from.lane));
    *fault.mutable_status() = ToProto(from.status);
  }
  if (!finals_.empty()) FinishFinals();
  return response_;
}

void FragmentBuffer::FinishFinals() {
  v1::Fragment& fragment = *response_.mutable_fragment();
  std::sort(finals_.begin(), finals_.end(),
            [](const Final& a, const Final& b) { return a.row < b.row; });
  const PayloadLayout& layout = setting_.spec.final_layout();
  layout.Offsets(finals_.size(), finals_offsets_);
  if (spare_finals_ != nullptr) fragment.set_allocated_finals(spare_finals_.release());
  v1::Finals& message = *fragment.mutable_finals();
  std::string& payload = *message.mutable_payload();
  payload.resize(layout.PayloadBytes(finals_.size()));
  for (size_t k = 0; k < finals_.size(); ++k) {
    const Final& final = finals_[k];
    message.add_rows(static_cast<uint32_t>(final.row));
    const char* from = final_rows_.data() + final.bytes;
    for (size_t leaf = 0; leaf < layout.num_leaves(); ++leaf) {
      const size_t bytes = layout.row_bytes(leaf);
      std::memcpy(payload.data() + finals_offsets_[leaf] + k * bytes, from, bytes);
      from += bytes;
    }
    if (setting_.layout.has_values()) {
      fragment.mutable_bootstrap_values()->append(reinterpret_cast<const char*>(&final.value),
                                                  sizeof(final.value));
    }
  }
}

void FragmentBuffer::Clear() {
  v1::Fragment& fragment = *response_.mutable_fragment();
  if (fragment.has_finals()) {
    // To clear the field would be to free it.
    spare_finals_.reset(fragment.release_finals());
    spare_finals_->Clear();
  }
  fragment.clear_episodes();
  fragment.clear_faults();
  fragment.clear_status();
  if (setting_.layout.has_values())
    fragment.mutable_bootstrap_values()->resize(num_lanes_ * sizeof(float));
  num_ended_ = 0;
  finals_.clear();
  final_rows_.clear();
  faults_.clear();
}

}  // namespace hivewire
