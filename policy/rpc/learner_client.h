// A collector's side of Training: policies come, fragments go.
//
// A broken connection is mended without a word, for reconnect_timeout: streams are opened again, a
// fragment that was not answered is sent again, and taken once. Where the learner is another
// process by then, or gave the lanes away, calls fail with NOT_FOUND: register anew. UNAVAILABLE:
// nobody answers.
//
// A thread of its own receives policies. Push and the policies may be used from one thread each.
#ifndef HIVEWIRE_POLICY_RPC_LEARNER_CLIENT_H_
#define HIVEWIRE_POLICY_RPC_LEARNER_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/connection.h"
#include "hivewire/v1/policy.pb.h"
#include "hivewire/v1/training.pb.h"
#include "policy/acting_policy.h"
#include "policy/experience.h"

namespace hivewire {

class LearnerClient {
 public:
  using PolicyPointer = std::shared_ptr<const ActingPolicy>;

  // Makes no connection yet. Errors name the option. `maker` makes policies of what comes, in the
  // thread that receives.
  static absl::StatusOr<std::unique_ptr<LearnerClient>> Create(const std::string& address,
                                                               const ConnectionOptions& options,
                                                               PolicyMaker maker);
  ~LearnerClient();
  LearnerClient(const LearnerClient&) = delete;
  LearnerClient& operator=(const LearnerClient&) = delete;

  // One attempt.
  absl::StatusOr<v1::DescribeRunResponse> Describe();
  // Once: joins, and begins to receive policies.
  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request);

  // The newest policy, once there is one after `version`. OUT_OF_RANGE when the run is over,
  // CANCELLED once `stop` says so.
  absl::StatusOr<PolicyPointer> WaitForPolicy(uint64_t version, const std::function<bool()>& stop);
  // Whatever came last; there must have been one.
  PolicyPointer newest() const;

  // Sends a fragment, after the one before was answered; returns whether that one was too old.
  // OUT_OF_RANGE when the run is over.
  absl::StatusOr<bool> Push(const Experience& experience);

 private:
  struct Impl;

  explicit LearnerClient(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RPC_LEARNER_CLIENT_H_
