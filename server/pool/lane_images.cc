#include "server/pool/lane_images.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {

absl::Status CheckImages(const PoolSpec& spec, RenderThreads* renderers) {
  for (const RowLeaf& leaf : spec.observation()) {
    if (!leaf.image.has_value()) continue;
    const auto thread =
        renderers != nullptr
            ? renderers->Get(0)
            : absl::StatusOr<RenderThread*>(MakeError(v1::ERROR_REASON_NO_RENDERER,
                                                      "drawing is switched off on this server"));
    const absl::Status status = thread.ok()
                                    ? (*thread)->Prepare(spec.task().model(), leaf.image->quality)
                                    : thread.status();
    if (!status.ok()) {
      return Annotate(
          status,
          absl::StrCat(
              "observation_leaves: \"",
              spec.description().spec().observation(static_cast<int>(leaf.task_leaf)).name(),
              "\" is an image (a pool of other leaves needs no renderer)"));
    }
  }
  return absl::OkStatus();
}

LaneImages::LaneImages(const PoolSpec& spec, std::shared_ptr<RenderThreads> renderers, int worker)
    : model_(spec.task().model()), renderers_(std::move(renderers)), worker_(worker) {
  for (const RowLeaf& leaf : spec.observation()) {
    if (!leaf.image.has_value()) continue;
    const ImageView& view = *leaf.image;
    auto shot = std::find_if(shots_.begin(), shots_.end(), [&view](const Shot& other) {
      return other.view.camera == view.camera && other.view.width == view.width &&
             other.view.height == view.height && other.view.quality == view.quality;
    });
    if (shot == shots_.end()) shot = shots_.insert(shot, {view, std::nullopt, std::nullopt});
    (view.depth ? shot->depth : shot->pixels) = leaf.offset;
  }
}

absl::Status LaneImages::Draw(Simulation& simulation, char* row) {
  const absl::StatusOr<RenderThread*> thread = renderers_->Get(worker_);
  if (!thread.ok()) return thread.status();
  if (scene_ == nullptr) {
    auto scene = RenderScene::Create(model_);
    if (!scene.ok()) return scene.status();
    scene_ = *std::move(scene);
  }
  for (const Shot& shot : shots_) {
    absl::Status status = Simulation::Guard(
        [&] { scene_->Look(*simulation.model(), *simulation.data(), shot.view.camera); });
    if (!status.ok()) return status;
    Drawing drawing{.scene = *scene_,
                    .width = shot.view.width,
                    .height = shot.view.height,
                    .quality = shot.view.quality};
    if (shot.pixels.has_value()) drawing.pixels = reinterpret_cast<uint8_t*>(row + *shot.pixels);
    if (shot.depth.has_value()) drawing.depth = reinterpret_cast<float*>(row + *shot.depth);
    status = (*thread)->Draw(drawing);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hivewire
