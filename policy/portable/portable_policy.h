// A published policy, ready to act: normaliser, actor, head and critic of a v1::Policy, in float32,
// without a learning framework.
//
// Immutable once made, so that any thread may use it, each with a PolicyScratch of its own. A row's
// result is a function of its observation, its memory and its Draw alone: neither the rows beside
// it nor the number of threads make a difference.
//
// Failure: Create refuses what is wrong, and says what. Act cannot fail; a policy that gives
// numbers that are not finite is found by AllFinite.
#ifndef HIVEWIRE_POLICY_PORTABLE_PORTABLE_POLICY_H_
#define HIVEWIRE_POLICY_PORTABLE_PORTABLE_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hivewire/v1/policy.pb.h"
#include "policy/portable/head.h"
#include "policy/portable/network.h"
#include "policy/portable/recurrent_cell.h"

namespace hivewire {

// What a row's random numbers are a function of.
struct Draw {
  uint64_t seed = 0;
  uint32_t lane = 0;
  uint64_t step = 0;
};

// Where a policy is evaluated: inputs, results and what lies between. It grows with the first
// evaluations, then no memory is allocated.
struct PolicyScratch {
  std::vector<float> observations;  // (rows, observation_dim); given, then normalised in place
  std::vector<double> chosen;       // (rows, action_dim), what log_probs are of
  std::vector<double> sent;         // (rows, action_dim), what the env gets
  std::vector<float> log_probs;     // (rows)
  std::vector<float> values;        // (rows); untouched without a critic
  // (rows, memory_width), what is remembered before the step; given, then replaced by what is
  // after.
  std::vector<float> memory;
  Network::Scratch network;
  RecurrentCell::Scratch recurrent;
};

class PortablePolicy {
 public:
  // BAD_POLICY or LIMIT, naming the field, the value and what is accepted.
  static absl::StatusOr<std::shared_ptr<const PortablePolicy>> Create(
      const v1::Policy& policy, const NetworkLimits& limits = {});

  uint64_t version() const { return version_; }
  // Leaves that an observation is put together from, in this order.
  const std::vector<std::string>& observation_leaves() const { return observation_leaves_; }
  const google::protobuf::RepeatedPtrField<v1::LeafSpec>& action() const { return action_; }
  size_t observation_dim() const { return actor_.inputs(); }
  size_t action_dim() const { return head_.dim(); }
  bool has_critic() const { return !critic_.empty(); }
  // Elements of what is remembered of a lane, all 0 where an episode starts; 0 for none.
  size_t memory_width() const { return recurrent_.memory_width(); }

  // Makes room for `rows` rows.
  void Reserve(size_t rows, PolicyScratch& scratch) const;

  // Chooses an action for each of draws.size() rows of scratch.observations, and values them.
  void Act(absl::Span<const Draw> draws, bool deterministic, PolicyScratch& scratch) const;
  // The same where somebody else evaluated normaliser and actor: row k of its outputs begins at
  // outputs + k * stride. Values nothing.
  void Choose(absl::Span<const Draw> draws, bool deterministic, const float* outputs, size_t stride,
              PolicyScratch& scratch) const;
  // Values rows of scratch.observations; there must be a critic.
  void Value(size_t rows, PolicyScratch& scratch) const;

  // Whether all that Act gave for this row is finite.
  bool AllFinite(size_t row, const PolicyScratch& scratch) const;

 private:
  PortablePolicy() = default;

  absl::Status SetNormalizer(const v1::Normalizer& normalizer);
  void Normalize(size_t rows, float* observations) const;
  void ValueNormalized(size_t rows, PolicyScratch& scratch) const;

  uint64_t version_ = 0;
  std::vector<std::string> observation_leaves_;
  google::protobuf::RepeatedPtrField<v1::LeafSpec> action_;
  // (observation_dim), or empty: x' = clip((x − shift) · scale)
  std::vector<float> shift_, scale_;
  float clip_ = 0;  // 0 for none
  Network actor_, critic_;
  // Where it remembers.
  RecurrentCell recurrent_;
  Network after_recurrent_;
  Head head_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_PORTABLE_PORTABLE_POLICY_H_
