#include "server/tasks/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/error.h"
#include "server/tasks/spec_builder.h"

namespace hivewire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A whole task without an engine: it counts to its limit.
class CountingTask : public Task {
 public:
  CountingTask(v1::EnvSpec spec, double limit) : spec_(std::move(spec)), limit_(limit) {}

  const v1::EnvSpec& spec() const override { return spec_; }
  int state_size() const override { return 1; }
  absl::Status Reset(TaskContext& context, const Options&, LeafPointers) const override {
    context.state[0] = 0;
    return absl::OkStatus();
  }
  void Act(TaskContext& context, const Action& action) const override {
    context.state[0] += action.values[0];
  }
  Outcome Evaluate(TaskContext& context, const Action&, LeafPointers) const override {
    return {.reward = 1, .terminated = context.state[0] >= limit_};
  }
  void Observe(TaskContext& context, LeafPointers observation) const override {
    observation[0][0] = context.state[0];
  }

 private:
  v1::EnvSpec spec_;
  double limit_;
};

TaskClass CountingClass() {
  TaskClass task_class;
  task_class.name = "counting";
  task_class.options = {DoubleOption("limit", 10, "Where it ends.")};
  task_class.options[0].set_minimum(1);
  task_class.make = [options = task_class.options](const v1::EnvEntry& entry,
                                                   const Options& given) {
    return std::make_shared<const CountingTask>(StartSpec(entry, options),
                                                GetDouble(given, "limit"));
  };
  return task_class;
}

v1::EnvEntry Entry(const std::string& id, const std::string& task) {
  v1::EnvEntry entry;
  entry.set_id(id);
  entry.set_task(task);
  return entry;
}

Options Limit(double limit) {
  v1::Value value;
  value.set_double_value(limit);
  return {{"limit", value}};
}

class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(registry_.AddClass(CountingClass()).ok());
    ASSERT_TRUE(registry_
                    .AddFile("builtin.textproto", R"(
      envs { id: "Count-v0" task: "counting" description: "Counts." max_episode_steps: 7 }
      envs {
        id: "CountFar-v0" task: "counting" reward_threshold: 90
        options { key: "limit" value { int_value: 100 } }
      })")
                    .ok());
  }

  std::string AddedFileError(const std::string& text) {
    return std::string(registry_.AddFile("envs.textproto", text).message());
  }

  // A fresh folder for one test.
  std::filesystem::path AssetRoot() {
    const std::filesystem::path root =
        std::filesystem::path(testing::TempDir()) /
        testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root);
    std::filesystem::create_directories(root / "more");
    return root;
  }

  Registry registry_;
};

void Write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST_F(RegistryTest, ListsIdsInAlphabeticalOrder) {
  std::vector<std::string> ids;
  for (const v1::EnvEntry* entry : registry_.entries()) ids.push_back(entry->id());
  EXPECT_THAT(ids, ElementsAre("Count-v0", "CountFar-v0"));
}

TEST_F(RegistryTest, ATasksSpecHoldsWhatItsEntrySays) {
  const auto near = registry_.Make("Count-v0", {});
  ASSERT_TRUE(near.ok()) << near.status();
  EXPECT_EQ((*near)->spec().id(), "Count-v0");
  EXPECT_EQ((*near)->spec().description(), "Counts.");
  EXPECT_EQ((*near)->spec().max_episode_steps(), 7);
  EXPECT_FALSE((*near)->spec().has_reward_threshold());
  EXPECT_EQ((*near)->spec().options(0).default_value().double_value(), 10);
  const auto far = registry_.Make("CountFar-v0", {});
  ASSERT_TRUE(far.ok()) << far.status();
  EXPECT_EQ((*far)->spec().reward_threshold(), 90);
  EXPECT_EQ((*far)->spec().options(0).default_value().double_value(), 100);
}

TEST_F(RegistryTest, OptionsOfAPoolGoBeforeThoseOfTheEntry) {
  const auto task = registry_.Make("CountFar-v0", Limit(2));
  ASSERT_TRUE(task.ok()) << task.status();
  double count = 0;
  TaskContext context{nullptr, absl::MakeSpan(&count, 1), nullptr};
  const double one = 1;
  const Action action{absl::MakeSpan(&one, 1), v1::DTYPE_FLOAT64};
  (*task)->Act(context, action);
  EXPECT_FALSE((*task)->Evaluate(context, action, {}).terminated);
  (*task)->Act(context, action);
  EXPECT_TRUE((*task)->Evaluate(context, action, {}).terminated);
}

TEST_F(RegistryTest, EqualRequestsShareOneTaskWhileItIsHeld) {
  const auto first = registry_.Make("Count-v0", {});
  EXPECT_EQ(*first, *registry_.Make("Count-v0", Limit(10)));
  EXPECT_NE(*first, *registry_.Make("Count-v0", Limit(11)));
  EXPECT_NE(*first, *registry_.Make("CountFar-v0", {}));
}

TEST_F(RegistryTest, RequestsAtOnceShareOneTask) {
  std::vector<std::shared_ptr<const Task>> tasks(4);
  std::vector<std::thread> threads;
  for (auto& task : tasks) {
    threads.emplace_back([this, &task] { task = registry_.Make("Count-v0", {}).value(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& task : tasks) EXPECT_EQ(task, tasks[0]);
}

TEST_F(RegistryTest, AnUnknownIdIsRefusedWithTheNearest) {
  const absl::Status status = registry_.Make("CountFra-v0", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UNKNOWN_ENV);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("unknown env \"CountFra-v0\"; nearest: CountFar-v0"));
}

TEST_F(RegistryTest, ABadOptionIsRefusedNamingTheEnv) {
  const absl::Status status = registry_.Make("Count-v0", Limit(0.5)).status();
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_BAD_OPTION);
  EXPECT_EQ(status.message(), "env \"Count-v0\": option limit = 0.5 is below the minimum, 1");
}

TEST_F(RegistryTest, NamesAreTakenOnce) {
  EXPECT_EQ(registry_.AddClass(CountingClass()).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(registry_.AddEntry(Entry("Count-v0", "counting")).code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_F(RegistryTest, AnEntryOfAnUnknownClassIsRefusedWithLineAndNearestClass) {
  EXPECT_EQ(AddedFileError("envs {\n  id: \"A-v0\"\n  task: \"countin\"\n}"),
            "envs.textproto:3: env \"A-v0\": task: unknown class \"countin\"; nearest: counting");
}

TEST_F(RegistryTest, AnEntryWithABadOptionIsRefusedWithItsLine) {
  EXPECT_EQ(AddedFileError("envs {\n  id: \"A-v0\"\n  task: \"counting\"\n"
                           "  options { key: \"limit\" value { bool_value: true } }\n}"),
            "envs.textproto:4: env \"A-v0\": option limit = true is not a number");
}

TEST_F(RegistryTest, AnEntryWithABadIdIsRefused) {
  EXPECT_EQ(AddedFileError("envs {\n  id: \"my env\"\n  task: \"counting\"\n}"),
            "envs.textproto:2: id: \"my env\" is not made of letters, digits and _ - . / :");
  EXPECT_THAT(AddedFileError("envs { task: \"counting\" }"), HasSubstr("id: \"\" is not made"));
}

TEST_F(RegistryTest, ANegativeTimeLimitIsRefused) {
  EXPECT_THAT(AddedFileError("envs { id: \"A-v0\" task: \"counting\"\n max_episode_steps: -1 }"),
              HasSubstr("envs.textproto:2: env \"A-v0\": max_episode_steps: -1 is below 0"));
}

TEST_F(RegistryTest, TermsBelongToComposedEnvsOnly) {
  EXPECT_THAT(AddedFileError("envs { id: \"A-v0\" task: \"counting\" composed { } }"),
              HasSubstr("task: composed and only it"));
}

TEST_F(RegistryTest, AFileThatDoesNotParseIsRefusedWithItsLine) {
  EXPECT_THAT(AddedFileError("envs {\n  idd: \"A-v0\"\n}"), HasSubstr("envs.textproto:2:"));
}

TEST_F(RegistryTest, AnAssetRootIsReadWithItsFolders) {
  const std::filesystem::path root = AssetRoot();
  Write(root / "a.textproto", "envs { id: \"A-v0\" task: \"counting\" }");
  Write(root / "more" / "b.textproto", "envs { id: \"B-v0\" task: \"counting\" }");
  Write(root / "more" / "notes.txt", "not an env");
  const absl::Status status = registry_.AddAssetRoot(root.string() + "/");
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(registry_.Make("A-v0", {}).ok());
  EXPECT_TRUE(registry_.Make("B-v0", {}).ok());
}

TEST_F(RegistryTest, AnAssetRootThatIsNotThereIsNamed) {
  const absl::Status status = registry_.AddAssetRoot("no/such/folder");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no/such/folder"));
}

TEST_F(RegistryTest, APathThatLeavesTheAssetRootIsRefused) {
  const std::filesystem::path root = AssetRoot();
  for (const std::string model : {"../../secret.xml", "/etc/passwd", "../more/../../secret.xml"}) {
    Write(root / "more" / "a.textproto",
          "envs {\n  id: \"A-v0\"\n  composed {\n    model: \"" + model + "\"\n  }\n}");
    const absl::Status status = registry_.AddAssetRoot(root.string());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("a.textproto:4: env \"A-v0\": composed.model: \"" + model +
                          "\" leads out of the asset root"));
  }
}

}  // namespace
}  // namespace hivewire
