#include "server/rollout/rollout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {
namespace {

// Lanes of a crew: enough rows for the policy's kernel, few enough to share the work evenly.
constexpr size_t kMaxCrew = 8;
// Memory for what a crew stages.
constexpr size_t kMaxStagedBytes = 256 << 10;
constexpr size_t kMaxStagedSteps = 64;
constexpr uint32_t kMaxLength = 1 << 24;
constexpr uint32_t kDefaultInFlight = 2;
constexpr uint32_t kMaxInFlight = 256;

absl::Status BadOption(absl::string_view field, const std::string& value,
                       absl::string_view problem) {
  return MakeError(v1::ERROR_REASON_BAD_OPTION, absl::StrCat(field, ": ", value, problem), field,
                   value);
}

absl::Status Limit(absl::string_view field, uint64_t value, const std::string& problem) {
  return MakeError(v1::ERROR_REASON_LIMIT, absl::StrCat(field, ": ", value, problem), field,
                   absl::StrCat(value));
}

size_t CeilingOf(size_t a, size_t b) { return (a + b - 1) / b; }

}  // namespace

// A crew's turns at the workers. It is posted again and again; after GiveUp it is left to the lost
// worker, and another takes its place.
class Rollout::CrewJob : public Workers::Job {
 public:
  CrewJob(Rollout& rollout, Part& part, std::shared_ptr<Crew> crew)
      : rollout_(rollout), part_(part), crew_(std::move(crew)) {}

  size_t size() const override { return 1; }
  void Run(Workers::Turn& turn, size_t) override {
    begun_.store(true, std::memory_order_relaxed);
    crew_->Run(turn);
  }
  void Done(size_t) override {
    begun_.store(false, std::memory_order_relaxed);
    rollout_.Take(part_, *crew_);
    crew_->ClearStaged();
    rollout_.GoOn(self_);
  }
  void GiveUp(size_t, const absl::Status& status) override { rollout_.GiveUp(*this, status); }

  Rollout& rollout_;
  Part& part_;
  const std::shared_ptr<Crew> crew_;
  std::shared_ptr<CrewJob> self_;  // cleared with the rollout
  std::atomic<bool> begun_{false};
  bool waits_ = false;  // for Release; guarded by rollout_.mutex_
};

absl::StatusOr<std::unique_ptr<Rollout>> Rollout::Start(Pool& pool,
                                                        std::shared_ptr<PolicySlot> slot,
                                                        const v1::CollectRequest& request,
                                                        const RolloutLimits& limits,
                                                        absl::Time deadline) {
  const PoolSpec& spec = pool.spec();
  if (spec.autoreset_mode() == v1::AUTORESET_MODE_DISABLED) {
    return BadOption("pool_id", spec.description().pool_id(),
                     "the pool was made with AUTORESET_MODE_DISABLED, and nobody would reset its "
                     "lanes; NEXT_STEP and SAME_STEP go on by themselves");
  }
  const uint32_t length = request.fragment_length();
  if (length == 0) return BadOption("fragment_length", "0", " is not at least 1");
  if (length > kMaxLength)
    return Limit("fragment_length", length, absl::StrCat(" is more than ", kMaxLength));
  if (request.max_in_flight() > kMaxInFlight) {
    return Limit("max_in_flight", request.max_in_flight(),
                 absl::StrCat(" is more than ", kMaxInFlight));
  }
  const uint64_t max_bytes = request.max_message_bytes() == 0
                                 ? limits.max_message_bytes
                                 : std::min(request.max_message_bytes(), limits.max_message_bytes);
  const auto policy = slot->Pin();
  if (!policy.ok()) return policy.status();
  const bool has_values = (*policy)->policy().has_critic();
  const auto fail = [&](const absl::Status& status) {
    slot->Unpin();
    return status;
  };
  auto setting = std::make_shared<CrewSetting>(spec, length, has_values);
  const size_t most = setting->layout.MaxLanes(max_bytes);
  if (most == 0) {
    return fail(Limit("fragment_length", length,
                      absl::StrCat(" steps of one lane may take ", setting->layout.MessageBytes(1),
                                   " bytes where a message has at most ", max_bytes)));
  }
  const size_t parts = CeilingOf(spec.num_lanes(), most);
  const size_t lanes_a_part = CeilingOf(spec.num_lanes(), parts);
  const size_t in_flight =
      request.max_in_flight() == 0 ? kDefaultInFlight : request.max_in_flight();
  size_t buffers = in_flight + 1;
  if (request.max_fragments() > 0) buffers = std::min<uint64_t>(buffers, request.max_fragments());
  const uint64_t buffer_bytes = buffers * parts * setting->layout.MessageBytes(lanes_a_part);
  if (buffer_bytes > limits.max_buffer_bytes) {
    return fail(Limit("fragment_length", length,
                      absl::StrCat(" steps of ", spec.num_lanes(), " lanes, ", buffers,
                                   " fragments at once, may take ", buffer_bytes,
                                   " bytes where this server allows ", limits.max_buffer_bytes)));
  }
  auto loan = pool.Borrow(deadline);
  if (!loan.ok()) return fail(loan.status());
  setting->stage = (*loan)->stage();
  setting->slot = slot;
  setting->seed = request.policy_seed();
  setting->deterministic = request.deterministic();
  setting->places.resize(static_cast<size_t>((*loan)->workers().max_workers()));
  for (size_t worker = 0; worker < setting->places.size(); ++worker)
    setting->places[worker].runner = &(*loan)->runner(static_cast<int>(worker));
  size_t row_bytes = 0;
  for (const v1::LayoutLeaf& leaf : setting->layout.wire().leaves()) row_bytes += leaf.row_bytes();
  setting->max_staged = std::clamp<size_t>(kMaxStagedBytes / (kMaxCrew * row_bytes), 1,
                                           std::min<size_t>(kMaxStagedSteps, length));
  std::unique_ptr<Rollout> rollout(
      new Rollout(*std::move(loan), std::move(slot), request.max_fragments()));
  rollout->setting_ = std::move(setting);
  rollout->MakeParts(lanes_a_part, buffers);
  rollout->Begin();
  return rollout;
}

Rollout::Rollout(std::unique_ptr<Pool::Loan> loan, std::shared_ptr<PolicySlot> slot,
                 uint64_t max_fragments)
    : loan_(std::move(loan)),
      slot_(std::move(slot)),
      max_fragments_(max_fragments),
      tenant_(loan_->workers(), loan_->step_timeout()) {}

void Rollout::MakeParts(size_t lanes_a_part, size_t buffers) {
  const size_t num_lanes = loan_->spec().num_lanes();
  const size_t workers = static_cast<size_t>(loan_->workers().size());
  const size_t crew_size = std::clamp<size_t>(CeilingOf(num_lanes, 2 * workers), 1, kMaxCrew);
  // Crews point at their parts.
  parts_.reserve(CeilingOf(num_lanes, lanes_a_part));
  for (size_t first = 0; first < num_lanes; first += lanes_a_part) {
    Part& part = parts_.emplace_back();
    const size_t end = std::min(first + lanes_a_part, num_lanes);
    for (size_t lane = first; lane < end; lane += crew_size) {
      std::vector<Lane*> lanes;
      std::vector<uint64_t> op_nos;
      for (size_t n = lane; n < std::min(lane + crew_size, end); ++n) {
        lanes.push_back(&loan_->lane(static_cast<uint32_t>(n)));
        op_nos.push_back(loan_->op_no(static_cast<uint32_t>(n)));
      }
      part.crews.push_back(
          std::make_shared<CrewJob>(*this, part,
                                    std::make_shared<Crew>(setting_, static_cast<uint32_t>(lane),
                                                           std::move(lanes), std::move(op_nos))));
      part.crews.back()->self_ = part.crews.back();
    }
    for (size_t k = 0; k < buffers; ++k) {
      part.buffers.push_back(
          std::make_unique<FragmentBuffer>(*setting_, static_cast<uint32_t>(first), end - first));
    }
    part.unfilled.assign(buffers, part.crews.size());
  }
}

void Rollout::Begin() {
  // Those of a part that is posted may be replaced at once.
  std::vector<std::shared_ptr<CrewJob>> jobs;
  for (const Part& part : parts_) jobs.insert(jobs.end(), part.crews.begin(), part.crews.end());
  {
    MutexLock lock(mutex_);
    running_ = jobs.size();
  }
  for (const std::shared_ptr<CrewJob>& job : jobs) tenant_.Post(job);
}

Rollout::~Rollout() {
  setting_->stopping.store(true);
  {
    MutexLock lock(mutex_);
    changed_.Wait(lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return running_ == 0; });
    for (Part& part : parts_) {
      for (const std::shared_ptr<CrewJob>& job : part.crews) job->self_.reset();
    }
  }
  slot_->Unpin();
}

void Rollout::Take(Part& part, Crew& crew) {
  const size_t index = crew.fragment() % part.buffers.size();
  FragmentBuffer& buffer = *part.buffers[index];
  buffer.CopyRows(crew);
  const StagedSteps& staged = crew.staged();
  for (size_t n = 0; n < crew.size(); ++n)
    loan_->Ran(crew.first() + static_cast<uint32_t>(n), crew.op_no(n));
  Pool::Statistics more;
  more.steps = staged.operations;
  more.resets = staged.resets;
  more.episodes = staged.num_ended;
  more.faults = staged.num_faults;
  more.busy_seconds = static_cast<double>(staged.busy_ns) * 1e-9;
  loan_->Count(more);
  MutexLock lock(mutex_);
  if (!buffer.AddEvents(crew)) return;
  if (--part.unfilled[index] > 0) return;
  filled_.push_back({static_cast<size_t>(&part - parts_.data()), index});
  changed_.NotifyAll();
}

bool Rollout::MayRun(const Part& part, const Crew& crew) {
  if (max_fragments_ > 0 && crew.fragment() >= max_fragments_) return false;
  if (crew.fragment() >= part.released + part.buffers.size()) return false;
  begun_ = std::max(begun_, crew.fragment() + 1);
  return true;
}

bool Rollout::Conclude() {
  MutexLock lock(mutex_);
  if (max_fragments_ > 0 && max_fragments_ <= begun_) return false;
  max_fragments_ = begun_;
  return true;
}

void Rollout::GoOn(const std::shared_ptr<CrewJob>& job) {
  {
    MutexLock lock(mutex_);
    const bool stops = setting_->stopping.load() || !failure_.ok();
    if (stops || !MayRun(job->part_, *job->crew_)) {
      job->waits_ = !stops;
      if (--running_ == 0) changed_.NotifyAll();
      return;
    }
  }
  tenant_.Post(job);
}

void Rollout::GiveUp(CrewJob& job, const absl::Status& status) {
  if (!job.begun_.load(std::memory_order_relaxed)) {
    // There is no worker left.
    MutexLock lock(mutex_);
    failure_ = status;
    --running_;
    changed_.NotifyAll();
    return;
  }
  const bool hung = job.crew_->HasHungLane();
  Take(job.part_, *job.crew_);
  std::vector<std::unique_ptr<Lane>> lanes;
  const std::shared_ptr<Crew> crew = job.crew_->Successor(status, lanes);
  for (std::unique_ptr<Lane>& lane : lanes) loan_->Replace(std::move(lane));
  // Counted now: the successor's own count comes when it has run.
  Pool::Statistics more;
  more.faults = hung ? 1 : 0;
  loan_->Count(more);
  const auto next = std::make_shared<CrewJob>(*this, job.part_, crew);
  {
    MutexLock lock(mutex_);
    next->self_ = next;
    for (std::shared_ptr<CrewJob>& place : job.part_.crews) {
      if (place.get() != &job) continue;
      place = next;
      break;
    }
  }
  job.self_.reset();
  GoOn(next);
}

absl::StatusOr<const v1::CollectResponse*> Rollout::Next(absl::Time deadline) {
  MutexLock lock(mutex_);
  if (max_fragments_ > 0 && taken_ == max_fragments_ * parts_.size())
    return absl::OutOfRangeError("all fragments were sent");
  const bool ready = changed_.WaitUntil(lock, deadline, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return !filled_.empty() || !failure_.ok();
  });
  if (!ready) return nullptr;
  if (filled_.empty()) return failure_;
  ++taken_;
  const Filled filled = filled_.front();
  lock.Unlock();
  // No crew comes back to it before it is released.
  return &parts_[filled.part].buffers[filled.buffer]->Finish();
}

void Rollout::Release() {
  Pool::Statistics more;
  more.batches = 1;
  loan_->Count(more);
  {
    MutexLock lock(mutex_);
    const Filled filled = filled_.front();
    filled_.pop_front();
    Part& part = parts_[filled.part];
    part.buffers[filled.buffer]->Clear();
    part.unfilled[filled.buffer] = part.crews.size();
    ++part.released;
    for (const std::shared_ptr<CrewJob>& job : part.crews) {
      if (!job->waits_ || !MayRun(part, *job->crew_)) continue;
      job->waits_ = false;
      ++running_;
      woken_.push_back(job);
    }
  }
  for (const std::shared_ptr<CrewJob>& job : woken_) tenant_.Post(job);
  woken_.clear();
}

}  // namespace hivewire
