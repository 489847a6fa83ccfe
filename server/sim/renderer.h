// Draws one model into images: scenes that others made, and states.
//
// For a state the mjData is its own: derived fields are recomputed as they were when the row was
// saved, so an image is the one that Gymnasium draws. (MuJoCo integrates last: just after a step,
// it shows the bodies where they were one engine step earlier.)
//
// Belongs to the thread whose GlContext is current, from Create to the destructor.
#ifndef HIVEWIRE_SERVER_SIM_RENDERER_H_
#define HIVEWIRE_SERVER_SIM_RENDERER_H_

#include <mujoco/mujoco.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/spec.pb.h"
#include "server/sim/model.h"
#include "server/sim/render_scene.h"
#include "server/sim/shadow_maps.h"
#include "server/sim/simulation.h"

namespace hivewire {

struct ImageRequest {
  std::shared_ptr<const Model> model;
  std::vector<double> state;                        // a row of the model
  std::shared_ptr<const ModelOverrides> overrides;  // of the env that is drawn; null for none
  // What that env's task changes of the model besides (Task::EditModel), and the task; null for
  // nothing.
  std::function<void(mjModel&)> edit_model;
  std::shared_ptr<const void> editor;
  // A camera of the model, or empty for `default_camera`.
  std::string camera;
  v1::DefaultCamera default_camera;
  // Where the default camera looks if it is told no point, m; unset for the middle of the geoms.
  std::optional<std::array<double, 3>> center;
  uint32_t width = 480;   // pixels
  uint32_t height = 480;  // pixels
  RenderQuality quality;
};

struct Image {
  uint32_t width = 0;
  uint32_t height = 0;
  std::vector<uint8_t> pixels;  // (height, width, 3) RGB, top row first
  // What stood for ImageRequest::center: where Gymnasium's viewer would look from then on.
  std::array<double, 3> center = {};
};

// INVALID_ARGUMENT naming the field of a request that cannot be drawn.
absl::Status CheckImageRequest(const ImageRequest& request);

// A scene, and where its image goes. All is the caller's.
struct Drawing {
  RenderScene& scene;
  uint32_t width, height;  // pixels
  RenderQuality quality;
  uint8_t* pixels = nullptr;  // (height, width, 3) RGB, top row first; null for none
  float* depth = nullptr;     // (height, width) m, top row first; null for none
};

class Renderer {
 public:
  // Uploads the model's meshes and textures. INTERNAL where MuJoCo cannot set up its frame buffers.
  static absl::StatusOr<std::unique_ptr<Renderer>> Create(std::shared_ptr<const Model> model,
                                                          const RenderQuality& quality);
  ~Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  const std::shared_ptr<const Model>& model() const { return model_; }
  const RenderQuality& quality() const { return quality_; }

  // `request.model` and `request.quality` are this renderer's, and CheckImageRequest found nothing.
  // After an error the Renderer is not to be used again.
  absl::StatusOr<Image> Render(const ImageRequest& request);
  // `drawing.scene` is of this renderer's model. After an error the Renderer is not to be used
  // again.
  absl::Status Draw(const Drawing& drawing);

 private:
  Renderer(std::shared_ptr<const Model> model, const RenderQuality& quality);

  // Both may call the engine's error handler.
  void DrawGuarded(const Drawing& drawing);
  void ReadDepth(const Drawing& drawing, const mjrRect& viewport);

  const std::shared_ptr<const Model> model_;
  const RenderQuality quality_;
  mjrContext context_;
  std::unique_ptr<ShadowMaps> shadow_maps_;
  // For Render alone; null until then.
  std::unique_ptr<Simulation> simulation_;
  std::unique_ptr<RenderScene> scene_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_RENDERER_H_
