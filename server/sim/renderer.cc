#include "server/sim/renderer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/nearest.h"

namespace hivewire {
namespace {

constexpr int kMaxGeoms = 10000;
constexpr uint32_t kMaxSize = 8192;  // pixels

std::vector<std::string> CameraNames(const mjModel& model) {
  std::vector<std::string> names;
  for (int camera = 0; camera < model.ncam; ++camera) {
    const char* name = mj_id2name(&model, mjOBJ_CAMERA, camera);
    if (name != nullptr) names.push_back(name);
  }
  return names;
}

// As numpy's median: the mean of the two in the middle of an even number.
double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

absl::Status CheckImageRequest(const ImageRequest& request) {
  for (const auto& [field, size] :
       {std::pair("width", request.width), std::pair("height", request.height)}) {
    if (size == 0 || size > kMaxSize) {
      return MakeError(v1::ERROR_REASON_BAD_OPTION,
                       absl::StrCat(field, ": ", size, " is not in 1 … ", kMaxSize, " pixels"),
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

Renderer::Renderer(std::unique_ptr<Simulation> simulation) : simulation_(std::move(simulation)) {
  mjr_defaultContext(&context_);
  mjv_defaultScene(&scene_);
  mjv_defaultOption(&option_);
}

Renderer::~Renderer() {
  // After an engine error these may fail too; there is nothing left to save then.
  Simulation::Guard([this] {
    mjr_freeContext(&context_);
    mjv_freeScene(&scene_);
  }).IgnoreError();
}

absl::StatusOr<std::unique_ptr<Renderer>> Renderer::Create(std::shared_ptr<const Model> model) {
  auto simulation = Simulation::Create(std::move(model));
  if (!simulation.ok()) return simulation.status();
  std::unique_ptr<Renderer> renderer(new Renderer(*std::move(simulation)));
  const absl::Status status = Simulation::Guard([&renderer] {
    Simulation& simulation = *renderer->simulation_;
    const mjModel* model = simulation.model();
    mjv_makeScene(model, &renderer->scene_, kMaxGeoms);
    mjr_makeContext(model, &renderer->context_, mjFONTSCALE_100);
    mjr_setBuffer(mjFB_OFFSCREEN, &renderer->context_);
    if (renderer->context_.currentBuffer != mjFB_OFFSCREEN) mju_error("no offscreen frame buffer");
  });
  if (!status.ok()) return status;
  return renderer;
}

std::array<double, 3> Renderer::Center() const {
  std::array<double, 3> center;
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<double> positions;
    for (int geom = 0; geom < simulation_->model()->ngeom; ++geom) {
      positions.push_back(simulation_->data()->geom_xpos[3 * geom + axis]);
    }
    center[static_cast<size_t>(axis)] = Median(std::move(positions));
  }
  return center;
}

mjvCamera Renderer::CameraFor(const ImageRequest& request,
                              const std::array<double, 3>& center) const {
  const mjModel* model = simulation_->model();
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
    std::copy_n(simulation_->data()->subtree_com + 3 * view.track_body(), 3, camera.lookat);
  }
  return camera;
}

absl::StatusOr<Image> Renderer::Render(const ImageRequest& request) {
  const int width = static_cast<int>(request.width);
  const int height = static_cast<int>(request.height);
  Image image{request.width, request.height, {}, {}};
  image.pixels.resize(size_t{3} * request.width * request.height);
  const absl::Status status = Simulation::Guard([&] {
    mjr_setBuffer(mjFB_OFFSCREEN, &context_);  // another renderer's was bound
    simulation_->Use(request.overrides);
    if (request.edit_model) request.edit_model(simulation_->UseEdited(request.editor));
    simulation_->LoadWithDerived(request.state);
    image.center = request.center.value_or(Center());
    // Grown, never shrunk: models declare the size that they need.
    if (context_.offWidth < width || context_.offHeight < height) {
      mjr_resizeOffscreen(std::max(width, context_.offWidth), std::max(height, context_.offHeight),
                          &context_);
    }
    mjvCamera camera = CameraFor(request, image.center);
    mjv_updateScene(simulation_->model(), simulation_->data(), &option_, nullptr, &camera,
                    mjCAT_ALL, &scene_);
    scene_.flags[mjRND_SHADOW] = request.shadows;
    scene_.flags[mjRND_REFLECTION] = request.reflections;
    const mjrRect viewport = {0, 0, width, height};
    mjr_render(viewport, &scene_, &context_);
    mjr_readPixels(image.pixels.data(), nullptr, viewport, &context_);
  });
  if (!status.ok()) return status;
  // GL's rows go from the bottom up.
  const size_t row_bytes = size_t{3} * request.width;
  for (uint32_t row = 0; row < request.height / 2; ++row) {
    uint8_t* top = image.pixels.data() + row * row_bytes;
    uint8_t* bottom = image.pixels.data() + (request.height - 1 - row) * row_bytes;
    std::swap_ranges(top, top + row_bytes, bottom);
  }
  return image;
}

}  // namespace hivewire
