#include "server/pool/pool_spec.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "base/version.h"
#include "server/tasks/properties.h"

namespace hivewire {
namespace {

bool IsFloat(v1::DType dtype) { return dtype == v1::DTYPE_FLOAT32 || dtype == v1::DTYPE_FLOAT64; }

absl::Status CheckDtype(absl::string_view field, v1::DType dtype) {
  if (dtype == v1::DTYPE_UNSPECIFIED || IsFloat(dtype)) return absl::OkStatus();
  const std::string value =
      v1::DType_IsValid(dtype) ? v1::DType_Name(dtype) : absl::StrCat(static_cast<int>(dtype));
  return MakeError(v1::ERROR_REASON_BAD_OPTION,
                   absl::StrCat(field, ": ", value, " is neither DTYPE_FLOAT32 nor DTYPE_FLOAT64"),
                   field, value);
}

// Which of `leaves` are named; all of them where no name is given.
absl::StatusOr<std::vector<bool>> Select(
    absl::string_view field, const google::protobuf::RepeatedPtrField<v1::LeafSpec>& leaves,
    const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::vector<bool> selected(static_cast<size_t>(leaves.size()), names.empty());
  for (const std::string& name : names) {
    const auto leaf = std::find_if(leaves.begin(), leaves.end(),
                                   [&](const v1::LeafSpec& spec) { return spec.name() == name; });
    if (leaf == leaves.end()) {
      const std::string known = absl::StrJoin(
          leaves, ", ",
          [](std::string* out, const v1::LeafSpec& spec) { absl::StrAppend(out, spec.name()); });
      return MakeError(v1::ERROR_REASON_BAD_OPTION,
                       absl::StrCat(field, ": no leaf is named \"", name, "\"; there are: ", known),
                       field, name);
    }
    selected[static_cast<size_t>(leaf - leaves.begin())] = true;
  }
  return selected;
}

// But images, which are drawn in the dtype that they have.
void Retype(v1::DType dtype, const std::vector<ImageLeaf>& images,
            google::protobuf::RepeatedPtrField<v1::LeafSpec>& leaves) {
  if (dtype == v1::DTYPE_UNSPECIFIED) return;
  for (int k = 0; k < leaves.size(); ++k) {
    const bool is_image = std::any_of(images.begin(), images.end(), [k](const ImageLeaf& image) {
      return image.leaf == static_cast<size_t>(k);
    });
    if (IsFloat(leaves[k].dtype()) && !is_image) leaves[k].set_dtype(dtype);
  }
}

}  // namespace

bool PoolSpec::has_images() const {
  return std::any_of(observation_.begin(), observation_.end(),
                     [](const RowLeaf& leaf) { return leaf.image.has_value(); });
}

size_t PoolSpec::AddResultLeaf(const v1::LayoutLeaf& leaf) {
  *description_.mutable_result_layout()->add_leaves() = leaf;
  const size_t offset = row_bytes_;
  row_offsets_.push_back(offset);
  row_bytes_ = (row_bytes_ + leaf.row_bytes() + 7) / 8 * 8;
  return offset;
}

absl::Status PoolSpec::AddTaskLeaves(const v1::CreatePoolRequest& request) {
  const v1::EnvSpec& spec = description_.spec();
  const auto observations =
      Select("observation_leaves", spec.observation(), request.observation_leaves());
  if (!observations.ok()) return observations.status();
  auto infos = Select("info_leaves", spec.info(), request.info_leaves());
  if (!infos.ok()) return infos.status();
  if (request.no_info()) std::fill(infos->begin(), infos->end(), false);

  const auto add = [&](const auto& leaves, const std::vector<bool>& selected, v1::LeafRole role,
                       std::vector<RowLeaf>& rows) {
    for (int k = 0; k < leaves.size(); ++k) {
      if (!selected[static_cast<size_t>(k)]) continue;
      const v1::LayoutLeaf leaf = MakeLayoutLeaf(leaves[k], role);
      const size_t layout_leaf = row_offsets_.size();
      const size_t offset = AddResultLeaf(leaf);
      rows.push_back({.task_leaf = static_cast<size_t>(k),
                      .layout_leaf = layout_leaf,
                      .offset = offset,
                      .elements = NumElements(leaf.shape()),
                      .dtype = leaf.dtype()});
      final_leaves_.push_back(layout_leaf);
      *description_.mutable_final_layout()->add_leaves() = leaf;
    }
  };
  add(spec.observation(), *observations, v1::LEAF_ROLE_OBSERVATION, observation_);
  for (ImageLeaf& image : task_->image_leaves()) {
    const auto row =
        std::find_if(observation_.begin(), observation_.end(),
                     [&](const RowLeaf& leaf) { return leaf.task_leaf == image.leaf; });
    if (row != observation_.end()) row->image = std::move(image.view);
  }
  reward_offset_ = AddResultLeaf(MakeLayoutLeaf("reward", v1::LEAF_ROLE_REWARD, v1::DTYPE_FLOAT64));
  flags_offset_ = AddResultLeaf(MakeLayoutLeaf("flags", v1::LEAF_ROLE_FLAGS, v1::DTYPE_UINT8));
  op_no_offset_ = AddResultLeaf(MakeLayoutLeaf("op_no", v1::LEAF_ROLE_OP_NO, v1::DTYPE_UINT64));
  seed_offset_ = AddResultLeaf(MakeLayoutLeaf("seed", v1::LEAF_ROLE_SEED, v1::DTYPE_UINT64));
  episode_offset_ =
      AddResultLeaf(MakeLayoutLeaf("episode", v1::LEAF_ROLE_EPISODE, v1::DTYPE_UINT64));
  add(spec.info(), *infos, v1::LEAF_ROLE_INFO, info_);
  for (size_t k = 0; k < info_.size(); ++k) {
    const std::string& name = spec.info(static_cast<int>(info_[k].task_leaf)).name();
    const bool is_success = name == "success" || name == "is_success" || name == "solved";
    if (!is_success || info_[k].elements != 1) continue;
    has_success_ = true;
    success_ = k;
  }
  return absl::OkStatus();
}

absl::StatusOr<PoolSpec> PoolSpec::Make(std::shared_ptr<const Task> task,
                                        const v1::CreatePoolRequest& request) {
  for (const absl::Status& status : {CheckDtype("observation_dtype", request.observation_dtype()),
                                     CheckDtype("action_dtype", request.action_dtype())}) {
    if (!status.ok()) return status;
  }
  if (request.num_envs() == 0) {
    return MakeError(v1::ERROR_REASON_BAD_OPTION, "num_envs: 0 is not at least 1", "num_envs", "0");
  }
  if (request.max_episode_steps() < -1) {
    return MakeError(
        v1::ERROR_REASON_BAD_OPTION,
        absl::StrCat("max_episode_steps: ", request.max_episode_steps(),
                     " is not a number of steps, 0 (the env's own limit) or -1 (no limit)"),
        "max_episode_steps", absl::StrCat(request.max_episode_steps()));
  }
  PoolSpec pool;
  pool.task_ = std::move(task);
  v1::PoolDescription& description = pool.description_;
  v1::EnvSpec& spec = *description.mutable_spec();
  spec = FullSpec(*pool.task_);
  Retype(request.observation_dtype(), pool.task_->image_leaves(), *spec.mutable_observation());
  Retype(request.action_dtype(), {}, *spec.mutable_action());
  if (request.max_episode_steps() != 0)
    spec.set_max_episode_steps(std::max(0, request.max_episode_steps()));
  description.set_num_envs(request.num_envs());

  v1::AutoresetMode mode = request.autoreset_mode();
  if (!v1::AutoresetMode_IsValid(mode)) {
    return MakeError(v1::ERROR_REASON_BAD_OPTION,
                     absl::StrCat("autoreset_mode: ", static_cast<int>(mode),
                                  " is not a value of AutoresetMode"),
                     "autoreset_mode", absl::StrCat(static_cast<int>(mode)));
  }
  if (mode == v1::AUTORESET_MODE_UNSPECIFIED) {
    mode = spec.robot() ? v1::AUTORESET_MODE_DISABLED : v1::AUTORESET_MODE_NEXT_STEP;
  }
  description.set_autoreset_mode(mode);

  const absl::Status added = pool.AddTaskLeaves(request);
  if (!added.ok()) return added;
  for (const v1::LeafSpec& leaf : spec.action()) {
    *description.mutable_action_layout()->add_leaves() = MakeLayoutLeaf(leaf, v1::LEAF_ROLE_ACTION);
    pool.action_elements_ += NumElements(leaf.shape());
  }
  pool.action_dtype_ = spec.action_size() > 0 ? spec.action(0).dtype() : v1::DTYPE_UNSPECIFIED;
  for (v1::Layout* layout :
       {description.mutable_result_layout(), description.mutable_final_layout(),
        description.mutable_action_layout()}) {
    SetLayoutHash(spec.engine(), kEdition, *layout);
  }
  pool.result_layout_ = PayloadLayout(description.result_layout());
  pool.final_layout_ = PayloadLayout(description.final_layout());
  pool.action_layout_ = PayloadLayout(description.action_layout());
  return pool;
}

}  // namespace hivewire
