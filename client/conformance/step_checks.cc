#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "client/action_sampler.h"
#include "client/conformance/conformance.h"
#include "client/conformance/expect.h"
#include "client/vector_env.h"

namespace hivewire {
namespace {

constexpr int kLanes = 4;
constexpr int kLimit = 5;  // steps of an episode where one must end

VectorEnvOptions OptionsFor(const ConformanceTarget& target) {
  VectorEnvOptions options;
  options.server = target.server;
  options.connection = target.connection;
  options.env_id = target.env_id;
  options.num_envs = kLanes;
  return options;
}

absl::StatusOr<std::unique_ptr<VectorEnv>> Make(const ConformanceTarget& target,
                                                const VectorEnvOptions& options) {
  return target.carriers ? VectorEnv::Make(options, target.carriers) : VectorEnv::Make(options);
}

// An env, actions for it, and its last result.
class Driver {
 public:
  explicit Driver(std::unique_ptr<VectorEnv> env)
      : env_(std::move(env)),
        sampler_(ActionSampler::Kind::kRandom, env_->spec(), env_->action_leaves(), 5) {}

  static absl::StatusOr<Driver> Make(const ConformanceTarget& target,
                                     const VectorEnvOptions& options) {
    auto env = hivewire::Make(target, options);
    if (!env.ok()) return env.status();
    return Driver(*std::move(env));
  }

  absl::Status Step() {
    sampler_.Sample(kLanes, actions_);
    return env_->Step(actions_, result);
  }

  // Everything that `steps` steps show.
  absl::Status Run(int steps, std::string& all) {
    for (int step = 0; step < steps; ++step) {
      const absl::Status status = Step();
      if (!status.ok()) return status;
      Digest(all);
    }
    return absl::OkStatus();
  }

  void Digest(std::string& all) const {
    for (const LeafBuffer& leaf : result.observations)
      all.append(leaf.data(), leaf.num_rows() * leaf.row_bytes());
    all.append(reinterpret_cast<const char*>(result.rewards.data()),
               result.rewards.size() * sizeof(double));
    for (const auto* flags : {&result.terminated, &result.truncated, &result.first})
      all.append(flags->begin(), flags->end());
  }

  VectorEnv& env() { return *env_; }
  ActionSampler& sampler() { return sampler_; }
  StepResult result;

 private:
  std::unique_ptr<VectorEnv> env_;
  ActionSampler sampler_;
  std::string actions_;
};

absl::Status TheSameSeedGivesTheSameEpisodes(const ConformanceTarget& target) {
  std::string runs[2];
  for (std::string& run : runs) {
    auto driver = Driver::Make(target, OptionsFor(target));
    if (!driver.ok()) return driver.status();
    Verdict verdict;
    verdict << driver->env().Reset(7, driver->result);
    driver->Digest(run);
    verdict << driver->Run(60, run);
    if (!verdict.ok()) return verdict.status();
  }
  return Expect(runs[0] == runs[1], "two pools with one seed and the same actions differ");
}

absl::Status LaneIGetsSeedPlusI(const ConformanceTarget& target) {
  auto driver = Driver::Make(target, OptionsFor(target));
  if (!driver.ok()) return driver.status();
  Verdict verdict;
  verdict << driver->env().Reset(100, driver->result);
  for (uint64_t lane = 0; verdict.ok() && lane < kLanes; ++lane) {
    verdict << ExpectEqual("seed of a lane", driver->result.seeds[lane], 100 + lane)
            << Expect(driver->result.first[lane] == 1, "a reset's row has no FIRST flag");
  }
  return verdict.status();
}

absl::Status OperationsAreNumberedWithoutGaps(const ConformanceTarget& target) {
  auto driver = Driver::Make(target, OptionsFor(target));
  if (!driver.ok()) return driver.status();
  Verdict verdict;
  verdict << driver->env().Reset(1, driver->result);
  for (uint64_t op_no = 1; verdict.ok() && op_no < 10; ++op_no) {
    for (const uint64_t came : driver->result.op_nos) verdict << ExpectEqual("op_no", came, op_no);
    verdict << driver->Step();
  }
  return verdict.status();
}

absl::Status GroupsInFlightComeBackWhole(const ConformanceTarget& target) {
  auto driver = Driver::Make(target, OptionsFor(target));
  if (!driver.ok()) return driver.status();
  Verdict verdict;
  verdict << driver->env().Reset(1, driver->result);
  const std::vector<uint32_t> groups[2] = {{3, 0}, {1, 2}};
  std::string actions;
  const auto send = [&](const std::vector<uint32_t>& group) {
    driver->sampler().Sample(static_cast<int>(group.size()), actions);
    return driver->env().SendStep(group, actions);
  };
  for (const auto& group : groups) verdict << send(group);
  for (int step = 0; verdict.ok() && step < 20; ++step) {
    verdict << driver->env().Receive(driver->result);
    if (!verdict.ok()) break;
    const auto& lanes = driver->result.env_ids;
    verdict << Expect(lanes == groups[0] || lanes == groups[1],
                      "a result's lanes are not those of a group that was sent")
            << send(lanes == groups[0] ? groups[0] : groups[1]);
  }
  return verdict.status();
}

absl::Status ABadCallIsNamedAndTheNextOneWorks(const ConformanceTarget& target) {
  auto driver = Driver::Make(target, OptionsFor(target));
  if (!driver.ok()) return driver.status();
  VectorEnv& env = driver->env();
  Verdict verdict;
  verdict << ExpectRefused("a step before the reset", driver->Step(), v1::ERROR_REASON_NEEDS_RESET)
          << env.Reset(1, driver->result);
  std::string actions;
  driver->sampler().Sample(1, actions);
  verdict << ExpectRefused("a lane that is not there", env.SendStep({kLanes}, actions),
                           v1::ERROR_REASON_BAD_ENV_ID);
  verdict << ExpectRefused("actions that are too short", env.Step({"x", 1}, driver->result),
                           v1::ERROR_REASON_BAD_SHAPE);
  driver->sampler().Sample(2, actions);
  verdict << ExpectRefused("a lane that stands twice", env.SendStep({1, 1}, actions),
                           v1::ERROR_REASON_BAD_ENV_ID);
  const v1::LayoutLeaf& leaf = env.action_leaves()[0];
  if (leaf.dtype() == v1::DTYPE_FLOAT32 || leaf.dtype() == v1::DTYPE_FLOAT64) {
    driver->sampler().Sample(kLanes, actions);
    const float nan32 = std::numeric_limits<float>::quiet_NaN();
    const double nan64 = std::numeric_limits<double>::quiet_NaN();
    leaf.dtype() == v1::DTYPE_FLOAT32 ? std::memcpy(actions.data(), &nan32, sizeof(nan32))
                                      : std::memcpy(actions.data(), &nan64, sizeof(nan64));
    verdict << ExpectRefused("an action that is not a number", env.Step(actions, driver->result),
                             v1::ERROR_REASON_BAD_ACTION);
  }
  return (verdict << driver->Step()).status();
}

absl::Status AnUnknownEnvOrOptionIsNamed(const ConformanceTarget& target) {
  VectorEnvOptions options = OptionsFor(target);
  options.env_options["no_such_option"].set_double_value(1);
  Verdict verdict;
  verdict << ExpectRefused("an option that is not there", Make(target, options).status(),
                           v1::ERROR_REASON_BAD_OPTION);
  options.env_options.clear();
  options.env_id = "NoSuchEnv-v0";
  const absl::Status unknown = Make(target, options).status();
  return (verdict << ExpectRefused("an env that is not there", unknown,
                                   v1::ERROR_REASON_UNKNOWN_ENV))
      .status();
}

absl::Status ASnapshotGoesOnBitForBit(const ConformanceTarget& target) {
  auto first = Driver::Make(target, OptionsFor(target));
  auto second = Driver::Make(target, OptionsFor(target));
  if (!first.ok()) return first.status();
  if (!second.ok()) return second.status();
  std::string ignored, runs[2];
  Verdict verdict;
  verdict << first->env().Reset(3, first->result) << first->Run(20, ignored);
  const auto snapshots = first->env().SaveState();
  verdict << snapshots.status();
  if (!verdict.ok()) return verdict.status();
  first->Digest(runs[0]);
  verdict << second->Run(0, ignored) << second->env().LoadState(*snapshots, second->result);
  if (!verdict.ok()) return verdict.status();
  second->Digest(runs[1]);
  for (int step = 0; step < 20; ++step) second->sampler().Sample(kLanes, ignored);
  verdict << first->Run(40, runs[0]) << second->Run(40, runs[1]);
  std::vector<std::string> damaged = *snapshots;
  damaged[1][damaged[1].size() / 2] ^= 1;
  verdict << Expect(runs[0] == runs[1], "the restored lanes do not go on as the saved ones")
          << ExpectRefused("a damaged snapshot", second->env().LoadState(damaged, second->result),
                           v1::ERROR_REASON_BAD_SNAPSHOT);
  return verdict.status();
}

// Steps until all episodes have ended: kLimit steps at most.
absl::Status RunToTheEnd(Driver& driver) {
  Verdict verdict;
  verdict << driver.env().Reset(1, driver.result);
  for (int step = 0; verdict.ok() && step < kLimit; ++step) {
    for (int lane = 0; lane < kLanes; ++lane) {
      verdict << Expect(!driver.result.terminated[lane] && !driver.result.truncated[lane],
                        "an episode ended before its limit; name an --env whose episodes last "
                        "five steps");
    }
    verdict << driver.Step();
  }
  for (int lane = 0; verdict.ok() && lane < kLanes; ++lane) {
    verdict << Expect(driver.result.truncated[lane] == 1, "the time limit sets no TRUNCATED");
  }
  return verdict.status();
}

absl::Status NextStepAutoresetShowsTheEndThenTheBeginning(const ConformanceTarget& target) {
  VectorEnvOptions options = OptionsFor(target);
  options.max_episode_steps = kLimit;
  auto driver = Driver::Make(target, options);
  if (!driver.ok()) return driver.status();
  Verdict verdict;
  verdict << RunToTheEnd(*driver);
  if (!verdict.ok()) return verdict.status();
  verdict << ExpectEqual<size_t>("episodes that ended", driver->result.episodes.size(), kLanes);
  for (const v1::Episode& episode : driver->result.episodes)
    verdict << ExpectEqual<uint64_t>("length of an episode", episode.length(), kLimit);
  verdict << driver->Step();
  for (int lane = 0; verdict.ok() && lane < kLanes; ++lane) {
    verdict << Expect(driver->result.first[lane] == 1, "the row after an end has no FIRST flag")
            << ExpectEqual("its reward", driver->result.rewards[lane], 0.0);
  }
  return verdict.status();
}

absl::Status SameStepAutoresetKeepsTheLastObservation(const ConformanceTarget& target) {
  VectorEnvOptions options = OptionsFor(target);
  options.max_episode_steps = kLimit;
  options.autoreset_mode = v1::AUTORESET_MODE_SAME_STEP;
  auto driver = Driver::Make(target, options);
  if (!driver.ok()) return driver.status();
  Verdict verdict;
  verdict << RunToTheEnd(*driver);
  if (!verdict.ok()) return verdict.status();
  verdict << ExpectEqual<size_t>("last observations", driver->result.final_rows.size(), kLanes);
  for (const uint8_t autoreset : driver->result.autoreset)
    verdict << Expect(autoreset == 1, "the row of an end has no AUTORESET flag");
  return verdict.status();
}

absl::Status WithoutAutoresetAFinishedLaneTakesOnlyAReset(const ConformanceTarget& target) {
  VectorEnvOptions options = OptionsFor(target);
  options.max_episode_steps = kLimit;
  options.autoreset_mode = v1::AUTORESET_MODE_DISABLED;
  auto driver = Driver::Make(target, options);
  if (!driver.ok()) return driver.status();
  Verdict verdict;
  verdict << RunToTheEnd(*driver)
          << ExpectRefused("a step of a finished lane", driver->Step(),
                           v1::ERROR_REASON_NEEDS_RESET)
          << driver->env().Reset(absl::nullopt, driver->result) << driver->Step();
  return verdict.status();
}

}  // namespace

const std::vector<ConformanceCheck>& StepChecks() {
  static const auto* const checks = new std::vector<ConformanceCheck>{
      {"TheSameSeedGivesTheSameEpisodes", TheSameSeedGivesTheSameEpisodes},
      {"LaneIGetsSeedPlusI", LaneIGetsSeedPlusI},
      {"OperationsAreNumberedWithoutGaps", OperationsAreNumberedWithoutGaps},
      {"GroupsInFlightComeBackWhole", GroupsInFlightComeBackWhole},
      {"ABadCallIsNamedAndTheNextOneWorks", ABadCallIsNamedAndTheNextOneWorks},
      {"AnUnknownEnvOrOptionIsNamed", AnUnknownEnvOrOptionIsNamed},
      {"ASnapshotGoesOnBitForBit", ASnapshotGoesOnBitForBit},
      {"NextStepAutoresetShowsTheEndThenTheBeginning",
       NextStepAutoresetShowsTheEndThenTheBeginning},
      {"SameStepAutoresetKeepsTheLastObservation", SameStepAutoresetKeepsTheLastObservation},
      {"WithoutAutoresetAFinishedLaneTakesOnlyAReset",
       WithoutAutoresetAFinishedLaneTakesOnlyAReset}};
  return *checks;
}

}  // namespace hivewire
