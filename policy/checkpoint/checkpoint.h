// The checkpoints of one run: RUN/checkpoints/000000100000.safetensors, named by their frames, and
// best.safetensors, a second name of the one that evaluated best.
//
// Each is one file: tensors, and a CheckpointState as textproto in its metadata. Files appear whole
// or not at all. One writer at a time.
#ifndef HIVEWIRE_POLICY_CHECKPOINT_CHECKPOINT_H_
#define HIVEWIRE_POLICY_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/checkpoint/tensor_map.h"

namespace hivewire {

struct Checkpoint {
  v1::CheckpointState state;
  TensorMap tensors;
};

// The bytes of its file. `name` stands for it in errors.
absl::StatusOr<std::string> EncodeCheckpoint(const Checkpoint& checkpoint);
absl::StatusOr<Checkpoint> DecodeCheckpoint(const std::string& bytes, const std::string& name);

absl::Status WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint);
// DATA_LOSS names the file and what is wrong with it.
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path);

class CheckpointFolder {
 public:
  // `folder` is made when the first checkpoint is.
  explicit CheckpointFolder(std::string folder) : folder_(std::move(folder)) {}

  // Writes one for state.frames and removes all but the newest `keep`.
  absl::Status Save(const Checkpoint& checkpoint, int keep);
  // Makes "best" the one of this number of frames, which stays until another is.
  absl::Status MarkBest(int64_t frames);

  // Path of "best", "last" or a number of frames. NOT_FOUND names those that there are.
  absl::StatusOr<std::string> Find(absl::string_view which) const;

  // Paths of all checkpoints: those with names of other kinds, then the others by their frames.
  // Without "best" where it is another name of one of them.
  std::vector<std::string> All() const;

 private:
  std::string PathOf(int64_t frames) const;
  // Frames of the numbered checkpoints, rising.
  std::vector<int64_t> List() const;

  std::string folder_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CHECKPOINT_CHECKPOINT_H_
