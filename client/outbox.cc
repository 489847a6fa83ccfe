#include "client/outbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hivewire {

Outbox::Frame Outbox::Put(absl::Span<const uint32_t> lanes,
                          google::protobuf::RepeatedField<uint64_t>& op_nos,
                          std::unique_ptr<v1::ClientFrame> frame) {
  auto entry = std::make_unique<Entry>();
  bool equal = true;
  for (const uint32_t lane : lanes) {
    ++lanes_[lane].sent;
    lanes_[lane].entry = entry.get();
    equal = equal && lanes_[lane].sent == lanes_[lanes[0]].sent;
  }
  op_nos.Clear();
  if (equal && !lanes.empty()) {
    op_nos.Add(lanes_[lanes[0]].sent);
  } else {
    for (const uint32_t lane : lanes) op_nos.Add(lanes_[lane].sent);
  }
  entry->frame = std::move(frame);
  entry->lanes.assign(lanes.begin(), lanes.end());
  entry->left = lanes.size();
  kept_.push_back(std::move(entry));
  return kept_.back()->frame;
}

absl::Status Outbox::Answered(uint32_t lane, uint64_t op_no) {
  if (lane >= lanes_.size() || op_no != lanes_[lane].sent || op_no != lanes_[lane].answered + 1) {
    return absl::InternalError(absl::StrCat("the server answered operation ", op_no, " of lane ",
                                            lane,
                                            ", which was not asked for or has been answered"));
  }
  lanes_[lane].answered = op_no;
  Entry* const entry = std::exchange(lanes_[lane].entry, nullptr);
  if (entry == nullptr || --entry->left > 0) return absl::OkStatus();
  kept_.erase(std::find_if(kept_.begin(), kept_.end(),
                           [&](const auto& other) { return other.get() == entry; }));
  return absl::OkStatus();
}

bool Outbox::Refused(uint64_t seq) {
  const auto refused = std::find_if(kept_.begin(), kept_.end(),
                                    [&](const auto& entry) { return entry->frame->seq() == seq; });
  if (refused == kept_.end()) return false;
  for (const uint32_t lane : (*refused)->lanes) {
    --lanes_[lane].sent;
    lanes_[lane].entry = nullptr;
  }
  kept_.erase(refused);
  return true;
}

absl::Status Outbox::Unaccepted(absl::Span<const uint64_t> accepted,
                                std::vector<Frame>& frames) const {
  frames.clear();
  bool plausible = accepted.size() == lanes_.size();
  for (size_t lane = 0; plausible && lane < lanes_.size(); ++lane) {
    plausible = accepted[lane] >= lanes_[lane].answered && accepted[lane] <= lanes_[lane].sent;
  }
  for (const std::unique_ptr<Entry>& entry : kept_) {
    if (!plausible) break;
    // A frame was accepted as a whole or not at all.
    const auto is_accepted = [&](uint32_t lane) { return accepted[lane] == lanes_[lane].sent; };
    const bool all = std::all_of(entry->lanes.begin(), entry->lanes.end(), is_accepted);
    if (all) continue;
    plausible = std::none_of(entry->lanes.begin(), entry->lanes.end(), is_accepted);
    frames.push_back(entry->frame);
  }
  if (plausible) return absl::OkStatus();
  return absl::InternalError(
      "the operations that the server says it accepted are not those that were sent");
}

std::vector<uint32_t> Outbox::TakeOver(absl::Span<const uint64_t> accepted) {
  std::vector<uint32_t> to_come;
  for (size_t lane = 0; lane < lanes_.size() && lane < accepted.size(); ++lane) {
    if (accepted[lane] == 0) continue;
    lanes_[lane] = {accepted[lane], accepted[lane] - 1, nullptr};
    to_come.push_back(static_cast<uint32_t>(lane));
  }
  return to_come;
}

}  // namespace hivewire
