#include "server/sim/renderer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/nearest.h"
#include "server/sim/coarse_meshes.h"

namespace hivewire {
namespace {

constexpr int kFirstSize = 64;  // pixels, of frame buffers

// As numpy's median: the mean of the two in the middle of an even number.
double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Median position of the geoms, as they are in the engine.
std::array<double, 3> Center(const Simulation& simulation) {
  std::array<double, 3> center;
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<double> positions;
    for (int geom = 0; geom < simulation.model()->ngeom; ++geom) {
      positions.push_back(simulation.data()->geom_xpos[3 * geom + axis]);
    }
    center[static_cast<size_t>(axis)] = Median(std::move(positions));
  }
  return center;
}

mjvCamera CameraFor(const ImageRequest& request, const std::array<double, 3>& center,
                    const Simulation& simulation) {
  const mjModel* model = simulation.model();
  mjvCamera camera;
  mjv_defaultCamera(&camera);
  if (!request.camera.empty()) {
    camera.type = mjCAMERA_FIXED;
    camera.fixedcamid = mj_name2id(model, mjOBJ_CAMERA, request.camera.c_str());
    return camera;
  }
  const v1::DefaultCamera& view = request.default_camera;
  camera.type = mjCAMERA_FREE;
  camera.distance = view.has_distance() ? view.distance() : model->stat.extent;
  if (view.has_azimuth()) camera.azimuth = view.azimuth();
  if (view.has_elevation()) camera.elevation = view.elevation();
  std::copy_n(view.lookat_size() == 3 ? view.lookat().data() : center.data(), 3, camera.lookat);
  if (view.has_track_body()) {
    camera.type = mjCAMERA_TRACKING;
    camera.trackbodyid = view.track_body();
    std::copy_n(simulation.data()->subtree_com + 3 * view.track_body(), 3, camera.lookat);
  }
  return camera;
}

// GL's rows go from the bottom up.
template <typename T>
void TurnOver(T* rows, size_t num_rows, size_t row_elements) {
  for (size_t row = 0; row < num_rows / 2; ++row) {
    T* const top = rows + row * row_elements;
    std::swap_ranges(top, top + row_elements, rows + (num_rows - 1 - row) * row_elements);
  }
}

}  // namespace

absl::Status CheckImageRequest(const ImageRequest& request) {
  for (const auto& [field, size] :
       {std::pair("width", request.width), std::pair("height", request.height)}) {
    if (size == 0 || size > kMaxImageSize) {
      return MakeError(v1::ERROR_REASON_BAD_OPTION,
                       absl::StrCat(field, ": ", size, " is not in 1 … ", kMaxImageSize, " pixels"),
                       field, absl::StrCat(size));
    }
  }
  if (request.state.size() != static_cast<size_t>(request.model->state_size())) {
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("state: ", request.state.size(), " numbers; a state of ",
                                  request.model->name(), " has ", request.model->state_size()),
                     "state", absl::StrCat(request.state.size()));
  }
  const mjModel& model = *request.model->get();
  if (!request.camera.empty() && mj_name2id(&model, mjOBJ_CAMERA, request.camera.c_str()) < 0) {
    return MakeError(v1::ERROR_REASON_BAD_OPTION,
                     absl::StrCat("camera: the model has no \"", request.camera, "\"",
                                  NearestHint(request.camera, CameraNames(model))),
                     "camera", request.camera);
  }
  const int track_body = request.default_camera.track_body();
  if (track_body < 0 || track_body >= model.nbody) {
    return MakeError(v1::ERROR_REASON_BAD_OPTION,
                     absl::StrCat("default_camera.track_body: ", track_body,
                                  " is not a body of the model, 0 … ", model.nbody - 1),
                     "default_camera.track_body", absl::StrCat(track_body));
  }
  return absl::OkStatus();
}

Renderer::Renderer(std::shared_ptr<const Model> model, const RenderQuality& quality)
    : model_(std::move(model)), quality_(quality) {
  mjr_defaultContext(&context_);
}

Renderer::~Renderer() {
  shadow_maps_.reset();
  // After an engine error this may fail too; there is nothing left to save then.
  Simulation::Guard([this] { mjr_freeContext(&context_); }).IgnoreError();
}

absl::StatusOr<std::unique_ptr<Renderer>> Renderer::Create(std::shared_ptr<const Model> model,
                                                           const RenderQuality& quality) {
  std::unique_ptr<Renderer> renderer(new Renderer(std::move(model), quality));
  mjModel* changed = nullptr;
  const absl::Status status = Simulation::Guard([&] {
    const mjModel* shown = renderer->model_->get();
    if (!quality.multisampling || !quality.shadows || !quality.fine_meshes) {
      // The context takes its buffers' sizes from the model.
      changed = mj_copyModel(nullptr, shown);
      if (changed == nullptr) mju_error("no memory for a copy of the model");
      if (!quality.multisampling) changed->vis.quality.offsamples = 0;
      if (!quality.shadows) changed->vis.quality.shadowsize = 0;
      if (!quality.fine_meshes) CoarsenMeshes(*changed);
      shown = changed;
    }
    mjr_makeContext(shown, &renderer->context_, mjFONTSCALE_100);
    mjr_setBuffer(mjFB_OFFSCREEN, &renderer->context_);
    if (renderer->context_.currentBuffer != mjFB_OFFSCREEN) mju_error("no offscreen frame buffer");
    renderer->context_.readDepthMap = mjDEPTH_ZEROFAR;
    // Models declare buffers for windows; what is bound is gone through whole for each image.
    mjr_resizeOffscreen(kFirstSize, kFirstSize, &renderer->context_);
  });
  mj_deleteModel(changed);
  if (!status.ok()) return status;
  renderer->shadow_maps_ = std::make_unique<ShadowMaps>(renderer->context_);
  return renderer;
}

absl::StatusOr<Image> Renderer::Render(const ImageRequest& request) {
  if (simulation_ == nullptr) {
    auto simulation = Simulation::Create(model_);
    if (!simulation.ok()) return simulation.status();
    auto scene = RenderScene::Create(model_);
    if (!scene.ok()) return scene.status();
    simulation_ = *std::move(simulation);
    scene_ = *std::move(scene);
  }
  Image image{request.width, request.height, {}, {}};
  image.pixels.resize(size_t{3} * request.width * request.height);
  const absl::Status status = Simulation::Guard([&] {
    simulation_->Use(request.overrides);
    if (request.edit_model) request.edit_model(simulation_->UseEdited(request.editor));
    simulation_->LoadWithDerived(request.state);
    image.center = request.center.value_or(Center(*simulation_));
    scene_->Look(*simulation_->model(), *simulation_->data(),
                 CameraFor(request, image.center, *simulation_));
    DrawGuarded({.scene = *scene_,
                 .width = request.width,
                 .height = request.height,
                 .quality = request.quality,
                 .pixels = image.pixels.data()});
  });
  if (!status.ok()) return status;
  return image;
}

absl::Status Renderer::Draw(const Drawing& drawing) {
  return Simulation::Guard([&] { DrawGuarded(drawing); });
}

void Renderer::DrawGuarded(const Drawing& drawing) {
  const int width = static_cast<int>(drawing.width);
  const int height = static_cast<int>(drawing.height);
  mjr_setBuffer(mjFB_OFFSCREEN, &context_);  // another renderer's was bound
  // Grown, never shrunk.
  if (context_.offWidth < width || context_.offHeight < height) {
    mjr_resizeOffscreen(std::max(width, context_.offWidth), std::max(height, context_.offHeight),
                        &context_);
  }
  mjvScene& scene = drawing.scene.scene();
  scene.flags[mjRND_SHADOW] = quality_.shadows;
  scene.flags[mjRND_REFLECTION] = quality_.reflections;
  const mjrRect viewport = {0, 0, width, height};
  if (drawing.pixels != nullptr) {
    shadow_maps_->Render(viewport, scene);
    mjr_readPixels(drawing.pixels, nullptr, viewport, &context_);
    TurnOver(drawing.pixels, drawing.height, size_t{3} * drawing.width);
  }
  if (drawing.depth != nullptr) ReadDepth(drawing, viewport);
}

// As MuJoCo's Python renderer has it, in its types: a pass of its own, in which every geom has one
// colour (so that nothing but geoms is near), and metres from what the buffer holds.
void Renderer::ReadDepth(const Drawing& drawing, const mjrRect& viewport) {
  mjvScene& scene = drawing.scene.scene();
  scene.flags[mjRND_SEGMENT] = scene.flags[mjRND_IDCOLOR] = 1;
  shadow_maps_->Render(viewport, scene);
  mjr_readPixels(nullptr, drawing.depth, viewport, &context_);
  scene.flags[mjRND_SEGMENT] = scene.flags[mjRND_IDCOLOR] = 0;
  const mjModel& model = *model_->get();
  const float near = static_cast<float>(model.vis.map.znear * model.stat.extent);
  const float far = static_cast<float>(model.vis.map.zfar * model.stat.extent);
  const size_t count = size_t{drawing.width} * drawing.height;
  if (scene.camera[0].orthographic) {
    for (size_t k = 0; k < count; ++k)
      drawing.depth[k] =
          static_cast<float>(far - static_cast<double>(drawing.depth[k]) * (far - near));
  } else {
    const float offset = -0.5f * (-(far + near) / (far - near)) - 0.5f;
    const float scale = -0.5f * (-(2.0f * far * near) / (far - near));
    for (size_t k = 0; k < count; ++k)
      drawing.depth[k] =
          static_cast<float>(scale / (static_cast<double>(drawing.depth[k]) + offset));
  }
  TurnOver(drawing.depth, drawing.height, drawing.width);
}

}  // namespace hivewire
