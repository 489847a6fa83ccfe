#include "tests/bench/round_trip.h"

#include <utility>

#include "absl/time/clock.h"
#include "client/action_sampler.h"
#include "client/stepping.h"

namespace hivewire {
namespace {

constexpr int kActions = 256;

}  // namespace

absl::StatusOr<std::unique_ptr<RoundTrip>> RoundTrip::Make(VectorEnvOptions options,
                                                           const CarrierFactory& factory,
                                                           uint64_t seed) {
  std::unique_ptr<RoundTrip> made(new RoundTrip);
  options.num_envs = 1;
  auto env = VectorEnv::Make(options, CountingCarriers(factory, made->counts_));
  if (!env.ok()) return env.status();
  made->env_ = *std::move(env);
  ActionSampler sampler(ActionSampler::Kind::kRandom, made->env_->spec(),
                        made->env_->action_leaves(), seed);
  made->actions_ = SampleActions(sampler, *made->env_, kActions);
  const absl::Status status = made->env_->Reset(seed, made->result_);
  if (!status.ok()) return status;
  return made;
}

absl::Status RoundTrip::Run(int steps, bool keep) {
  for (int k = 0; k < steps; ++k) {
    const std::string& actions = actions_[step_++ % actions_.size()];
    const absl::Time begin = absl::Now();
    const absl::Status status =
        env_->Step(absl::MakeConstSpan(actions.data(), actions.size()), result_);
    const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    if (!status.ok()) return status;
    if (!keep) continue;
    total_.push_back(seconds);
    net_.push_back(seconds - counts_.last_step_seconds);
  }
  return absl::OkStatus();
}

}  // namespace hivewire
