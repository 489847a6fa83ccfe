// A pool of one env and the policy that runs on it, for tests of rollouts.
#ifndef HIVEWIRE_SERVER_ROLLOUT_TEST_POOL_H_
#define HIVEWIRE_SERVER_ROLLOUT_TEST_POOL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "policy/portable/testing/random_policy.h"
#include "server/rollout/rollout.h"

namespace hivewire {

// For whatever should happen at all.
inline constexpr absl::Duration kPatience = absl::Seconds(60);
// Of Collect's policies.
inline constexpr uint64_t kSeed = 7;

// Of a builtin env.
std::shared_ptr<const Task> TaskOf(const std::string& env_id);

class TestPool {
 public:
  // `max_episode_steps`: 0 for the env's own.
  TestPool(std::shared_ptr<const Task> task, uint32_t lanes, v1::AutoresetMode mode, int workers,
           absl::Duration step_timeout = kDefaultStepTimeout, int max_episode_steps = 0);

  Pool& pool() { return *pool_; }
  const v1::EnvSpec& spec() const { return pool_->spec().description().spec(); }
  const std::shared_ptr<PolicySlot>& slot() { return slot_; }

  // Seeds 100, 101, ….
  void Reset();

  v1::Policy MakePolicy(RandomPolicyOptions options) const;
  absl::Status Publish(const v1::Policy& policy);

  absl::StatusOr<std::unique_ptr<Rollout>> Start(const v1::CollectRequest& request,
                                                 const RolloutLimits& limits = {});
  // So many fragments of `length` steps.
  std::vector<v1::Fragment> Collect(uint32_t length, uint64_t fragments,
                                    uint64_t max_message_bytes = 0);

 private:
  Workers workers_;
  std::shared_ptr<PolicySlot> slot_;
  std::unique_ptr<Pool> pool_;
  v1::Batch batch_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_ROLLOUT_TEST_POOL_H_
