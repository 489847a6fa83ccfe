// What one camera sees of an mjData: MuJoCo's abstract scene, made by the thread that owns the
// mjData and drawn by one that owns a GL context (render_thread.h).
//
// Used by one thread at a time.
#ifndef HIVEWIRE_SERVER_SIM_RENDER_SCENE_H_
#define HIVEWIRE_SERVER_SIM_RENDER_SCENE_H_

#include <mujoco/mujoco.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/sim/model.h"

namespace hivewire {

// What a drawing may leave out to be done sooner. The default is what MuJoCo's own renderer draws.
struct RenderQuality {
  // In software a shadow costs many times the rest of the image.
  bool shadows = true;
  bool reflections = true;
  // As many samples a pixel as the model asks for; else one.
  bool multisampling = true;
  // Else meshes have no more detail than small images show (coarse_meshes.h).
  bool fine_meshes = true;

  bool operator==(const RenderQuality&) const = default;
};

inline constexpr RenderQuality kFastQuality = {
    .shadows = false, .reflections = false, .multisampling = false};

// An image that an env makes of itself at every step.
struct ImageView {
  std::string camera;  // of the model
  uint32_t width = 0, height = 0;
  // (height, width) float32, m along the camera's axis; else (height, width, 3) uint8 RGB. Top row
  // first.
  bool depth = false;
  RenderQuality quality;
};

inline constexpr uint32_t kMaxImageSize = 8192;  // pixels

// Of those that have one.
std::vector<std::string> CameraNames(const mjModel& model);

// BAD_OPTION naming `field`: a camera that the model does not have (with the nearest names), a size
// that is out of range.
absl::Status CheckImageView(const ImageView& view, const mjModel& model, const std::string& field);

class RenderScene {
 public:
  // RESOURCE_EXHAUSTED where the engine cannot allocate.
  static absl::StatusOr<std::unique_ptr<RenderScene>> Create(std::shared_ptr<const Model> model);
  ~RenderScene();
  RenderScene(const RenderScene&) = delete;
  RenderScene& operator=(const RenderScene&) = delete;

  // `model`: the scene's own, as the env in use has it. May call the engine's error handler.
  void Look(const mjModel& model, mjData& data, mjvCamera camera);
  // Through the model's camera of that name, which it has.
  void Look(const mjModel& model, mjData& data, const std::string& camera);

  const std::shared_ptr<const Model>& model() const { return model_; }
  mjvScene& scene() { return scene_; }

 private:
  explicit RenderScene(std::shared_ptr<const Model> model);

  const std::shared_ptr<const Model> model_;
  mjvOption option_;
  mjvScene scene_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_RENDER_SCENE_H_
