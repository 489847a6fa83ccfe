#include "client/commands/scene.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands/session.h"

namespace hivewire {

std::vector<FlagSpec> SceneFlags() {
  return WithEnvFlags(
      {{.name = "camera", .doc = "A camera's name; without it the default view."},
       {.name = "width", .kind = FlagKind::kCount, .default_value = "480", .doc = "Pixels."},
       {.name = "height", .kind = FlagKind::kCount, .default_value = "480", .doc = "Pixels."},
       {.name = "seed",
        .kind = FlagKind::kSeed,
        .default_value = "0",
        .doc = "Of the first episode and of the random actions."},
       PolicyFlag()});
}

absl::StatusOr<Scene> Scene::Open(const Arguments& arguments) {
  auto env = MakeEnv(arguments, /*num_envs=*/1);
  if (!env.ok()) return env.status();
  if (!(*env)->spec().renders()) {
    return absl::FailedPreconditionError(
        absl::StrCat((*env)->spec().id(), " has nothing to show: it does not render"));
  }
  auto sampler = MakeSampler(arguments, **env);
  if (!sampler.ok()) return sampler.status();
  Scene scene(*std::move(env), *std::move(sampler));
  scene.camera_ = arguments.Text("camera");
  scene.width_ = arguments.Count("width");
  scene.height_ = arguments.Count("height");
  const absl::Status status = scene.env_->Reset(arguments.Seed("seed"), scene.result_);
  if (!status.ok()) return status;
  return scene;
}

absl::Status Scene::Step() {
  sampler_.Sample(1, actions_);
  const absl::Status status =
      env_->Step(absl::MakeConstSpan(actions_.data(), actions_.size()), result_);
  if (!status.ok() || result_.faults.empty()) return status;
  return absl::InternalError(
      absl::StrCat("the env failed: ", result_.faults[0].status().message()));
}

absl::StatusOr<std::string> Scene::Image(v1::ImageFormat format) {
  auto image = env_->Render(0, camera_, static_cast<uint32_t>(width_),
                            static_cast<uint32_t>(height_), format);
  if (!image.ok()) return image.status();
  return std::move(*image->mutable_image());
}

}  // namespace hivewire
