// What a client has sent and not yet seen answered: the memory that makes a broken connection
// harmless.
//
// It numbers the lanes' operations 1, 2, 3, … (session.proto) and keeps each frame until all its
// lanes have answered, or it was refused. After a new attach it tells which frames the server never
// accepted; those, and only those, are to be sent again.
//
// A plain value; its owner locks. Frames are shared: one may be answered while it still waits to be
// sent again.
#ifndef HIVEWIRE_CLIENT_OUTBOX_H_
#define HIVEWIRE_CLIENT_OUTBOX_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "hivewire/v1/session.pb.h"

namespace hivewire {

class Outbox {
 public:
  using Frame = std::shared_ptr<const v1::ClientFrame>;

  explicit Outbox(size_t num_lanes) : lanes_(num_lanes) {}

  // Numbers the operations of `lanes`, into `op_nos` of `frame` (a single one where all are equal),
  // and keeps the frame.
  Frame Put(absl::Span<const uint32_t> lanes, google::protobuf::RepeatedField<uint64_t>& op_nos,
            std::unique_ptr<v1::ClientFrame> frame);

  // The lane's result `op_no` has come. INTERNAL where it is none that was waited for.
  absl::Status Answered(uint32_t lane, uint64_t op_no);

  // The frame was refused: its numbers are free again. False for a frame that is not kept.
  bool Refused(uint64_t seq);

  // By lane, what the server has accepted. Frames that it has not, in the order they were put.
  // INTERNAL where its numbers cannot be those of the pool that this client drives.
  absl::Status Unaccepted(absl::Span<const uint64_t> accepted, std::vector<Frame>& frames) const;

  // Takes over a pool that another process drove: the result of each lane's last operation is
  // waited for. Gives the lanes that have one.
  std::vector<uint32_t> TakeOver(absl::Span<const uint64_t> accepted);

  size_t num_lanes() const { return lanes_.size(); }

 private:
  struct Entry {
    Frame frame;
    std::vector<uint32_t> lanes;
    size_t left = 0;  // lanes that have not answered
  };
  struct Lane {
    uint64_t sent = 0;
    uint64_t answered = 0;
    Entry* entry = nullptr;
  };

  std::vector<Lane> lanes_;
  std::deque<std::unique_ptr<Entry>> kept_;  // in the order put; at most one for each lane
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_OUTBOX_H_
