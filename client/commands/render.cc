// hivectl render: one image.
#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/output_file.h"
#include "client/commands/command.h"
#include "client/commands/scene.h"
#include "client/commands/session.h"

namespace hivewire {
namespace {

absl::Status Render(const CommandContext& context) {
  const std::string path = context.arguments.Text("output");
  if (!absl::EndsWith(absl::AsciiStrToLower(path), ".png"))
    return absl::InvalidArgumentError(
        absl::StrCat("--output: \"", path, "\" must be a name that ends with .png"));
  auto file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<Scene> scene = Scene::Open(context.arguments);
  if (!scene.ok()) return scene.status();
  const int steps = context.arguments.Has("steps") ? context.arguments.Count("steps") : 0;
  for (int step = 0; step < steps; ++step) {
    if (context.interrupted) return absl::CancelledError("interrupted");
    const absl::Status status = scene->Step();
    if (!status.ok()) return status;
  }
  const auto image = scene->Image(v1::IMAGE_FORMAT_PNG);
  if (!image.ok()) return image.status();
  absl::Status status = file->Write(*image);
  if (status.ok()) status = file->Commit();
  if (status.ok()) context.out << path << '\n';
  return status;
}

std::vector<FlagSpec> Flags() {
  std::vector<FlagSpec> flags = SceneFlags();
  flags.push_back({.name = "steps",
                   .kind = FlagKind::kCount,
                   .doc = "Steps of the policy before the image is made."});
  flags.push_back({.name = "output", .doc = "The image: a .png."});
  return flags;
}

}  // namespace

Command RenderCommand() {
  return {.name = "render",
          .operand = "ENV",
          .summary = "Makes an image of an env, on the server.",
          .example = "render Ant-v5 --steps=50 --output=ant.png",
          .flags = Flags(),
          .run = Render};
}

}  // namespace hivewire
