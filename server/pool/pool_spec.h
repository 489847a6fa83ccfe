// What one pool is: its description on the wire, and where each leaf of a lane's row lies in the
// lane's memory.
//
// Made once from a task and a CreatePoolRequest; immutable, so any thread may read it.
#ifndef HIVEWIRE_SERVER_POOL_POOL_SPEC_H_
#define HIVEWIRE_SERVER_POOL_POOL_SPEC_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/layout.h"
#include "hivewire/v1/control.pb.h"
#include "server/tasks/task.h"

namespace hivewire {

// A leaf of a task (observation or info) and its place in a lane's packed row.
struct RowLeaf {
  size_t task_leaf;    // index in the spec's observation or info
  size_t layout_leaf;  // index in the result layout
  size_t offset;       // bytes from the row's begin, a multiple of 8
  size_t elements;
  v1::DType dtype;
  std::optional<ImageView> image = {};  // for a leaf that is drawn instead of written by the task
};

class PoolSpec {
 public:
  // INVALID_ARGUMENT naming the field: an unknown leaf, a dtype that is no float, a limit below −1,
  // …
  static absl::StatusOr<PoolSpec> Make(std::shared_ptr<const Task> task,
                                       const v1::CreatePoolRequest& request);

  const Task& task() const { return *task_; }
  const std::shared_ptr<const Task>& shared_task() const { return task_; }
  // Without pool_id and lease, which are the server's.
  const v1::PoolDescription& description() const { return description_; }
  v1::AutoresetMode autoreset_mode() const { return description_.autoreset_mode(); }
  size_t num_lanes() const { return description_.num_envs(); }
  int max_episode_steps() const { return description_.spec().max_episode_steps(); }

  const PayloadLayout& result_layout() const { return result_layout_; }
  const PayloadLayout& final_layout() const { return final_layout_; }
  const PayloadLayout& action_layout() const { return action_layout_; }

  // A lane's packed row: the result layout's leaves one after the other.
  size_t row_bytes() const { return row_bytes_; }
  size_t row_offset(size_t layout_leaf) const { return row_offsets_[layout_leaf]; }
  // Layout leaves that Finals hold, in the final layout's order.
  const std::vector<size_t>& final_leaves() const { return final_leaves_; }

  const std::vector<RowLeaf>& observation() const { return observation_; }
  const std::vector<RowLeaf>& info() const { return info_; }
  // Whether an observation leaf is an image.
  bool has_images() const;
  // The info leaf "success" ("is_success", "solved"), a scalar; null where it is not sent.
  const RowLeaf* success() const { return has_success_ ? &info_[success_] : nullptr; }
  size_t reward_offset() const { return reward_offset_; }
  size_t flags_offset() const { return flags_offset_; }
  size_t op_no_offset() const { return op_no_offset_; }
  size_t seed_offset() const { return seed_offset_; }
  size_t episode_offset() const { return episode_offset_; }

  // Doubles that one lane's action has, over all leaves, and the dtype that tasks are told.
  size_t action_elements() const { return action_elements_; }
  v1::DType action_dtype() const { return action_dtype_; }

 private:
  PoolSpec() = default;

  size_t AddResultLeaf(const v1::LayoutLeaf& leaf);
  absl::Status AddTaskLeaves(const v1::CreatePoolRequest& request);

  std::shared_ptr<const Task> task_;
  v1::PoolDescription description_;
  PayloadLayout result_layout_, final_layout_, action_layout_;
  size_t row_bytes_ = 0;
  std::vector<size_t> row_offsets_;
  std::vector<size_t> final_leaves_;
  std::vector<RowLeaf> observation_, info_;
  bool has_success_ = false;
  size_t success_ = 0;  // of info_
  size_t reward_offset_ = 0, flags_offset_ = 0, op_no_offset_ = 0, seed_offset_ = 0,
         episode_offset_ = 0;
  size_t action_elements_ = 0;
  v1::DType action_dtype_ = v1::DTYPE_UNSPECIFIED;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_POOL_SPEC_H_
