#include "policy/rpc/collector_table.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "policy/exported_actor.h"
#include "policy/portable/recurrent_cell.h"

namespace hivewire {
namespace {

// How often those who wait look whether they still should.
constexpr absl::Duration kLook = absl::Milliseconds(50);
// How long a collector that registered may take to open its stream.
constexpr absl::Duration kGrace = absl::Seconds(10);
// How often the learner says that it waits.
constexpr absl::Duration kTell = absl::Seconds(10);

std::string TextOf(const v1::LearnerConfig& config) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(config, &text);
  return text;
}

// No collector of another process has it, whatever happens.
uint64_t RandomId() {
  std::random_device device;
  return (uint64_t{device()} << 32 | device()) | 1;
}

bool SameLeaves(const google::protobuf::RepeatedPtrField<v1::LeafSpec>& a,
                const google::protobuf::RepeatedPtrField<v1::LeafSpec>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const v1::LeafSpec& x, const v1::LeafSpec& y) {
                      return google::protobuf::util::MessageDifferencer::Equals(x, y);
                    });
}

}  // namespace

CollectorTable::CollectorTable(const v1::LearnerConfig& config, uint64_t frames)
    : config_(config),
      config_text_(TextOf(config)),
      num_lanes_(config.env().num_envs()),
      given_(static_cast<size_t>(num_lanes_), frames) {}

v1::DescribeRunResponse CollectorTable::Describe() const {
  MutexLock lock(mutex_);
  v1::DescribeRunResponse response;
  response.set_config(config_text_);
  response.set_free_lanes(static_cast<uint32_t>(FreeLanes()));
  response.set_done(done_);
  return response;
}

bool CollectorTable::Present(const Collector& collector) const {
  const bool coming = collector.fresh && absl::Now() < collector.registered + kGrace;
  return collector.stream != 0 || coming;
}

int CollectorTable::FreeLanes() const {
  int free = num_lanes_;
  for (const auto& [id, collector] : collectors_) {
    if (Present(collector)) free -= collector.num_lanes;
  }
  return free;
}

absl::Status CollectorTable::CheckSpec(const v1::EnvSpec& spec) {
  if (spec.id() != config_.env().id()) {
    return absl::FailedPreconditionError(
        absl::StrCat("spec.id: \"", spec.id(), "\"; the run is of ", config_.env().id()));
  }
  if (!spec_.has_value()) {
    const absl::StatusOr<Problem> problem = MakeProblem(spec, config_);
    if (!problem.ok()) return problem.status();
    shape_.observation_dim = problem->observation_dim;
    shape_.action_bytes = problem->action.row_bytes();
    action_ = problem->action;
    spec_ = spec;
    return absl::OkStatus();
  }
  if (SameLeaves(spec.observation(), spec_->observation()) &&
      SameLeaves(spec.action(), spec_->action()) && spec.engine() == spec_->engine()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("spec: observation, action or engine of ", spec.id(),
                   " differ from those of the collectors before (", spec_->engine(), ")"));
}

absl::StatusOr<int> CollectorTable::FindLanes(const std::string& name, int count) {
  // A name that comes back replaces whoever had it.
  for (auto it = collectors_.begin(); it != collectors_.end(); ++it) {
    if (it->second.name != name) continue;
    const int first = it->second.first_lane;
    const bool fits = it->second.num_lanes == count;
    collectors_.erase(it);
    if (fits) return first;
    break;
  }
  // Lanes that nobody had at first; then those of collectors that are gone.
  for (const bool of_others : {false, true}) {
    std::vector<bool> taken(static_cast<size_t>(num_lanes_));
    for (const auto& [id, collector] : collectors_) {
      if (of_others && !Present(collector)) continue;
      std::fill_n(taken.begin() + collector.first_lane, collector.num_lanes, true);
    }
    int run = 0;
    for (int lane = 0; lane < num_lanes_; ++lane) {
      run = taken[static_cast<size_t>(lane)] ? 0 : run + 1;
      if (run == count) return lane - count + 1;
    }
  }
  return absl::ResourceExhaustedError(absl::StrCat("num_envs: ", count,
                                                   " lanes in a row are not free; of the run's ",
                                                   num_lanes_, " lanes ", FreeLanes(), " are"));
}

absl::StatusOr<v1::RegisterResponse> CollectorTable::Register(const v1::RegisterRequest& request) {
  MutexLock lock(mutex_);
  if (down_) return absl::UnavailableError("the learner stops");
  const int64_t count = request.num_envs();
  if (count < 1 || count > num_lanes_) {
    return absl::InvalidArgumentError(
        absl::StrCat("num_envs is ", count, "; it can be 1 … ", num_lanes_, ", the run's lanes"));
  }
  if (absl::Status status = CheckSpec(request.spec()); !status.ok()) return status;
  const absl::StatusOr<int> first = FindLanes(request.collector_name(), static_cast<int>(count));
  if (!first.ok()) return first.status();
  const int end = *first + static_cast<int>(count);
  for (auto it = collectors_.begin(); it != collectors_.end();) {
    const Collector& other = it->second;
    const bool overlaps = other.first_lane < end && *first < other.first_lane + other.num_lanes;
    it = overlaps ? collectors_.erase(it) : std::next(it);
  }
  uint64_t nth = 0;
  for (int lane = *first; lane < end; ++lane) {
    nth = std::max(nth, given_[static_cast<size_t>(lane)]);
  }
  std::fill(given_.begin() + *first, given_.begin() + end, nth + 1);

  Collector collector;
  collector.id = RandomId();
  collector.name = request.collector_name();
  collector.first_lane = *first;
  collector.num_lanes = static_cast<int>(count);
  collector.registered = absl::Now();
  v1::RegisterResponse response;
  response.set_collector_id(collector.id);
  response.set_first_lane(static_cast<uint64_t>(*first));
  response.set_fragment_length(static_cast<uint32_t>(config_.ppo().rollout_steps()));
  response.set_policy_seed(PolicySeed(config_.seed(), nth));
  response.set_synchronous(config_.collection().synchronous());
  response.set_max_staleness(config_.collection().max_staleness());
  response.set_config(config_text_);
  // Other episodes than those that these lanes had before.
  response.set_env_seed(config_.seed() + (nth << 32));
  spdlog::info("collector {}: lanes {} … {}", collector.name, *first, end - 1);
  collectors_[collector.id] = std::move(collector);
  Changed();
  return response;
}

absl::StatusOr<CollectorTable::Collector*> CollectorTable::Find(uint64_t id) {
  if (down_) return absl::UnavailableError("the learner stops");
  const auto found = collectors_.find(id);
  if (found != collectors_.end()) return &found->second;
  return absl::NotFoundError(
      "collector_id: this learner knows none of this number (any more); register anew");
}

absl::StatusOr<uint64_t> CollectorTable::Attach(uint64_t collector_id) {
  MutexLock lock(mutex_);
  const absl::StatusOr<Collector*> collector = Find(collector_id);
  if (!collector.ok()) return collector.status();
  (*collector)->stream = next_stream_++;
  Changed();
  return (*collector)->stream;
}

void CollectorTable::Detach(uint64_t collector_id, uint64_t stream) {
  MutexLock lock(mutex_);
  const absl::StatusOr<Collector*> found = Find(collector_id);
  if (!found.ok() || (*found)->stream != stream) return;
  Collector& collector = **found;
  collector.stream = 0;
  collector.registered = absl::InfinitePast();
  if (!done_) {
    ++losses_;
    spdlog::warn("collector {} is gone; its lanes {} … {} wait for it", collector.name,
                 collector.first_lane, collector.first_lane + collector.num_lanes - 1);
  }
  Changed();
}

absl::StatusOr<v1::PushFragmentsResponse> CollectorTable::Push(
    uint64_t stream, const v1::PushFragmentsRequest& request, const Stop& cancelled) {
  const uint64_t id = request.collector_id();
  ExperienceShape shape;
  std::optional<ActionSpace> action;
  int first_lane = 0, num_lanes = 0;
  {
    MutexLock lock(mutex_);
    const absl::StatusOr<Collector*> collector = Find(id);
    if (!collector.ok()) return collector.status();
    shape = shape_;
    action = action_;
    first_lane = (*collector)->first_lane;
    num_lanes = (*collector)->num_lanes;
  }
  absl::StatusOr<Experience> experience =
      FromFragment(request.fragment(), shape, first_lane, num_lanes);
  if (!experience.ok()) return experience.status();
  if (experience->steps != config_.ppo().rollout_steps()) {
    return absl::DataLossError(absl::StrCat("fragment.length: ", experience->steps, " steps where ",
                                            config_.ppo().rollout_steps(), " were asked for"));
  }
  std::vector<float> actions(experience->rewards.size() * static_cast<size_t>(action->dim()));
  const absl::Status acted = action->Read(experience->actions, absl::MakeSpan(actions));
  if (!acted.ok()) {
    return absl::DataLossError(absl::StrCat("fragment.action: ", acted.message()));
  }

  MutexLock lock(mutex_);
  while (true) {
    const absl::StatusOr<Collector*> found = Find(id);
    if (!found.ok()) return found.status();
    Collector& collector = **found;
    if (collector.stream != stream) {
      return absl::AbortedError("a newer stream of this collector took over");
    }
    const uint64_t number = request.fragment_no();
    if (done_ || collector.answered >= number) {
      v1::PushFragmentsResponse response;
      response.set_fragment_no(number);
      response.set_dropped_as_stale(collector.answered < number ||
                                    (collector.answered == number && collector.answered_as_stale));
      response.set_done(done_);
      return response;
    }
    // It may be waiting since an earlier stream.
    if (!collector.pending.has_value() || collector.pending->fragment_no != number) {
      collector.pending = Pending{number, next_arrival_++, *std::move(experience)};
      Changed();
    }
    AwaitChange(lock);
    if (cancelled()) return absl::CancelledError("the collector is gone");
  }
}

absl::StatusOr<CollectorTable::Weights> CollectorTable::NextWeights(uint64_t collector_id,
                                                                    uint64_t after_version,
                                                                    const Stop& cancelled) {
  MutexLock lock(mutex_);
  while (true) {
    const absl::StatusOr<Collector*> collector = Find(collector_id);
    if (!collector.ok()) return collector.status();
    if (done_) return Weights();
    if (weights_ != nullptr && weights_->version() > after_version) return weights_;
    AwaitChange(lock);
    if (cancelled()) return absl::CancelledError("the collector is gone");
  }
}

absl::StatusOr<v1::EnvSpec> CollectorTable::WaitForSpec(const Stop& stop) {
  MutexLock lock(mutex_);
  while (!spec_.has_value()) {
    if (stop()) return absl::CancelledError("stopped before a collector came");
    AwaitChange(lock);
  }
  return *spec_;
}

void CollectorTable::Publish(v1::Policy policy) {
  auto weights = std::make_shared<v1::WatchWeightsResponse>();
  weights->set_version(policy.version());
  const size_t memory_width = MemoryWidth(policy.recurrent());
  *weights->mutable_policy() = std::move(policy);
  MutexLock lock(mutex_);
  shape_.memory_width = memory_width;
  weights_ = std::move(weights);
  Changed();
}

void CollectorTable::DropUpTo(uint64_t version) {
  MutexLock lock(mutex_);
  drop_up_to_ = version;
}

uint64_t CollectorTable::Oldest(const Pending& pending) {
  const std::vector<uint64_t>& versions = pending.experience.versions;
  return *std::min_element(versions.begin(), versions.end());
}

uint64_t CollectorTable::Staleness(const Pending& pending) const {
  return weights_->version() - std::min(Oldest(pending), weights_->version());
}

void CollectorTable::Answer(Collector& collector, bool stale) {
  if (!collector.pending.has_value()) return;
  collector.answered = collector.pending->fragment_no;
  collector.answered_as_stale = stale;
  collector.pending.reset();
  Changed();
}

Experience CollectorTable::Take(Collector& collector) {
  Experience experience = std::move(collector.pending->experience);
  experience.starts_anew = std::exchange(collector.fresh, false);
  Answer(collector, /*stale=*/false);
  return experience;
}

std::vector<CollectorTable::Collector*> CollectorTable::Waiting() {
  const bool synchronous = config_.collection().synchronous();
  const uint64_t limit = config_.collection().max_staleness();
  std::vector<Collector*> waiting;
  for (auto& [id, collector] : collectors_) {
    if (!collector.pending.has_value()) continue;
    const uint64_t staleness = Staleness(*collector.pending);
    const bool unwanted = Oldest(*collector.pending) <= drop_up_to_;
    if (unwanted || (synchronous ? staleness > 0 : limit > 0 && staleness > limit)) {
      ++statistics_.dropped_fragments;
      spdlog::warn("collector {}: fragment {} is {} versions old: dropped", collector.name,
                   collector.pending->fragment_no, staleness);
      Answer(collector, /*stale=*/true);
      continue;
    }
    waiting.push_back(&collector);
  }
  std::sort(waiting.begin(), waiting.end(), [synchronous](const auto* a, const auto* b) {
    return synchronous ? a->first_lane < b->first_lane : a->pending->arrival < b->pending->arrival;
  });
  return waiting;
}

bool CollectorTable::AllHere() {
  if (FreeLanes() == 0) complete_ = true;
  return complete_ && std::all_of(collectors_.begin(), collectors_.end(),
                                  [this](const auto& entry) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                    return entry.second.pending.has_value() ||
                                           !Present(entry.second);
                                  });
}

absl::StatusOr<std::vector<Experience>> CollectorTable::Gather(const Stop& stop) {
  const bool synchronous = config_.collection().synchronous();
  MutexLock lock(mutex_);
  absl::Time told = absl::Now();
  std::vector<Experience> parts;
  std::set<uint64_t> collectors;
  int lanes = 0;
  uint64_t staleness = 0;
  statistics_.max_staleness = 0;
  bool full = false;
  while (!full) {
    if (stop()) return absl::CancelledError("stopped while waiting for collectors");
    const bool take = !synchronous || AllHere();
    for (Collector* collector : Waiting()) {
      full = lanes + collector->num_lanes > num_lanes_;
      if (!take || full) break;
      const uint64_t age = Staleness(*collector->pending);
      staleness += age;
      statistics_.max_staleness = std::max(statistics_.max_staleness, age);
      lanes += collector->num_lanes;
      collectors.insert(collector->id);
      parts.push_back(Take(*collector));
    }
    full = full || lanes == num_lanes_ || (synchronous && !parts.empty());
    if (full) break;
    AwaitChange(lock);
    if (absl::Now() > told + kTell && FreeLanes() > 0) {
      told = absl::Now();
      spdlog::info("waiting for collectors: {} of {} lanes are driven", num_lanes_ - FreeLanes(),
                   num_lanes_);
    }
  }
  statistics_.collectors = static_cast<int>(collectors.size());
  statistics_.mean_staleness = static_cast<double>(staleness) / static_cast<double>(parts.size());
  return parts;
}

void CollectorTable::Changed() {
  ++changes_;
  changed_.NotifyAll();
}

void CollectorTable::AwaitChange(MutexLock& lock) {
  const uint64_t before = changes_;
  changed_.WaitUntil(lock, absl::Now() + kLook, [this, before]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return changes_ != before;
  });
}

GatherStatistics CollectorTable::statistics() const {
  MutexLock lock(mutex_);
  return statistics_;
}

int64_t CollectorTable::losses() const {
  MutexLock lock(mutex_);
  return losses_;
}

void CollectorTable::Finish() {
  MutexLock lock(mutex_);
  done_ = true;
  Changed();
}

void CollectorTable::Shutdown() {
  MutexLock lock(mutex_);
  down_ = true;
  Changed();
}

}  // namespace hivewire
