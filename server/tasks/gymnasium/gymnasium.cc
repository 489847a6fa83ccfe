#include "server/tasks/gymnasium/gymnasium.h"

#include <memory>
#include <string>
#include <utility>

#include "server/tasks/gymnasium/ant.h"
#include "server/tasks/gymnasium/half_cheetah.h"
#include "server/tasks/gymnasium/humanoid.h"
#include "server/tasks/gymnasium/ids.h"
#include "server/tasks/gymnasium/inverted_pendulum.h"
#include "server/tasks/gymnasium/model_library.h"
#include "server/tasks/gymnasium/planar_walker.h"
#include "server/tasks/gymnasium/reaching.h"
#include "server/tasks/gymnasium/suite_version.h"
#include "server/tasks/gymnasium/swimmer.h"

namespace hivewire {

absl::Status RegisterGymnasium(Registry& registry) {
  const auto library = std::make_shared<ModelLibrary>();
  for (TaskClass (*make)(SuiteVersion, std::shared_ptr<ModelLibrary>) :
       {AntClass, HalfCheetahClass, HopperClass, HumanoidClass, HumanoidStandupClass,
        InvertedDoublePendulumClass, InvertedPendulumClass, PusherClass, ReacherClass, SwimmerClass,
        Walker2dClass}) {
    for (const SuiteVersion version : {SuiteVersion::kV4, SuiteVersion::kV5}) {
      const absl::Status status = registry.AddClass(make(version, library));
      if (!status.ok()) return status;
    }
  }
  for (const EmbeddedFile& file : GymnasiumIds()) {
    const absl::Status status = registry.AddFile(std::string(file.name), std::string(file.content));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hivewire
