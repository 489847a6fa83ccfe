// Our sides of robohive.py: one RoboHive env with --lanes lanes, or what a lane of it costs.
//
//   --mode=state   "inproc", a pool in this process; "unix", a server over a Unix socket, with two
//                  groups in flight; and for one lane "bare", mj_step in a loop over the states
//                  and controls of the same episodes
//   --mode=pixels  "exact" and "fast": images and nothing else, over a Unix socket
//   --mode=batch   "inproc" and "unix": fast images of the keys in --visual_keys
//   --mode=memory  no side; bytes that a server grows by for each lane
#include <mujoco/mujoco.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "client/control_client.h"
#include "client/inproc.h"
#include "client/stepping.h"
#include "client/vector_env.h"
#include "server/pool/workers.h"
#include "server/tasks/registry.h"
#include "tests/bench/player.h"
#include "tests/bench/server_process.h"

ABSL_FLAG(std::string, env, "FrankaReachFixed-v0", "Env id.");
ABSL_FLAG(std::string, mode, "state", "state, pixels, batch or memory; see the file's head.");
ABSL_FLAG(int, lanes, 1, "Lanes.");
ABSL_FLAG(std::vector<std::string>, visual_keys, {}, "Images; none: the env's own.");
ABSL_FLAG(double, seconds, 1, "Of a turn.");
ABSL_FLAG(std::string, env_server, "", "The server's program.");

namespace hivewire {
namespace {

constexpr uint64_t kSeed = 0;
constexpr int kActions = 100;  // taken again and again
constexpr int kMostSteps = 1 << 30;
constexpr int kRecordedEpisodes = 16;
constexpr int kFirstLanes = 64;  // enough for every worker

std::string Mode() { return absl::GetFlag(FLAGS_mode); }

// mj_step alone, over what the first episodes of a lane do with the engine.
class BareLoop {
 public:
  static absl::StatusOr<std::unique_ptr<BareLoop>> Record(const Registry& registry,
                                                          const std::string& env_id,
                                                          const std::vector<std::string>& actions) {
    auto task = registry.Make(env_id, {});
    if (!task.ok()) return task.status();
    auto simulation = Simulation::Create((*task)->model());
    if (!simulation.ok()) return simulation.status();
    std::unique_ptr<BareLoop> loop(new BareLoop(*std::move(task), *std::move(simulation)));
    absl::Status reset;
    const absl::Status status =
        Simulation::Guard([&] { reset = loop->RecordEpisodes(kSeed, actions); });
    if (!status.ok()) return status;
    if (!reset.ok()) return reset;
    return loop;
  }

  Turn Play(absl::Duration duration) {
    Simulation& simulation = *simulation_;
    Turn turn;
    const absl::Time begin = absl::Now();
    while (absl::Now() < begin + duration) {
      const Start& start = starts_[static_cast<size_t>(turn.lane_steps++) % starts_.size()];
      if (task_->edits_model()) task_->EditModel(start.task_state, simulation.edited_model());
      mj_setState(simulation.model(), simulation.data(), start.state.data(), mjSTATE_INTEGRATION);
      for (int k = 0; k < task_->spec().frame_skip(); ++k)
        mj_step(simulation.model(), simulation.data());
    }
    turn.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    return turn;
  }

 private:
  // Just before the engine's steps, controls included.
  struct Start {
    std::vector<double> state, task_state;
  };

  BareLoop(std::shared_ptr<const Task> task, std::unique_ptr<Simulation> simulation)
      : task_(std::move(task)), simulation_(std::move(simulation)) {}

  absl::Status RecordEpisodes(uint64_t seed, const std::vector<std::string>& actions) {
    const v1::EnvSpec& spec = task_->spec();
    Simulation& simulation = *simulation_;
    std::vector<double> task_state(static_cast<size_t>(task_->state_size()));
    std::vector<double*> info(static_cast<size_t>(spec.info_size()));
    NumpyRng rng(seed);
    TaskContext context{&simulation, absl::MakeSpan(task_state), &rng};
    task_->OnSeeded(rng);
    if (task_->edits_model()) simulation.UseEdited(task_);
    // As the lane takes them, which steps once into each episode but the first.
    size_t next_action = 0;
    for (int episode = 0; episode < kRecordedEpisodes; ++episode, ++next_action) {
      simulation.Reset();
      const absl::Status status = task_->Reset(context, {}, absl::MakeSpan(info));
      if (!status.ok()) return status;
      bool over = false;
      for (int step = 0; !over && step < spec.max_episode_steps(); ++step) {
        const std::string& bytes = actions[next_action++ % actions.size()];
        over = RecordStep(context, bytes, absl::MakeSpan(info));
      }
    }
    return absl::OkStatus();
  }

  // Whether the episode is over.
  bool RecordStep(TaskContext& context, const std::string& bytes, LeafPointers info) {
    const Simulation& simulation = *simulation_;
    const auto* floats = reinterpret_cast<const float*>(bytes.data());
    const std::vector<double> values(floats, floats + bytes.size() / sizeof(float));
    const Action action{values, v1::DTYPE_FLOAT32};
    task_->Act(context, action);
    Start start{std::vector<double>(static_cast<size_t>(task_->model()->integration_size())),
                {context.state.begin(), context.state.end()}};
    mj_getState(simulation.model(), simulation.data(), start.state.data(), mjSTATE_INTEGRATION);
    starts_.push_back(std::move(start));
    task_->Advance(context);
    return task_->Evaluate(context, action, info).terminated;
  }

  const std::shared_ptr<const Task> task_;
  const std::unique_ptr<Simulation> simulation_;
  std::vector<Start> starts_;
};

struct Side {
  std::unique_ptr<VectorEnv> env;
  std::unique_ptr<GroupStepper> stepper;
};

class RoboHivePlayer {
 public:
  explicit RoboHivePlayer(Registry registry)
      : registry_(std::move(registry)),
        workers_(static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))) {}

  absl::Status Prepare(const std::string& address) {
    if (Mode() == "pixels") {
      absl::Status status = Open("exact", address, Options("exact"), 1);
      if (status.ok()) status = Open("fast", address, Options("fast"), 1);
      return status;
    }
    const bool batch = Mode() == "batch";
    if (!batch && Mode() != "state")
      return absl::InvalidArgumentError(absl::StrCat("--mode: no mode \"", Mode(), "\""));
    const VectorEnvOptions options = Options(batch ? "fast" : "");
    const int groups = std::min(2, options.num_envs);
    absl::Status status = Open("inproc", "inproc:", options, groups);
    if (status.ok()) status = Open("unix", address, options, groups);
    if (!status.ok() || batch || options.num_envs > 1) return status;
    auto bare = BareLoop::Record(registry_, options.env_id, actions_);
    if (!bare.ok()) return bare.status();
    bare_ = *std::move(bare);
    return absl::OkStatus();
  }

  std::vector<std::string> sides() const {
    std::vector<std::string> names;
    for (const auto& [name, unused] : sides_) names.push_back(name);
    if (bare_ != nullptr) names.push_back("bare");
    return names;
  }

  absl::StatusOr<Turn> Play(const std::string& side) {
    const absl::Duration duration = absl::Seconds(absl::GetFlag(FLAGS_seconds));
    if (side == "bare") return bare_->Play(duration);
    Side& played = sides_.at(side);
    StepResult result;
    const absl::Status status = played.env->Reset(kSeed, result);
    if (!status.ok()) return status;
    const absl::Time begin = absl::Now();
    const auto lane_steps = played.stepper->Run(kMostSteps, begin + duration);
    if (!lane_steps.ok()) return lane_steps.status();
    Turn turn;
    turn.lane_steps = *lane_steps;
    turn.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    return turn;
  }

  // `preset` empty: without images.
  static VectorEnvOptions Options(const std::string& preset) {
    VectorEnvOptions options;
    options.env_id = absl::GetFlag(FLAGS_env);
    options.num_envs = absl::GetFlag(FLAGS_lanes);
    options.step_timeout = absl::Minutes(10);
    if (preset.empty()) {
      options.observation_leaves = {"observation"};
      return options;
    }
    options.env_options["render_preset"].set_string_value(preset);
    for (const std::string& key : absl::GetFlag(FLAGS_visual_keys))
      options.env_options["visual_keys"].mutable_string_list()->add_values(key);
    return options;
  }

 private:
  absl::Status Open(const std::string& name, const std::string& address, VectorEnvOptions options,
                    int groups) {
    options.server = address;
    auto env = address == "inproc:" ? VectorEnv::Make(options, InprocCarriers(registry_, workers_))
                                    : VectorEnv::Make(options);
    if (!env.ok()) return env.status();
    Side& side = sides_[name];
    side.env = *std::move(env);
    if (actions_.empty()) {
      ActionSampler sampler(ActionSampler::Kind::kRandom, side.env->spec(),
                            side.env->action_leaves(), kSeed);
      actions_ = SampleActions(sampler, *side.env, kActions);
    }
    side.stepper = std::make_unique<GroupStepper>(*side.env, groups, actions_);
    return absl::OkStatus();
  }

  const Registry registry_;
  Workers workers_;
  std::vector<std::string> actions_;  // by step
  std::map<std::string, Side> sides_;
  std::unique_ptr<BareLoop> bare_;
};

// What --lanes lanes more cost a server whose workers have all run others, each reset once.
absl::StatusOr<double> BytesPerLane(const std::string& address, bool with_images) {
  const auto control = ControlClient::Connect(address, {});
  if (!control.ok()) return control.status();
  VectorEnvOptions options = RoboHivePlayer::Options(with_images ? "fast" : "");
  options.server = address;
  const int lanes = std::exchange(options.num_envs, 1);
  double before = 0;
  std::vector<std::unique_ptr<VectorEnv>> envs;
  for (const int num_envs : {kFirstLanes, lanes}) {
    const auto statistics = (*control)->GetStatistics({});
    if (!statistics.ok()) return statistics.status();
    before = static_cast<double>(statistics->resident_bytes());
    options.num_envs = num_envs;
    auto env = VectorEnv::Make(options);
    if (!env.ok()) return env.status();
    envs.push_back(*std::move(env));
    StepResult result;
    if (num_envs == kFirstLanes) {
      const absl::Status status = envs.back()->Reset(kSeed, result);
      if (!status.ok()) return status;
      continue;
    }
    // In turn, so that it is lanes that count and not messages.
    for (uint32_t lane = 0; lane < static_cast<uint32_t>(num_envs); ++lane) {
      absl::Status status = envs.back()->SendReset({lane}, {});
      if (status.ok()) status = envs.back()->Receive(result);
      if (!status.ok()) return status;
    }
  }
  const auto statistics = (*control)->GetStatistics({});
  if (!statistics.ok()) return statistics.status();
  return (static_cast<double>(statistics->resident_bytes()) - before) / lanes;
}

absl::Status Main() {
  const auto server = ServerProcess::Start(absl::GetFlag(FLAGS_env_server), {"--render=true"});
  if (!server.ok()) return server.status();
  JsonObject ready;
  const std::string engine = absl::StrCat("MuJoCo ", mj_versionString());
  if (Mode() == "memory") {
    const bool with_images = !absl::GetFlag(FLAGS_visual_keys).empty();
    const auto bytes = BytesPerLane((*server)->unix_address(), with_images);
    if (!bytes.ok()) return bytes.status();
    ready.Add("bytes_per_lane", *bytes);
    PlayTurns(std::move(ready), {}, engine, nullptr);
    return absl::OkStatus();
  }
  auto registry = Registry::Builtin();
  if (!registry.ok()) return registry.status();
  RoboHivePlayer player(*std::move(registry));
  const absl::Status status = player.Prepare((*server)->unix_address());
  if (!status.ok()) return status;
  PlayTurns(std::move(ready), player.sides(), engine,
            [&](const std::string& side) { return player.Play(side); });
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpcClient();
  absl::ParseCommandLine(argc, argv);
  return hivewire::ExitStatus("robohive_player", hivewire::Main());
}
