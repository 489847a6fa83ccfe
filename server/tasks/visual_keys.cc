#include "server/tasks/visual_keys.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/error.h"
#include "base/nearest.h"
#include "server/sim/coarse_meshes.h"
#include "server/tasks/spec_builder.h"

namespace hivewire {
namespace {

constexpr char kFlat[] = "1d";
constexpr char kFast[] = "fast";
// Up to so many pixels a side a fast image does without details of meshes.
constexpr uint32_t kSmall = 256;
constexpr const char* kEncoders[] = {kFlat,   "2d",    "r3m18", "r3m34", "r3m50",
                                     "rrl18", "rrl34", "rrl50", "vc1s",  "vc1l"};

struct VisualKey {
  ImageView view;
  std::string encoder;
};

absl::Status Bad(const std::string& field, const std::string& key, absl::string_view problem) {
  return MakeError(v1::ERROR_REASON_BAD_OPTION,
                   absl::StrCat(field, ": \"", Excerpt(key), "\" ", problem), field, Excerpt(key));
}

// From the right, since a camera's name may hold colons.
absl::StatusOr<VisualKey> ParseKey(const std::string& key, const std::string& field) {
  constexpr char kForm[] =
      "is not of the form rgb:CAMERA:HEIGHTxWIDTH:ENCODER or d:CAMERA:HEIGHTxWIDTH:ENCODER";
  VisualKey parsed;
  absl::string_view camera = key;
  parsed.view.depth = absl::ConsumePrefix(&camera, "d:");
  if (!parsed.view.depth && !absl::ConsumePrefix(&camera, "rgb:")) return Bad(field, key, kForm);
  const size_t encoder = camera.rfind(':');
  if (encoder == absl::string_view::npos || encoder == 0) return Bad(field, key, kForm);
  const size_t size = camera.rfind(':', encoder - 1);
  if (size == absl::string_view::npos) return Bad(field, key, kForm);
  const std::vector<absl::string_view> sides =
      absl::StrSplit(camera.substr(size + 1, encoder - size - 1), 'x');
  if (sides.size() != 2 || !absl::SimpleAtoi(sides[0], &parsed.view.height) ||
      !absl::SimpleAtoi(sides[1], &parsed.view.width))
    return Bad(field, key, kForm);
  parsed.encoder = std::string(camera.substr(encoder + 1));
  if (std::find(std::begin(kEncoders), std::end(kEncoders), parsed.encoder) == std::end(kEncoders))
    return Bad(field, key, absl::StrCat("names no encoder of: ", absl::StrJoin(kEncoders, ", ")));
  parsed.view.camera = std::string(camera.substr(0, size));
  return parsed;
}

v1::LeafSpec MakeImageLeaf(const std::string& name, const VisualKey& key) {
  const int64_t height = key.view.height, width = key.view.width;
  std::string doc;
  v1::LeafSpec leaf;
  if (key.view.depth) {
    leaf = MakeLeaf(name, v1::DTYPE_FLOAT32, {1, height, width});
    leaf.set_unit("m");
    doc = "Distance along the camera's axis, top row first.";
  } else {
    const bool flat = key.encoder == kFlat;
    leaf = MakeBoxLeaf(
        name, v1::DTYPE_UINT8,
        flat ? std::vector<int64_t>{height * width * 3} : std::vector<int64_t>{height, width, 3},
        {0}, {255});
    doc = "RGB, top row first.";
    if (!flat && key.encoder != "2d") {
      absl::StrAppend(&doc, " What the encoder ", key.encoder,
                      " takes, which is the client's to run.");
    }
  }
  const RenderQuality& quality = key.view.quality;
  absl::StrAppend(&doc, quality == RenderQuality{}
                            ? " Drawn as MuJoCo's own renderer draws."
                            : " Drawn without shadows, reflections and multisampling.");
  if (!quality.fine_meshes) {
    absl::StrAppend(&doc, " A mesh of more than ", kFewFaces, " faces is drawn with detail of 1/",
                    kMeshCells, " of its size.");
  }
  leaf.set_doc(doc);
  return leaf;
}

}  // namespace

std::vector<v1::OptionSpec> VisualOptions(const std::vector<std::string>& keys) {
  return {StringListOption(
              "visual_keys", keys,
              "Images that are leaves of the observation, as RoboHive names them: "
              "rgb:CAMERA:HEIGHTxWIDTH:ENCODER, or d: for the distance. Drawn where selected."),
          StringOption(
              "render_preset", "exact", {"exact", kFast},
              absl::StrCat("Images as MuJoCo's own renderer draws them, or without shadows, "
                           "reflections, multisampling and, in colour images of up to ",
                           kSmall,
                           " pixels a "
                           "side, small details of large meshes, which is many times as fast in "
                           "software."))};
}

bool IsFast(absl::string_view preset) { return preset == kFast; }

absl::StatusOr<std::vector<ImageLeaf>> AddVisualLeaves(absl::Span<const std::string> keys,
                                                       bool fast, const mjModel& model,
                                                       const std::string& field,
                                                       v1::EnvSpec& spec) {
  std::vector<ImageLeaf> images;
  for (const std::string& key : keys) {
    if (std::count(keys.begin(), keys.end(), key) > 1) return Bad(field, key, "stands twice");
    absl::StatusOr<VisualKey> parsed = ParseKey(key, field);
    if (!parsed.ok()) return parsed.status();
    ImageView& view = parsed->view;
    if (fast) {
      view.quality = kFastQuality;
      view.quality.fine_meshes = view.depth || std::max(view.width, view.height) > kSmall;
    }
    const absl::Status status = CheckImageView(view, model, field);
    if (!status.ok()) return status;
    *spec.add_observation() = MakeImageLeaf(key, *parsed);
    images.push_back({static_cast<size_t>(spec.observation_size() - 1), std::move(view)});
  }
  return images;
}

}  // namespace hivewire
