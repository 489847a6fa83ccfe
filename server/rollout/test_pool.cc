#include "server/rollout/test_pool.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/time/clock.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {

std::shared_ptr<const Task> TaskOf(const std::string& env_id) {
  return BuiltinEnvs().Make(env_id, {}).value();
}

TestPool::TestPool(std::shared_ptr<const Task> task, uint32_t lanes, v1::AutoresetMode mode,
                   int workers, absl::Duration step_timeout, int max_episode_steps)
    : workers_(workers), slot_(std::make_shared<PolicySlot>()) {
  v1::CreatePoolRequest request;
  request.set_num_envs(lanes);
  request.set_autoreset_mode(mode);
  request.set_max_episode_steps(max_episode_steps);
  auto spec = PoolSpec::Make(std::move(task), request);
  EXPECT_TRUE(spec.ok()) << spec.status();
  pool_ = *Pool::Create(*std::move(spec), workers_, step_timeout);
}

void TestPool::Reset() {
  v1::ResetLanes reset;
  reset.add_op_nos(1);
  for (uint64_t lane = 0; lane < pool_->spec().num_lanes(); ++lane) reset.add_seeds(100 + lane);
  ASSERT_EQ(pool_->Reset(reset), absl::OkStatus());
  ASSERT_EQ(pool_->Next(absl::Now() + kPatience, 1, batch_), absl::OkStatus());
}

v1::Policy TestPool::MakePolicy(RandomPolicyOptions options) const {
  options.observation_dim = static_cast<uint32_t>(spec().observation(0).shape(0));
  options.leaves = {spec().observation(0).name()};
  if (spec().action(0).cardinality() > 0) options.head = v1::ActionHead::KIND_CATEGORICAL;
  return RandomPolicy(options, spec().action());
}

absl::Status TestPool::Publish(const v1::Policy& policy) {
  auto made = PortablePolicy::Create(policy);
  if (!made.ok()) return made.status();
  auto fitted = RolloutPolicy::Fit(*made, pool_->spec());
  if (!fitted.ok()) return fitted.status();
  return slot_->Publish(*fitted, policy.SerializeAsString());
}

absl::StatusOr<std::unique_ptr<Rollout>> TestPool::Start(const v1::CollectRequest& request,
                                                         const RolloutLimits& limits) {
  return Rollout::Start(*pool_, slot_, request, limits, absl::Now() + kPatience);
}

std::vector<v1::Fragment> TestPool::Collect(uint32_t length, uint64_t fragments,
                                            uint64_t max_message_bytes) {
  v1::CollectRequest request;
  request.set_fragment_length(length);
  request.set_max_fragments(fragments);
  request.set_policy_seed(kSeed);
  request.set_max_message_bytes(max_message_bytes);
  const auto rollout = Start(request);
  EXPECT_TRUE(rollout.ok()) << rollout.status();
  std::vector<v1::Fragment> collected;
  while (rollout.ok()) {
    const auto fragment = (*rollout)->Next(absl::Now() + kPatience);
    if (!fragment.ok()) {
      EXPECT_EQ(fragment.status().code(), absl::StatusCode::kOutOfRange) << fragment.status();
      break;
    }
    if (*fragment == nullptr) {
      ADD_FAILURE() << "no fragment is complete after " << kPatience;
      break;
    }
    collected.push_back((*fragment)->fragment());
    (*rollout)->Release();
  }
  return collected;
}

}  // namespace hivewire
