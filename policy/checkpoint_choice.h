// Which checkpoints a person means.
#ifndef HIVEWIRE_POLICY_CHECKPOINT_CHOICE_H_
#define HIVEWIRE_POLICY_CHECKPOINT_CHOICE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/run_folder.h"

namespace hivewire {

struct CheckpointChoice {
  // Paths, by their frames; never empty.
  std::vector<std::string> paths;
  // The run that they are of; none for files that lie elsewhere.
  std::optional<RunFolder> folder;
};

// `target`: a run folder, a checkpoint file, or a folder of checkpoints, which are all meant; empty
// for the newest run folder in `runs`. `which`, of a run folder: "best" (or "last" where no
// evaluation has chosen a best one), "last", "all" or a number of frames. NOT_FOUND says what there
// is.
absl::StatusOr<CheckpointChoice> ChooseCheckpoints(const std::string& target,
                                                   const std::string& which,
                                                   const std::string& runs);

// The same where exactly one is wanted; INVALID_ARGUMENT for several.
absl::StatusOr<CheckpointChoice> ChooseCheckpoint(const std::string& target,
                                                  const std::string& which,
                                                  const std::string& runs);

// The newest run folder in `runs`: the one whose configuration was written last. NOT_FOUND where
// there is none.
absl::StatusOr<RunFolder> NewestRun(const std::string& runs);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CHECKPOINT_CHOICE_H_
