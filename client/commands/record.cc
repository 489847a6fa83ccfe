// hivectl record: a video of a policy at work.
#include <cmath>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/commands/command.h"
#include "client/commands/scene.h"
#include "client/commands/session.h"
#include "client/video_writer.h"

namespace hivewire {
namespace {

constexpr double kDefaultMostFrames = 50;  // frames/s: all that a GIF can show
constexpr int kNoLimit = 0;

// Says for which steps a frame is due, so that the video runs in real time.
class FrameClock {
 public:
  FrameClock(double frames_per_second, double steps_per_second)
      : frames_per_step_(frames_per_second / steps_per_second) {}

  // Frames that show the state after the next step: none, one, or several where the video has more
  // frames than the env has steps.
  int Next() {
    ++steps_;
    const int64_t due = static_cast<int64_t>(std::floor(frames_per_step_ * steps_ + 1e-9));
    const int64_t count = due - frames_;
    frames_ = due;
    return static_cast<int>(count);
  }

 private:
  const double frames_per_step_;
  double steps_ = 0;
  int64_t frames_ = 0;
};

absl::Status AddFrames(Scene& scene, int count, VideoWriter& video) {
  if (count == 0) return absl::OkStatus();
  const auto image = scene.Image(v1::IMAGE_FORMAT_RAW_RGB);
  if (!image.ok()) return image.status();
  absl::Status status;
  for (int k = 0; k < count && status.ok(); ++k) status = video.Add(*image);
  return status;
}

absl::Status Record(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  const std::string path = arguments.Text("output");
  if (path.empty())
    return absl::InvalidArgumentError("--output is missing: a name that ends with .mp4 or .gif");
  if (arguments.Has("episodes") && arguments.Has("steps"))
    return absl::InvalidArgumentError("--episodes and --steps: give one of them");
  const int steps = arguments.Has("steps") ? arguments.Count("steps") : kNoLimit;
  int episodes = steps > 0 ? kNoLimit : 1;
  if (arguments.Has("episodes")) episodes = arguments.Count("episodes");

  absl::StatusOr<Scene> scene = Scene::Open(arguments);
  if (!scene.ok()) return scene.status();
  const double steps_per_second = scene->spec().render_fps() > 0 ? scene->spec().render_fps() : 30;
  double frames_per_second = steps_per_second / std::ceil(steps_per_second / kDefaultMostFrames);
  if (arguments.Has("fps")) frames_per_second = arguments.Number("fps");
  auto video = VideoWriter::Create(
      path,
      {.width = scene->width(), .height = scene->height(), .frames_per_second = frames_per_second});
  if (!video.ok()) return video.status();

  FrameClock clock(frames_per_second, steps_per_second);
  absl::Status status = AddFrames(*scene, 1, **video);
  int step = 0;
  for (int ended = 0; status.ok();) {
    if (context.interrupted) return absl::CancelledError("interrupted; no video was written");
    status = scene->Step();
    if (!status.ok()) break;
    ++step;
    status = AddFrames(*scene, clock.Next(), **video);
    ended += scene->episode_ended();
    if ((episodes != kNoLimit && ended == episodes) || (steps != kNoLimit && step == steps)) break;
  }
  if (status.ok()) status = (*video)->Finish();
  if (!status.ok()) return status;
  context.out << path
              << absl::StrFormat(": %d steps, %.1f s at %g frames/s\n", step,
                                 step / steps_per_second, frames_per_second);
  return absl::OkStatus();
}

std::vector<FlagSpec> Flags() {
  std::vector<FlagSpec> flags = SceneFlags();
  flags.push_back(
      {.name = "episodes", .kind = FlagKind::kCount, .doc = "Episodes; 1 without --steps."});
  flags.push_back({.name = "steps", .kind = FlagKind::kCount, .doc = "Steps, instead."});
  flags.push_back({.name = "fps",
                   .kind = FlagKind::kNumber,
                   .doc = "Frames a second; the video runs in real time whatever it is. Without "
                          "it as many as the env has steps, at most 50."});
  flags.push_back({.name = "output", .doc = "The video: a .gif, or an .mp4 (needs ffmpeg)."});
  return flags;
}

}  // namespace

Command RecordCommand() {
  return {.name = "record",
          .operand = "ENV",
          .summary = "Makes a video of a policy at work, rendered by the server.",
          .example = "record Ant-v5 --steps=200 --output=ant.mp4",
          .flags = Flags(),
          .run = Record};
}

}  // namespace hivewire
