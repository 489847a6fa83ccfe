// Every transform that a config can ask for.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/nearest.h"
#include "policy/transforms/transform.h"
#include "policy/transforms/transforms.h"

namespace hivewire {
namespace {

struct Entry {
  const char* type;
  absl::StatusOr<std::unique_ptr<Transform>> (*make)(const v1::TransformConfig& config,
                                                     int num_lanes, std::vector<LeafShape>& leaves);
};

constexpr Entry kTransforms[] = {
    {"center_crop", MakeCenterCrop},
    {"concatenate", MakeConcatenate},
    {"double_to_float", MakeDoubleToFloat},
    {"encoder", MakeEncoder},
    {"frame_stack", MakeFrameStack},
    {"grey", MakeGrey},
    {"resize", MakeResize},
    {"to_tensor_image", MakeToTensorImage},
};

std::string ShapeText(const LeafShape& leaf) {
  return absl::StrCat(c10::toString(leaf.dtype), " (", absl::StrJoin(leaf.shape, ", "), ")");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transform>> MakeTransform(const v1::TransformConfig& config,
                                                         int num_lanes,
                                                         std::vector<LeafShape>& leaves) {
  std::vector<std::string> types;
  for (const Entry& entry : kTransforms) {
    if (config.type() == entry.type) return entry.make(config, num_lanes, leaves);
    types.push_back(entry.type);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("type is \"", config.type(), "\"", NearestHint(config.type(), types)));
}

absl::StatusOr<std::vector<size_t>> ChosenLeaves(const v1::TransformConfig& config,
                                                 const std::vector<LeafShape>& leaves,
                                                 absl::string_view form,
                                                 bool (*fits)(const LeafShape& leaf)) {
  std::vector<size_t> chosen;
  std::vector<std::string> names;
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (config.leaves().empty() && fits(leaves[i])) chosen.push_back(i);
    names.push_back(leaves[i].name);
  }
  for (const std::string& name : config.leaves()) {
    size_t i = 0;
    while (i < leaves.size() && leaves[i].name != name) ++i;
    if (i == leaves.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("leaves: there is no leaf \"", name, "\"", NearestHint(name, names)));
    }
    if (!fits(leaves[i])) {
      return absl::InvalidArgumentError(absl::StrCat("leaves: \"", name, "\" is ",
                                                     ShapeText(leaves[i]), "; ", config.type(),
                                                     " takes ", form));
    }
    chosen.push_back(i);
  }
  if (chosen.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no leaf is ", form, ", which ", config.type(), " takes"));
  }
  return chosen;
}

}  // namespace hivewire
