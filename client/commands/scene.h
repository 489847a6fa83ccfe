// One lane that is played and looked at: what render and record share.
#ifndef HIVEWIRE_CLIENT_COMMANDS_SCENE_H_
#define HIVEWIRE_CLIENT_COMMANDS_SCENE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/action_sampler.h"
#include "client/commands/arguments.h"
#include "client/vector_env.h"

namespace hivewire {

// --camera, --width, --height, --seed, --policy.
std::vector<FlagSpec> SceneFlags();

class Scene {
 public:
  // A lane of the env that `arguments` name, at the first observation of an episode.
  static absl::StatusOr<Scene> Open(const Arguments& arguments);

  const v1::EnvSpec& spec() const { return env_->spec(); }
  int width() const { return width_; }
  int height() const { return height_; }

  // One step of the policy; a step after an episode's last begins the next.
  absl::Status Step();
  // The last step ended an episode.
  bool episode_ended() const { return result_.terminated[0] || result_.truncated[0]; }

  absl::StatusOr<std::string> Image(v1::ImageFormat format);

 private:
  Scene(std::unique_ptr<VectorEnv> env, ActionSampler sampler)
      : env_(std::move(env)), sampler_(std::move(sampler)) {}

  std::unique_ptr<VectorEnv> env_;
  ActionSampler sampler_;
  std::string camera_;
  int width_ = 0, height_ = 0;
  std::string actions_;
  StepResult result_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_COMMANDS_SCENE_H_
