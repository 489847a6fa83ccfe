// What the learner's commands do, apart from their flags. Each prints to standard output.
#ifndef HIVEWIRE_POLICY_COMMANDS_H_
#define HIVEWIRE_POLICY_COMMANDS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "policy/config/config.h"
#include "policy/session.h"

namespace hivewire {

struct TrainOptions {
  // With `resume`, only their overrides count, laid over the run's own configuration.
  ConfigSources sources;
  // Where the configuration names no server.
  std::string default_server;
  // Run folder to go on with; empty to begin a new run.
  std::string resume;
  // See RunFolder::Create.
  std::string run_folder;
  Reach reach;
};

// Trains until the run's frames are over or `stop` says so, which is no error. The folder's path is
// printed first.
absl::Status Train(const TrainOptions& options, const std::function<bool()>& stop);

struct EvalOptions {
  std::string run;
  // "best" falls back to "last" where no evaluation has chosen one.
  std::string checkpoint = "best";
  int episodes = 20;
  bool json = false;
  std::vector<std::string> overrides;
  Reach reach;
};

absl::Status Eval(const EvalOptions& options, const std::function<bool()>& stop);

struct RecordOptions {
  std::string run;
  std::string checkpoint = "best";
  // .gif or .mp4; empty for episode.gif in the run folder.
  std::string video;
  // Empty for the env's default view.
  std::string camera;
  // Width and height, pixels.
  int size = 240;
  int max_frames = 600;
  std::vector<std::string> overrides;
  Reach reach;
};

// A video of one deterministic episode, rendered by the server.
absl::Status Record(const RecordOptions& options, const std::function<bool()>& stop);

// Draws the learning curve of a run folder, and writes it as learning_curve.svg.
absl::Status Plot(const std::string& run);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_COMMANDS_H_
