#include "policy/film.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

constexpr uint32_t kLane = 0;
// Where the env does not say.
constexpr double kFramesPerSecond = 30;

}  // namespace

absl::StatusOr<std::unique_ptr<Film>> Film::Create(VectorEnv& env, const FilmOptions& options) {
  if (options.max_frames < 1 || options.size < 16 || options.size > 2048) {
    return absl::InvalidArgumentError(absl::StrCat("a video of ", options.max_frames,
                                                   " frames (1 or more) and ", options.size,
                                                   " pixels (16 … 2048) cannot be made"));
  }
  const double fps = env.spec().render_fps();
  auto video = VideoWriter::Create(options.path,
                                   {options.size, options.size, fps > 0 ? fps : kFramesPerSecond});
  if (!video.ok()) return video.status();
  return std::unique_ptr<Film>(new Film(env, options, *std::move(video)));
}

absl::Status Film::Start(const StepResult&) { return Shoot(); }

absl::Status Film::Step(absl::Span<const char>, const StepResult& result) {
  const auto found = std::find(result.env_ids.begin(), result.env_ids.end(), kLane);
  if (full_ || found == result.env_ids.end()) return absl::OkStatus();
  const auto row = static_cast<size_t>(found - result.env_ids.begin());
  if (result.fault[row] || result.first[row]) {
    full_ = true;
    return absl::OkStatus();
  }
  const absl::Status status = Shoot();
  full_ |= result.terminated[row] || result.truncated[row];
  return status;
}

absl::Status Film::Shoot() {
  absl::StatusOr<v1::RenderResponse> image =
      env_.Render(kLane, options_.camera, static_cast<uint32_t>(options_.size),
                  static_cast<uint32_t>(options_.size));
  if (!image.ok()) return image.status();
  full_ = ++frames_ == options_.max_frames;
  return video_->Add(image->image());
}

}  // namespace hivewire
