#include "policy/collecting.h"

#include <google/protobuf/text_format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "policy/embedded_source.h"
#include "policy/exported_actor.h"
#include "policy/nn/device_policy.h"
#include "policy/rpc/learner_client.h"
#include "policy/step_collector.h"

namespace hivewire {
namespace {

constexpr absl::Duration kBetweenAttempts = absl::Milliseconds(200);

std::string OwnName() {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, "-", getpid(), "-", absl::Hex(std::random_device()()));
}

// One stay with a learner, from joining to whatever ends it.
class Stay {
 public:
  Stay(const CollectorOptions& options, const PolicyMaker& maker, const std::string& name,
       const std::function<bool()>& stop)
      : options_(options), maker_(maker), name_(name), stop_(stop) {}

  // When everybody was last seen to be there.
  absl::Time good_since() const { return good_since_; }

  // OUT_OF_RANGE when the run is over.
  absl::Status Run() {
    absl::Status status = Join();
    if (!status.ok()) return status;
    const v1::CollectionConfig& collection = config_.collection();
    uint64_t version = 0;
    while (!stop_()) {
      auto policy = learner_->WaitForPolicy(collection.synchronous() ? version : 0, stop_);
      if (!policy.ok()) return policy.status();
      version = (*policy)->portable().version();
      if (collection.synchronous()) {
        actor_->Begin(fragment_length_, [policy = *policy] { return policy; });
      } else {
        actor_->Begin(fragment_length_, [this] { return learner_->newest(); });
      }
      status = collector_->Collect(INT64_MAX).status();
      if (!status.ok()) return Annotate(status, "env server");
      Experience experience = actor_->Take();
      experience.episodes = collector_->TakeEpisodes();
      for (EpisodeSummary& episode : experience.episodes) episode.lane += first_lane_;
      const absl::StatusOr<bool> stale = learner_->Push(experience);
      if (!stale.ok()) return stale.status();
      if (*stale) spdlog::warn("the fragment before version {} came too late", version);
      good_since_ = absl::Now();
    }
    return absl::CancelledError("stopped");
  }

 private:
  absl::Status Join() {
    auto learner = LearnerClient::Create(options_.learner, options_.learner_connection, maker_);
    if (!learner.ok()) return learner.status();
    learner_ = *std::move(learner);
    const absl::StatusOr<v1::DescribeRunResponse> run = learner_->Describe();
    if (!run.ok()) return run.status();
    if (run->done()) return absl::OutOfRangeError("the run is over");
    if (!google::protobuf::TextFormat::ParseFromString(run->config(), &config_)) {
      return absl::FailedPreconditionError(
          "the learner's config is not one that this collector knows: are they of one version?");
    }
    config_.set_device(options_.device);
    if (!options_.server.empty()) config_.mutable_env()->set_server(options_.server);
    const int num_envs =
        options_.num_envs > 0 ? options_.num_envs : static_cast<int>(run->free_lanes());
    if (num_envs == 0) return absl::ResourceExhaustedError("all lanes of the run are driven");
    auto env = MakeEnv(config_, num_envs, options_.reach);
    if (!env.ok()) return Annotate(env.status(), "env server");
    env_ = *std::move(env);
    const absl::StatusOr<Problem> problem = MakeProblem(*env_, config_);
    if (!problem.ok()) return problem.status();

    auto observations = MakeObservations(*env_, config_);
    if (!observations.ok()) return observations.status();

    v1::RegisterRequest request;
    request.set_collector_name(name_);
    request.set_num_envs(static_cast<uint32_t>(num_envs));
    *request.mutable_spec() = env_->spec();
    const auto joined = learner_->Register(request);
    if (!joined.ok()) return joined.status();
    first_lane_ = static_cast<int>(joined->first_lane());
    fragment_length_ = static_cast<int>(joined->fragment_length());
    spdlog::info("{}: {} lanes of {} from lane {} on", options_.learner, num_envs,
                 config_.env().id(), first_lane_);
    actor_ = std::make_unique<ExportedActor>(problem->action, problem->observation_dim, first_lane_,
                                             num_envs, joined->policy_seed());
    collector_ = std::make_unique<StepCollector>(*env_, *actor_, problem->action,
                                                 RawCollection(config_), *std::move(observations));
    const absl::Status started = collector_->Start(joined->env_seed() + joined->first_lane());
    return started.ok() ? started : Annotate(started, "env server");
  }

  const CollectorOptions& options_;
  const PolicyMaker& maker_;
  const std::string& name_;
  const std::function<bool()>& stop_;
  absl::Time good_since_ = absl::InfinitePast();
  v1::LearnerConfig config_;
  int first_lane_ = 0;
  int fragment_length_ = 0;
  // The learner hears that its collector is gone before the env is given back.
  std::unique_ptr<VectorEnv> env_;
  std::unique_ptr<ExportedActor> actor_;
  std::unique_ptr<StepCollector> collector_;
  std::unique_ptr<LearnerClient> learner_;
};

// Whether somebody is away who may come back.
bool WaitingMayCure(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return true;
    case absl::StatusCode::kNotFound:  // of a pool or a registration, not of an env
      return ReasonOf(status) != v1::ERROR_REASON_UNKNOWN_ENV;
    default:
      return false;
  }
}

}  // namespace

absl::Status RunCollector(const CollectorOptions& options, const std::function<bool()>& stop) {
  if (options.num_envs < 0) {
    return absl::InvalidArgumentError(absl::StrCat("--num_envs is ", options.num_envs,
                                                   "; it can be 0 (all that are free) or more"));
  }
  const absl::StatusOr<PolicyMaker> maker = options.device == "cpu"
                                                ? absl::StatusOr<PolicyMaker>(MakeCpuPolicy)
                                                : MakeDevicePolicies(options.device);
  if (!maker.ok()) return maker.status();
  const std::string name = options.name.empty() ? OwnName() : options.name;
  absl::Time good_since = absl::Now();
  std::string told;
  while (!stop()) {
    absl::Status status;
    {
      Stay stay(options, *maker, name, stop);
      status = stay.Run();
      good_since = std::max(good_since, stay.good_since());
    }
    if (absl::IsOutOfRange(status) || stop()) return absl::OkStatus();
    if (!WaitingMayCure(status) || absl::Now() > good_since + options.patience) return status;
    if (told != status.message()) spdlog::warn("waiting: {}", std::string(status.message()));
    told = std::string(status.message());
    absl::SleepFor(kBetweenAttempts);
  }
  return absl::OkStatus();
}

}  // namespace hivewire
