// Draws states of one model into images.
//
// The mjData is its own: derived fields are recomputed from the state by mj_forward, so an image
// shows where the bodies are now. (MuJoCo integrates last, so an image drawn from the mjData that
// was just stepped shows them one engine step earlier.)
//
// Belongs to the thread whose GlContext is current, from Create to the destructor.
#ifndef HIVEWIRE_SERVER_SIM_RENDERER_H_
#define HIVEWIRE_SERVER_SIM_RENDERER_H_

#include <mujoco/mujoco.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hivewire/v1/spec.pb.h"
#include "server/sim/model.h"
#include "server/sim/simulation.h"

namespace hivewire {

struct ImageRequest {
  std::shared_ptr<const Model> model;
  std::vector<double> state;                        // a row of the model
  std::shared_ptr<const ModelOverrides> overrides;  // of the env that is drawn; null for none
  // A camera of the model, or empty for `default_camera`.
  std::string camera;
  v1::DefaultCamera default_camera;
  uint32_t width = 480;   // pixels
  uint32_t height = 480;  // pixels
  // In software a shadow costs many times the rest of the image.
  bool shadows = true;
  bool reflections = true;
};

struct Image {
  uint32_t width = 0;
  uint32_t height = 0;
  std::vector<uint8_t> pixels;  // (height, width, 3) RGB, top row first
};

// INVALID_ARGUMENT naming the field of a request that cannot be drawn.
absl::Status CheckImageRequest(const ImageRequest& request);

class Renderer {
 public:
  // INTERNAL where MuJoCo cannot set up its frame buffers.
  static absl::StatusOr<std::unique_ptr<Renderer>> Create(std::shared_ptr<const Model> model);
  ~Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  const std::shared_ptr<const Model>& model() const { return simulation_->shared_model(); }

  // `request.model` is this renderer's, and CheckImageRequest found nothing. After an error the
  // Renderer is not to be used again.
  absl::StatusOr<Image> Render(const ImageRequest& request);

 private:
  explicit Renderer(std::unique_ptr<Simulation> simulation);

  mjvCamera CameraFor(const ImageRequest& request) const;

  std::unique_ptr<Simulation> simulation_;
  mjrContext context_;
  mjvScene scene_;
  mjvOption option_;
  // Median position of the geoms in the model's reference state: where Gymnasium's default camera
  // looks.
  double center_[3] = {};
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_RENDERER_H_
