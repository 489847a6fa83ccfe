#include "server/pool/workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <future>
#include <map>

#include "absl/time/clock.h"

namespace hivewire {
namespace {

// What one worker ran, item by item.
struct Log {
  Mutex mutex;
  Condition changed;
  std::vector<int> tenants ABSL_GUARDED_BY(mutex);
};

class LoggedJob : public Workers::Job {
 public:
  LoggedJob(Log& log, int tenant, size_t size) : log_(log), tenant_(tenant), size_(size) {}

  size_t size() const override { return size_; }
  void Run(Workers::Turn&, size_t) override {}
  void Done(size_t) override {
    MutexLock lock(log_.mutex);
    log_.tenants.push_back(tenant_);
    log_.changed.NotifyAll();
  }
  void GiveUp(size_t, const absl::Status&) override { ADD_FAILURE(); }

 private:
  Log& log_;
  const int tenant_;
  const size_t size_;
};

// Keeps its worker until it is told.
class Gate : public Workers::Job {
 public:
  size_t size() const override { return 1; }
  void Run(Workers::Turn&, size_t) override {
    begun.set_value();
    open.get_future().wait();
  }
  void Done(size_t) override {}
  void GiveUp(size_t, const absl::Status&) override {}

  std::promise<void> begun, open;
};

// Holds up two workers from now on; the second is posted before the first has begun.
std::vector<std::shared_ptr<Gate>> HoldUpTwo(Workers::Tenant& gatekeeper) {
  const std::vector<std::shared_ptr<Gate>> gates = {std::make_shared<Gate>(),
                                                    std::make_shared<Gate>()};
  for (const auto& gate : gates) gatekeeper.Post(gate);
  for (const auto& gate : gates) gate->begun.get_future().wait();
  return gates;
}

// Holds up one worker from now on.
std::shared_ptr<Gate> HoldUp(Workers::Tenant& gatekeeper) {
  auto gate = std::make_shared<Gate>();
  gatekeeper.Post(gate);
  gate->begun.get_future().wait();
  return gate;
}

TEST(Workers, TenantsTakeTurnsHoweverMuchEachHasPosted) {
  Log log;
  Workers workers(1);
  Workers::Tenant gatekeeper(workers, absl::Minutes(1));
  const std::shared_ptr<Gate> gate = HoldUp(gatekeeper);
  // While the worker is held up, a thousand lanes' work comes in: one large pool, many small ones.
  constexpr int kTenants = 40;
  constexpr size_t kMaxTurn = 8;  // items a worker takes at once
  std::vector<std::unique_ptr<Workers::Tenant>> tenants;
  std::vector<size_t> sizes;
  size_t total = 0;
  for (int tenant = 0; tenant < kTenants; ++tenant) {
    sizes.push_back(tenant == 0 ? 2000 : 25);
    total += sizes.back();
    tenants.push_back(std::make_unique<Workers::Tenant>(workers, absl::Minutes(1)));
    tenants.back()->Post(std::make_shared<LoggedJob>(log, tenant, sizes.back()));
  }
  gate->open.set_value();
  MutexLock lock(log.mutex);
  log.changed.Wait(lock,
                   [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return log.tenants.size() == total; });
  // As long as a small pool has work, the large one is never more than its turns ahead.
  std::map<int, size_t> done;
  size_t turns_of_large = 0;
  int last = -1;
  for (const int tenant : log.tenants) {
    if (tenant == 0 && last != 0) ++turns_of_large;
    last = tenant;
    ++done[tenant];
    for (int small = 1; small < kTenants; ++small) {
      if (done[small] == sizes[static_cast<size_t>(small)]) continue;
      ASSERT_LE(done[0], kMaxTurn * turns_of_large);
      // A small pool that still waits had a turn for each of the large one's but the newest.
      ASSERT_GE(done[small] + 1, turns_of_large) << "tenant " << small;
    }
  }
}

TEST(Workers, ATenantHasTurnsByItsWeight) {
  Log log;
  Workers workers(1);
  Workers::Tenant gatekeeper(workers, absl::Minutes(1));
  const std::shared_ptr<Gate> gate = HoldUp(gatekeeper);
  Workers::Tenant light(workers, absl::Minutes(1), 1);
  Workers::Tenant heavy(workers, absl::Minutes(1), 3);
  // Jobs of one item, which a turn is then.
  for (int job = 0; job < 40; ++job) {
    light.Post(std::make_shared<LoggedJob>(log, 1, 1));
    heavy.Post(std::make_shared<LoggedJob>(log, 3, 1));
  }
  gate->open.set_value();
  MutexLock lock(log.mutex);
  log.changed.Wait(lock, [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return log.tenants.size() == 80; });
  EXPECT_EQ(std::count(log.tenants.begin(), log.tenants.begin() + 40, 3), 30);
}

// Messages, each of which posts a job of one item.
class Mail : public Poller {
 public:
  Mail(Workers& workers, Log& log) : tenant_(workers, absl::Minutes(1)), log_(log) {}

  void Send(int message) {
    MutexLock lock(mutex_);
    messages_.push_back(message);
    changed_.NotifyOne();
  }

  bool Poll(absl::Time deadline) override {
    int message = 0;
    {
      MutexLock lock(mutex_);
      const auto something = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return woken_ || !messages_.empty();
      };
      if (!changed_.WaitUntil(lock, deadline, something)) return false;
      woken_ = false;
      if (messages_.empty()) return true;
      message = messages_.front();
      messages_.pop_front();
      taken_.NotifyAll();
    }
    tenant_.Post(std::make_shared<LoggedJob>(log_, message, 1));
    return true;
  }

  void WaitUntilTaken() {
    MutexLock lock(mutex_);
    taken_.Wait(lock, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return messages_.empty(); });
  }

  void Wake() override {
    MutexLock lock(mutex_);
    woken_ = true;
    changed_.NotifyAll();
  }

 private:
  Workers::Tenant tenant_;
  Log& log_;
  Mutex mutex_;
  Condition changed_, taken_;
  std::deque<int> messages_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
};

void WaitForItems(Log& log, size_t items) {
  MutexLock lock(log.mutex);
  log.changed.Wait(lock,
                   [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return log.tenants.size() == items; });
}

TEST(Workers, WhatComesByThePollerAndWhatOthersPostIsRunEvenWhileAllWait) {
  for (const int num_threads : {1, 2, 5}) {
    Log log;
    Workers workers(num_threads);
    {
      Mail mail(workers, log);
      Workers::Tenant other(workers, absl::Minutes(1));
      workers.SetPoller(&mail);
      size_t items = 0;
      for (int round = 0; round < 30; ++round) {
        // Longer than an idle worker looks before it waits, every third time.
        if (round % 3 == 0) absl::SleepFor(absl::Milliseconds(2));
        mail.Send(round);
        WaitForItems(log, ++items);
        if (round % 5 == 0) absl::SleepFor(absl::Milliseconds(2));
        other.Post(std::make_shared<LoggedJob>(log, -1, 3));
        WaitForItems(log, items += 3);
      }
      workers.SetPoller(nullptr);
      // From here on nobody asks for mail.
      other.Post(std::make_shared<LoggedJob>(log, -1, 1));
      WaitForItems(log, ++items);
    }
  }
}

TEST(Workers, WhileAllAreInLongItemsThePollerIsLookedAfter) {
  Log log;
  Workers workers(2);
  Mail mail(workers, log);
  workers.SetPoller(&mail);
  Workers::Tenant gatekeeper(workers, absl::Minutes(1));
  const auto gates = HoldUpTwo(gatekeeper);
  mail.Send(1);
  mail.WaitUntilTaken();
  for (const auto& gate : gates) gate->open.set_value();
  WaitForItems(log, 1);
  workers.SetPoller(nullptr);
}

TEST(Workers, WhatIsPostedWhileOneSleepsAndOneWaitsForThePollerIsBegunByBoth) {
  Log log;
  Workers workers(2);
  Mail mail(workers, log);
  workers.SetPoller(&mail);
  Workers::Tenant tenant(workers, absl::Minutes(1));
  for (int round = 0; round < 30; ++round) {
    // Longer than an idle worker looks before it waits.
    absl::SleepFor(absl::Milliseconds(2));
    for (const auto& gate : HoldUpTwo(tenant)) gate->open.set_value();
  }
  workers.SetPoller(nullptr);
}

TEST(Workers, EveryItemRunsOnce) {
  Log log;
  Workers workers(7);
  {
    Workers::Tenant tenant(workers, absl::Minutes(1));
    for (int job = 0; job < 100; ++job) tenant.Post(std::make_shared<LoggedJob>(log, job, 13));
    MutexLock lock(log.mutex);
    log.changed.Wait(lock,
                     [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return log.tenants.size() == 1300; });
  }
  MutexLock lock(log.mutex);
  for (int job = 0; job < 100; ++job)
    EXPECT_EQ(std::count(log.tenants.begin(), log.tenants.end(), job), 13);
}

}  // namespace
}  // namespace hivewire
