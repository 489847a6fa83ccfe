#include "server/pool/workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>

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

TEST(Workers, TenantsTakeTurnsHoweverMuchEachHasPosted) {
  Log log;
  Workers workers(1);
  Workers::Tenant gatekeeper(workers, absl::Minutes(1));
  const auto gate = std::make_shared<Gate>();
  gatekeeper.Post(gate);
  gate->begun.get_future().wait();
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
