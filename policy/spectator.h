// A Spectator is told of everything that happens in an evaluation: what is filmed and what is kept
// of it are kinds of it.
//
// One thread at a time. An error ends the evaluation.
#ifndef HIVEWIRE_POLICY_SPECTATOR_H_
#define HIVEWIRE_POLICY_SPECTATOR_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/vector_env.h"

namespace hivewire {

class Spectator {
 public:
  virtual ~Spectator() = default;

  // Every lane stands at the start of an episode.
  virtual absl::Status Start(const StepResult& result) = 0;
  // Row k of `actions` is what lane result.env_ids[k] was sent, row k of `result` what came of it.
  // Episodes restart as AutoresetMode NEXT_STEP has it.
  virtual absl::Status Step(absl::Span<const char> actions, const StepResult& result) = 0;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_SPECTATOR_H_
