// Draws the image leaves of a pool's lanes, on one worker: the worker looks at its engine, a render
// thread of its own draws into the lane's row, and the worker waits for that.
//
// One thread at a time.
#ifndef HIVEWIRE_SERVER_POOL_LANE_IMAGES_H_
#define HIVEWIRE_SERVER_POOL_LANE_IMAGES_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "server/pool/pool_spec.h"
#include "server/sim/render_scene.h"
#include "server/sim/render_threads.h"
#include "server/sim/simulation.h"

namespace hivewire {

// Whether a pool of `spec` can have its images: NO_RENDERER naming the leaf where nobody draws here
// (`renderers` null: drawing is switched off), or what MuJoCo says of the model.
absl::Status CheckImages(const PoolSpec& spec, RenderThreads* renderers);

class LaneImages {
 public:
  LaneImages(const PoolSpec& spec, std::shared_ptr<RenderThreads> renderers, int worker);

  // What `simulation` shows, whose derived fields are those of the env, into the images of `row`.
  absl::Status Draw(Simulation& simulation, char* row);

 private:
  // The images of one camera.
  struct Shot {
    ImageView view;
    std::optional<size_t> pixels, depth;  // offsets in a row
  };

  const std::shared_ptr<const Model> model_;
  const std::shared_ptr<RenderThreads> renderers_;
  const int worker_;
  std::vector<Shot> shots_;
  std::unique_ptr<RenderScene> scene_;  // null before the first image
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_POOL_LANE_IMAGES_H_
