#include "server/tasks/robohive/robot_library.h"

#include "base/textproto.h"
#include "server/tasks/robohive/robot_files.h"

namespace hivewire {

absl::StatusOr<RobotLibrary> RobotLibrary::Create() {
  RobotLibrary library;
  for (const EmbeddedFile& file : RobotFiles()) {
    v1::RobotFile robots;
    const auto parsed =
        TextprotoFile::Parse(std::string(file.name), std::string(file.content), robots);
    if (!parsed.ok()) return parsed.status();
    library.robots_.MergeFrom(robots);
  }
  return library;
}

std::vector<std::string> RobotLibrary::Names() {
  static const std::vector<std::string>& all = *[] {
    auto* names = new std::vector<std::string>;
    const auto library = Create();
    if (!library.ok()) return names;
    for (const v1::RobotConfig& robot : library->robots_.robots()) names->push_back(robot.name());
    return names;
  }();
  return all;
}

const v1::RobotConfig* RobotLibrary::Find(absl::string_view name) const {
  for (const v1::RobotConfig& robot : robots_.robots()) {
    if (robot.name() == name) return &robot;
  }
  return nullptr;
}

}  // namespace hivewire
