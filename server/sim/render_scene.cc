#include "server/sim/render_scene.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/nearest.h"
#include "server/sim/simulation.h"

namespace hivewire {
namespace {

constexpr int kMaxGeoms = 10000;  // as MuJoCo's own renderer has them

}  // namespace

std::vector<std::string> CameraNames(const mjModel& model) {
  std::vector<std::string> names;
  for (int camera = 0; camera < model.ncam; ++camera) {
    const char* name = mj_id2name(&model, mjOBJ_CAMERA, camera);
    if (name != nullptr) names.push_back(name);
  }
  return names;
}

absl::Status CheckImageView(const ImageView& view, const mjModel& model, const std::string& field) {
  for (const auto& [name, size] :
       {std::pair("width", view.width), std::pair("height", view.height)}) {
    if (size == 0 || size > kMaxImageSize) {
      return MakeError(
          v1::ERROR_REASON_BAD_OPTION,
          absl::StrCat(field, ": ", name, " ", size, " is not in 1 … ", kMaxImageSize, " pixels"),
          field, absl::StrCat(size));
    }
  }
  if (mj_name2id(&model, mjOBJ_CAMERA, view.camera.c_str()) < 0) {
    return MakeError(v1::ERROR_REASON_BAD_OPTION,
                     absl::StrCat(field, ": the model has no camera \"", Excerpt(view.camera), "\"",
                                  NearestHint(view.camera, CameraNames(model))),
                     field, Excerpt(view.camera));
  }
  return absl::OkStatus();
}

RenderScene::RenderScene(std::shared_ptr<const Model> model) : model_(std::move(model)) {
  mjv_defaultOption(&option_);
  mjv_defaultScene(&scene_);
}

RenderScene::~RenderScene() {
  // After an engine error this may fail too; there is nothing left to save then.
  Simulation::Guard([this] { mjv_freeScene(&scene_); }).IgnoreError();
}

absl::StatusOr<std::unique_ptr<RenderScene>> RenderScene::Create(
    std::shared_ptr<const Model> model) {
  std::unique_ptr<RenderScene> scene(new RenderScene(std::move(model)));
  const absl::Status status = Simulation::Guard(
      [&scene] { mjv_makeScene(scene->model_->get(), &scene->scene_, kMaxGeoms); });
  if (!status.ok()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for a scene of ", scene->model_->name(), ": ", status.message()));
  }
  return scene;
}

void RenderScene::Look(const mjModel& model, mjData& data, mjvCamera camera) {
  mjv_updateScene(&model, &data, &option_, nullptr, &camera, mjCAT_ALL, &scene_);
}

void RenderScene::Look(const mjModel& model, mjData& data, const std::string& camera) {
  mjvCamera fixed;
  mjv_defaultCamera(&fixed);
  fixed.type = mjCAMERA_FIXED;
  fixed.fixedcamid = mj_name2id(&model, mjOBJ_CAMERA, camera.c_str());
  Look(model, data, fixed);
}

}  // namespace hivewire
