// Every preset trains: two updates each on a real env, in process.
#include "policy/config/presets.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/inproc.h"
#include "policy/checkpoint/safetensors.h"
#include "policy/config/config.h"
#include "policy/nn/testing/random_resnet.h"
#include "policy/trainer.h"
#include "server/pool/workers.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {
namespace {

constexpr int kLanes = 2;
constexpr int kSteps = 24;
constexpr int kTotal = 2 * kSteps * kLanes;

// The preset, small: its model, distribution, normalisers and algorithm are as they are.
v1::LearnerConfig Small(const std::string& preset) {
  ConfigSources sources;
  sources.preset = preset;
  sources.overrides = {"env.server=inproc:", absl::StrCat("env.num_envs=", kLanes),
                       absl::StrCat("collection.total_frames=", kTotal), "checkpoint.interval=0",
                       "evaluation.episodes=0", "output.tensorboard=false",
                       absl::StrCat("ppo.rollout_steps=", kSteps),
                       // A multiple of every preset's tbptt_steps.
                       "ppo.minibatch_size=32", "ppo.epochs=1"};
  v1::LearnerConfig config = *LoadConfig(sources);
  if (config.env().id().empty()) {
    config.mutable_env()->set_id(absl::StartsWith(preset, "discrete") ? "CartPole-v1"
                                                                      : "Pendulum-v1");
  }
  if (config.normalization().init_stats() > 0) {
    config.mutable_normalization()->set_init_stats(kTotal / 2);
  }
  // In place of weights that others publish: a network of their shape that has learned nothing.
  for (v1::TransformConfig& transform : *config.mutable_transforms()) {
    if (transform.type() != "encoder") continue;
    const std::string path = testing::TempDir() + "/encoder.safetensors";
    EXPECT_EQ(WriteSafetensors(path, {RandomResNet(18), {}}), absl::OkStatus());
    (*transform.mutable_options())["weights"].set_string_value(path);
  }
  // No env that is built in takes several choices at once.
  if (config.distribution().type() == "multi-categorical") {
    config.mutable_distribution()->set_type("auto");
  }
  return config;
}

TEST(Presets, EachTrains) {
  Workers workers(1);
  Reach reach;
  reach.carriers = InprocCarriers(BuiltinEnvs(), workers);
  const std::string path = testing::TempDir() + "/run";
  for (const PresetSummary& preset : PresetSummaries()) {
    const v1::LearnerConfig config = Small(preset.name);
    // The error says what the env needs, and how a user gets it.
    if (const auto task = BuiltinEnvs().Make(config.env().id(), {});
        absl::IsUnimplemented(task.status())) {
      std::cerr << "NOT TRAINED: " << preset.name << ": " << task.status().message() << '\n';
      continue;
    }
    if (!config.transforms().empty() && !workers.renderers()->Get(0).ok()) {
      std::cerr << "NOT TRAINED: " << preset.name << ": no OpenGL on this machine\n";
      continue;
    }
    auto trainer = Trainer::Create(config, reach, nullptr);
    ASSERT_TRUE(trainer.ok()) << preset.name << ": " << trainer.status();
    std::filesystem::remove_all(path);
    const auto folder = RunFolder::Create(config, path);
    ASSERT_TRUE(folder.ok()) << preset.name << ": " << folder.status();
    const absl::Status status = (*trainer)->Run(*folder, [] { return false; });
    EXPECT_TRUE(status.ok()) << preset.name << ": " << status;
    EXPECT_EQ((*trainer)->frames(), kTotal) << preset.name;
  }
}

}  // namespace
}  // namespace hivewire
