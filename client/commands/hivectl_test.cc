// hivectl's commands against an env server in this process.
#include "client/commands/hivectl.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "client/vector_env.h"
#include "server/rpc/env_server.h"
#include "tests/testing/builtin_envs.h"
#include "tests/testing/env_servers.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

class HivectlTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ShortFolder;
    EnvServerOptions options = TestServerOptions(folder_->Socket("s"));
    options.render = true;
    server_ = StartTestServer(BuiltinEnvs(), options).release();
  }

  static void TearDownTestSuite() {
    delete server_;
    delete folder_;
  }

  absl::Status Run(std::vector<std::string> arguments) {
    absl::FlagSaver saver;
    arguments.push_back(absl::StrCat("--server=", folder_->Socket("s")));
    return RunAsGiven(arguments);
  }

  absl::Status RunAsGiven(const std::vector<std::string>& arguments) {
    absl::FlagSaver saver;
    std::ostringstream out;
    const absl::Status status = RunHivectl(arguments, out, interrupted_);
    output_ = out.str();
    return status;
  }

  // The error's text; a test that expects none does not use this.
  std::string ErrorOf(const std::vector<std::string>& arguments) {
    const absl::Status status = Run(arguments);
    EXPECT_FALSE(status.ok()) << output_;
    EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
    return std::string(status.message());
  }

  bool Printed(const std::string& text) const { return absl::StrContains(output_, text); }

  // The pool that `pools` printed.
  std::string PoolIn(const std::string& text) const {
    const size_t at = text.find("pool-");
    return at == std::string::npos ? "" : text.substr(at, text.find_first_of(" \n", at) - at);
  }

  // Where the machine has no GL there is nothing to look at.
  bool ServerRenders() {
    EXPECT_TRUE(Run({"info"}).ok());
    return !absl::StrContains(output_, "renderer  none");
  }

  static ShortFolder* folder_;
  static EnvServer* server_;
  std::atomic<bool> interrupted_{false};
  std::string output_;
};

ShortFolder* HivectlTest::folder_ = nullptr;
EnvServer* HivectlTest::server_ = nullptr;

TEST_F(HivectlTest, ListShowsTheEnvsThatMatch) {
  ASSERT_TRUE(Run({"list"}).ok());
  EXPECT_TRUE(Printed("CartPole-v1  "));
  EXPECT_TRUE(Printed("Ant-v5 "));
  ASSERT_TRUE(Run({"list", "Pend"}).ok());
  EXPECT_TRUE(Printed("Pendulum-v1 "));
  EXPECT_FALSE(Printed("Ant-v5"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"list", "Nothing"}), "no env has \"Nothing\""));
}

TEST_F(HivectlTest, DescribeShowsLeavesOptionsAndTimeSteps) {
  ASSERT_TRUE(Run({"describe", "Ant-v5"}).ok());
  EXPECT_TRUE(Printed("float64  (105)"));
  EXPECT_TRUE(Printed("float32  (8)  -1 … 1"));
  EXPECT_TRUE(Printed("0.05 s a step: 5 × 0.01 s of physics"));
  EXPECT_TRUE(Printed("ctrl_cost_weight"));
}

TEST_F(HivectlTest, DescribeAppliesOptionsAndPrintsJson) {
  ASSERT_TRUE(Run({"describe", "Ant-v5", "--json", "--option", "frame_skip=2"}).ok());
  EXPECT_EQ(output_.front(), '{');
  EXPECT_TRUE(Printed("\"frame_skip\": 2")) << output_;
}

TEST_F(HivectlTest, InfoAndPoolsShowTheServer) {
  ASSERT_TRUE(Run({"info"}).ok());
  EXPECT_TRUE(Printed("mujoco-"));
  EXPECT_TRUE(Printed("workers"));
  ASSERT_TRUE(Run({"pools"}).ok());
  EXPECT_TRUE(Printed("POOL"));
}

TEST_F(HivectlTest, RolloutRunsAsManyEpisodesAsAskedForAndRepeatsWithASeed) {
  const std::vector<std::string> arguments = {"rollout", "--env=CartPole-v1", "--num_envs=3",
                                              "--episodes=7", "--seed=5"};
  ASSERT_TRUE(Run(arguments).ok());
  EXPECT_TRUE(Printed("7 episodes ended"));
  const std::string first = output_;
  ASSERT_TRUE(Run(arguments).ok());
  EXPECT_EQ(output_, first);
}

TEST_F(HivectlTest, RolloutTakesSeveralServersAsOne) {
  const std::string address = folder_->Socket("s");
  ASSERT_TRUE(RunAsGiven({"rollout", "CartPole-v1", "--num_envs=4", "--steps=50", "--json",
                          absl::StrCat("--server=", address, ",", address)})
                  .ok());
  EXPECT_TRUE(Printed("\"num_envs\": 4")) << output_;
  EXPECT_TRUE(Printed("{\"lane\": 3,")) << output_;
}

TEST_F(HivectlTest, BenchMeasuresSomething) {
  const absl::Status status =
      Run({"bench", "CartPole-v1", "--num_envs=4", "--seconds=0.1", "--json"});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(Printed("\"steps_per_s\": ")) << output_;
}

TEST_F(HivectlTest, WatchShowsTheEpisodesOfAPoolThatSomebodyElseOwns) {
  VectorEnvOptions options;
  options.server = folder_->Socket("s");
  options.env_id = "CartPole-v1";
  options.num_envs = 2;
  const auto owner = VectorEnv::Make(options);
  ASSERT_TRUE(owner.ok()) << owner.status();
  StepResult result;
  ASSERT_TRUE((*owner)->Reset(1, result).ok());
  ASSERT_TRUE(Run({"pools"}).ok());
  const std::string pool = PoolIn(output_);

  std::atomic<bool> watched{false};
  std::thread stepping([&] {
    const std::vector<int64_t> left(2, 0);
    while (!watched.load() && (*owner)->Step(absl::MakeConstSpan(left), result).ok()) {
    }
  });
  const absl::Status status = Run({"watch", pool, "--episodes=3"});
  watched.store(true);
  stepping.join();

  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(Printed(absl::StrCat(pool, ": 2 lanes of CartPole-v1\n"))) << output_;
  EXPECT_TRUE(Printed("lane 0, episode ")) << output_;
  EXPECT_TRUE(Printed("return ")) << output_;
  EXPECT_EQ(result.num_rows(), 2) << "the owner is not hindered";
}

TEST_F(HivectlTest, WatchEndsWithItsPoolAndNamesOneThatIsNotThere) {
  EXPECT_TRUE(absl::StrContains(ErrorOf({"watch", "pool-none"}), "pool-none"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"watch"}), "no pool is given"));
  VectorEnvOptions options;
  options.server = folder_->Socket("s");
  options.env_id = "CartPole-v1";
  auto owner = VectorEnv::Make(options);
  ASSERT_TRUE(owner.ok()) << owner.status();
  ASSERT_TRUE(Run({"pools"}).ok());
  const std::string pool = PoolIn(output_);
  std::thread leaving([&] {
    absl::SleepFor(absl::Milliseconds(100));
    owner->reset();
  });
  EXPECT_TRUE(absl::StrContains(ErrorOf({"watch", pool}), pool));
  leaving.join();
}

TEST_F(HivectlTest, PropertiesAreShownAndSet) {
  ASSERT_TRUE(Run({"properties", "Hopper-v5", "--set", "gravity=[0,0,-1.6]"}).ok());
  EXPECT_TRUE(Printed("[0, 0, -1.6]")) << output_;
  EXPECT_TRUE(absl::StrContains(ErrorOf({"properties", "Hopper-v5", "--set", "gravty=[0,0,-1.6]"}),
                                "gravity"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"properties", "Hopper-v5", "--set", "gravity=down"}),
                                "name=number"));
}

TEST_F(HivectlTest, ConformancePrintsALineACheckAndTheSum) {
  const absl::Status status = Run({"conformance"});
  ASSERT_TRUE(status.ok()) << status << output_;
  EXPECT_TRUE(Printed("ok      AnOperationSentAgainIsNotRunAgain\n")) << output_;
  EXPECT_TRUE(Printed(" passed, 0 failed\n")) << output_;
  EXPECT_FALSE(Run({"conformance", "NoSuchEnv-v0"}).ok());
  EXPECT_TRUE(Printed("FAILED  LaneIGetsSeedPlusI: ")) << output_;
}

TEST_F(HivectlTest, RenderAndRecordWriteFiles) {
  if (!ServerRenders()) GTEST_SKIP() << "the server has no GL";
  const std::string image = folder_->path() + "/ant.png";
  absl::Status status =
      Run({"render", "Ant-v5", "--width=64", "--height=48", "--steps=3", "--output", image});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(ReadFile(image).value().substr(1, 3), "PNG");
  const std::string video = folder_->path() + "/ant.gif";
  status = Run({"record", "Ant-v5", "--width=64", "--height=48", "--steps=8", "--output", video});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(ReadFile(video).value().substr(0, 6), "GIF89a");
}

TEST_F(HivectlTest, AnInterruptedRecordingLeavesNothingBehind) {
  if (!ServerRenders()) GTEST_SKIP() << "the server has no GL";
  interrupted_ = true;
  const std::string folder = folder_->path() + "/interrupted";
  std::filesystem::create_directory(folder);
  EXPECT_EQ(
      Run({"record", "Ant-v5", "--width=64", "--height=48", "--output", folder + "/v.gif"}).code(),
      absl::StatusCode::kCancelled);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(HivectlTest, MistakesAreNamedWithWhatIsNearest) {
  EXPECT_TRUE(absl::StrContains(ErrorOf({"lst"}), "unknown command \"lst\"; nearest: list"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"describe", "Ant-v6"}), "Ant-v5"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"rollout", "Ant-v6"}), "Ant-v5"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"rollout", "Ant-v5", "--option", "ctrl_cost=1"}),
                                "nearest: ctrl_cost_weight"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"rollout", "Ant-v5", "--option", "frame_skip=x"}),
                                "frame_skip = \"x\" is not of its type, int"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"rollout"}), "no env is given"));
  EXPECT_TRUE(
      absl::StrContains(ErrorOf({"rollout", "Ant-v5", "--policy=good"}), "random nor zero"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"list", "a", "b"}), "what is \"b\""));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"bench", "Ant-v5", "--num_envs=2", "--groups=3"}),
                                "--groups: 3 are more"));
}

TEST_F(HivectlTest, OutputsThatCannotBeWrittenAreNamed) {
  EXPECT_TRUE(absl::StrContains(ErrorOf({"render", "Ant-v5", "--output=/nowhere/a.png"}),
                                "/nowhere/a.png"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"render", "Ant-v5", "--output=a.jpg"}), ".png"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"record", "Ant-v5"}), ".mp4 or .gif"));
  EXPECT_TRUE(absl::StrContains(ErrorOf({"record", "Ant-v5", "--output=a.avi"}), ".mp4 or .gif"));
  std::ofstream full("/dev/full");
  absl::FlagSaver saver;
  const absl::Status status = RunHivectl({"help"}, full, interrupted_);
  EXPECT_TRUE(absl::StrContains(status.message(), "standard output: No space left")) << status;
}

TEST_F(HivectlTest, AServerThatIsNotThereIsNamed) {
  const absl::Status status =
      RunAsGiven({"list", "--server=unix:/nowhere/env.sock", "--connect_timeout=200ms"});
  EXPECT_TRUE(absl::StrContains(status.message(), "unix:/nowhere/env.sock: no env server"))
      << status;
  EXPECT_TRUE(absl::StrContains(RunAsGiven({"list", "--server=sim1"}).message(),
                                "unix:/path and tcp:host:port"));
}

TEST_F(HivectlTest, HelpDescribesEachCommandAndItsFlags) {
  ASSERT_TRUE(RunAsGiven({"help"}).ok());
  EXPECT_TRUE(Printed("record"));
  ASSERT_TRUE(RunAsGiven({"help", "record"}).ok());
  EXPECT_TRUE(Printed("--episodes=N"));
  EXPECT_TRUE(Printed("--tls_ca"));
  ASSERT_TRUE(Run({"rollout", "--help"}).ok());
  EXPECT_TRUE(Printed("--num_envs=N"));
}

}  // namespace
}  // namespace hivewire
