// What the learner's commands do, apart from their flags. Each prints to standard output.
#ifndef HIVEWIRE_POLICY_COMMANDS_H_
#define HIVEWIRE_POLICY_COMMANDS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "policy/config/config.h"
#include "policy/ranks/gloo_ranks.h"
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
  // A new run begins with the policy of this run folder (its best) or checkpoint; empty for none.
  std::string load_from;
  Reach reach;
  // Where `ranks.size` is more than 1, rank 0's options hold for all, but where envs and collectors
  // are found.
  RankOptions ranks;
};

// Trains until the run's frames are over or `stop` says so, which is no error. The folder's path is
// printed first.
absl::Status Train(const TrainOptions& options, const std::function<bool()>& stop);

// Whose policy a command is about, and how it reaches its env.
struct PolicyChoice {
  // See ChooseCheckpoints.
  std::string target;
  std::string checkpoint = "best";
  std::string runs;
  // "path=value" each, over the run's own configuration.
  std::vector<std::string> overrides;
  Reach reach;
};

struct EvalOptions {
  PolicyChoice policy;
  int episodes = 20;
  // Actions are drawn as in training.
  bool stochastic = false;
  bool json = false;
  // Where the episodes are kept (see trajectory_keeper.h); empty for nowhere.
  std::string save_traj;
  // .gif or .mp4, of the first lane's first episode; empty for none.
  std::string video;
  // Figures and a video of each checkpoint go into the run's TensorBoard, and the video into its
  // folder.
  bool tensorboard = false;
};

// Evaluates one checkpoint after the other.
absl::Status Eval(const EvalOptions& options, const std::function<bool()>& stop);

struct RecordOptions {
  // One checkpoint.
  PolicyChoice policy;
  // .gif or .mp4; empty for episode.gif in the run folder.
  std::string video;
  // See FilmOptions.
  std::string camera;
  int size = 240;
  int max_frames = 600;
  bool stochastic = false;
};

// A video of one episode, rendered by the server.
absl::Status Record(const RecordOptions& options, const std::function<bool()>& stop);

struct ExportOptions {
  // One checkpoint.
  PolicyChoice policy;
  // .pt: TorchScript (see nn/torch_script.h); .binpb: a v1::Policy, as the rollout service takes.
  std::string file;
};

// Writes a policy for other programs. The env's server says what its actions are.
absl::Status Export(const ExportOptions& options);

// Draws the learning curve of a run folder (the newest in `runs` where `run` is empty), and writes
// it as learning_curve.svg.
absl::Status Plot(const std::string& run, const std::string& runs);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_COMMANDS_H_
