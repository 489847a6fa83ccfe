// A published policy where a collector runs it: on the CPU (policy/portable), or on a device of the
// collector's own (policy/nn/device_policy.h).
//
// Once made, it is used by one thread.
#ifndef HIVEWIRE_POLICY_ACTING_POLICY_H_
#define HIVEWIRE_POLICY_ACTING_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/portable/portable_policy.h"

namespace hivewire {

class ActingPolicy {
 public:
  virtual ~ActingPolicy() = default;

  virtual const PortablePolicy& portable() const = 0;
  // A sample for each of draws.size() rows of scratch.observations, as PortablePolicy::Act.
  virtual absl::Status Act(absl::Span<const Draw> draws, PolicyScratch& scratch) const = 0;
};

// Makes one of what a learner published.
using PolicyMaker =
    std::function<absl::StatusOr<std::shared_ptr<const ActingPolicy>>(const v1::Policy& policy)>;

// On the CPU: results are the same bits wherever it runs, and whatever rows are beside a row.
absl::StatusOr<std::shared_ptr<const ActingPolicy>> MakeCpuPolicy(const v1::Policy& policy);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_ACTING_POLICY_H_
