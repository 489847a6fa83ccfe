// Steps a VectorEnv as fast as it goes, with several groups of lanes in flight, and times it: the
// inner loop of benches.
#ifndef HIVEWIRE_CLIENT_STEPPING_H_
#define HIVEWIRE_CLIENT_STEPPING_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/action_sampler.h"
#include "client/vector_env.h"

namespace hivewire {

// Actions for `steps` steps of all lanes of `env`, each in the form that VectorEnv::Step takes.
std::vector<std::string> SampleActions(ActionSampler& sampler, const VectorEnv& env, int steps);

// Steps the lanes of one VectorEnv in groups: while one group's results are on their way, the other
// groups run.
//
// Holds the env for as long as it lives. One thread at a time.
class GroupStepper {
 public:
  // `actions` as from SampleActions; a step beyond them begins again with the first.
  GroupStepper(VectorEnv& env, int num_groups, const std::vector<std::string>& actions);

  // Steps every group `steps` times, or until `deadline` if that is sooner, and returns with
  // nothing in flight. Gives the number of lane steps done. Groups take the actions from the first
  // on in each call.
  absl::StatusOr<int64_t> Run(int64_t steps, absl::Time deadline = absl::InfiniteFuture());

 private:
  struct Group {
    std::vector<uint32_t> lanes;
    std::vector<std::string> actions;  // by step
    int64_t steps = 0;
  };

  absl::Status Send(Group& group);

  VectorEnv& env_;
  std::vector<Group> groups_;
  std::vector<Group*> group_of_lane_;
  StepResult result_;
};

// Seconds that each of `steps` steps of all lanes takes, one after the other.
absl::StatusOr<std::vector<double>> TimeSteps(VectorEnv& env,
                                              const std::vector<std::string>& actions, int steps);

// The value that `fraction` of `values` do not exceed; they may stand in any order, and there must
// be one.
double Quantile(std::vector<double> values, double fraction);
inline double Median(std::vector<double> values) { return Quantile(std::move(values), 0.5); }

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_STEPPING_H_
