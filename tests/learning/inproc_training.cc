#include "tests/learning/inproc_training.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/inproc.h"
#include "policy/config/config.h"
#include "policy/config/overrides.h"
#include "policy/trainer.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {
InprocTraining::InprocTraining(const std::string& env_id) : workers_(2) {
  reach_.carriers = InprocCarriers(BuiltinEnvs(), workers_);
  ConfigSources sources;
  sources.overrides = {"env.server=inproc:",
                       absl::StrCat("env.id=", env_id),
                       absl::StrCat("env.num_envs=", kLanes),
                       absl::StrCat("collection.total_frames=", 4 * kUpdate),
                       "checkpoint.interval=0",
                       "evaluation.episodes=0",
                       "ppo.rollout_steps=32",
                       "ppo.minibatch_size=48",
                       "ppo.epochs=3"};
  config_ = *LoadConfig(sources);
}

void InprocTraining::Set(const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides) {
    const absl::Status status = ApplyOverride(assignment, config_);
    EXPECT_TRUE(status.ok()) << status;
  }
}

RunFolder InprocTraining::Train(const std::string& name, int64_t frames, const Checkpoint* from) {
  const std::string path = testing::TempDir() + "/" + name;
  if (from == nullptr) std::filesystem::remove_all(path);
  auto trainer = Trainer::Create(config_, reach_, from);
  EXPECT_TRUE(trainer.ok()) << trainer.status();
  auto folder = from == nullptr ? RunFolder::Create(config_, path) : RunFolder::Open(path);
  EXPECT_TRUE(folder.ok()) << folder.status();
  const int64_t total = config_.collection().total_frames();
  const auto stop = [&] { return (*trainer)->frames() >= frames && frames < total; };
  const absl::Status status = (*trainer)->Run(*folder, stop);
  EXPECT_TRUE(status.ok()) << status;
  return *std::move(folder);
}

Checkpoint InprocTraining::TrainTo(const std::string& name, int64_t frames,
                                   const Checkpoint* from) {
  const auto last = CheckpointFolder(Train(name, frames, from).checkpoints()).Find("last");
  EXPECT_TRUE(last.ok()) << last.status();
  return *ReadCheckpoint(*last);
}

}  // namespace hivewire
