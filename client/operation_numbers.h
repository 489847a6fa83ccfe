// Numbers a pool's operations for a client: 1, 2, 3, … in each lane (session.proto).
//
// A plain value; its owner locks.
#ifndef HIVEWIRE_CLIENT_OPERATION_NUMBERS_H_
#define HIVEWIRE_CLIENT_OPERATION_NUMBERS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "google/protobuf/repeated_field.h"

namespace hivewire {

class OperationNumbers {
 public:
  explicit OperationNumbers(size_t num_lanes) : last_(num_lanes) {}

  // Writes the next number of each lane to `op_nos` (a single one where all are equal), for the
  // frame `seq`.
  void Next(uint64_t seq, absl::Span<const uint32_t> lanes,
            google::protobuf::RepeatedField<uint64_t>& op_nos) {
    bool equal = true;
    for (const uint32_t lane : lanes) {
      ++last_[lane];
      equal = equal && last_[lane] == last_[lanes[0]];
    }
    if (equal && !lanes.empty()) {
      op_nos.Add(last_[lanes[0]]);
    } else {
      for (const uint32_t lane : lanes) op_nos.Add(last_[lane]);
    }
    frames_[seq % kRemembered] = {seq, {lanes.begin(), lanes.end()}};
  }

  // The frame `seq` was refused: its numbers are free again.
  void TakeBack(uint64_t seq) {
    Frame& frame = frames_[seq % kRemembered];
    if (frame.seq != seq) return;
    for (const uint32_t lane : frame.lanes) --last_[lane];
    frame.seq = 0;
  }

 private:
  // Frames in flight are at most as many as lanes, and a refusal comes before the lane's next
  // frame; this many are more than any client keeps in flight.
  static constexpr size_t kRemembered = 1024;
  struct Frame {
    uint64_t seq = 0;
    std::vector<uint32_t> lanes;
  };

  std::vector<uint64_t> last_;
  std::vector<Frame> frames_{kRemembered};
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_OPERATION_NUMBERS_H_
