// Films the first lane of an evaluation, from the beginning to the end of its first episode, as the
// server renders it.
//
// Not thread-safe.
#ifndef HIVEWIRE_POLICY_FILM_H_
#define HIVEWIRE_POLICY_FILM_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/vector_env.h"
#include "client/video_writer.h"
#include "policy/spectator.h"

namespace hivewire {

struct FilmOptions {
  // .gif or .mp4.
  std::string path;
  // Empty for the env's default view.
  std::string camera = {};
  // Width and height, pixels: 16 … 2048.
  int size = 240;
  int max_frames = 600;
};

class Film : public Spectator {
 public:
  // `env` is the one that is evaluated, and outlives the film. INVALID_ARGUMENT names the option;
  // see also VideoWriter.
  static absl::StatusOr<std::unique_ptr<Film>> Create(VectorEnv& env, const FilmOptions& options);

  absl::Status Start(const StepResult& result) override;
  absl::Status Step(absl::Span<const char> actions, const StepResult& result) override;

  // Nothing more is filmed.
  bool full() const { return full_; }
  // Makes the file appear; once, after the evaluation.
  absl::Status Finish() { return video_->Finish(); }

 private:
  Film(VectorEnv& env, const FilmOptions& options, std::unique_ptr<VideoWriter> video)
      : env_(env), options_(options), video_(std::move(video)) {}

  absl::Status Shoot();

  VectorEnv& env_;
  const FilmOptions options_;
  std::unique_ptr<VideoWriter> video_;
  int frames_ = 0;
  bool full_ = false;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_FILM_H_
