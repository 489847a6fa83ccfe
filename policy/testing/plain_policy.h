// A v1::Policy evaluated by the book: one row at a time, in float64, without a library. What an
// export means is compared with it.
//
// For policies of a learner's own: nothing is checked.
#ifndef HIVEWIRE_POLICY_TESTING_PLAIN_POLICY_H_
#define HIVEWIRE_POLICY_TESTING_PLAIN_POLICY_H_

#include <vector>

#include "absl/types/span.h"
#include "hivewire/v1/policy.pb.h"

namespace hivewire {

// The observation as the networks get it.
std::vector<double> NormalizedByHand(const v1::Policy& policy, absl::Span<const float> observation);

// Means of a Gaussian head, logits of a categorical one.
std::vector<double> ActorByHand(const v1::Policy& policy, absl::Span<const double> normalized);

double ValueByHand(const v1::Policy& policy, absl::Span<const double> normalized);

// Of an action of a Gaussian head; of the choice action[0], from 0, of a categorical one.
double LogProbByHand(const v1::Policy& policy, absl::Span<const double> outputs,
                     absl::Span<const float> action);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_TESTING_PLAIN_POLICY_H_
