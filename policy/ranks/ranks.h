// Several learners, each a process with lanes of its own, that learn one policy together: a rank is
// one of them. Weights are the same on all; gradients, and what normalisers saw, are brought
// together.
//
// Every rank makes the same calls in the same order: each waits for the others. Once one is lost,
// every call fails with UNAVAILABLE. One thread at a time.
#ifndef HIVEWIRE_POLICY_RANKS_RANKS_H_
#define HIVEWIRE_POLICY_RANKS_RANKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hivewire {

class Ranks {
 public:
  virtual ~Ranks() = default;

  // 0 … size() − 1. Rank 0 writes the run's files.
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Each element's sum over the ranks, in place; the same bits on all of them.
  virtual absl::Status Sum(absl::Span<float> values) = 0;
  // What every rank has, one after the other; all give as many numbers.
  virtual absl::StatusOr<std::vector<double>> Share(absl::Span<const double> own) = 0;
  // The same of any bytes.
  virtual absl::StatusOr<std::vector<std::string>> Share(const std::string& own) = 0;

  // Whether a rank was lost.
  virtual bool broken() const = 0;
  // Then: whether rank 0 is still to be reached.
  virtual bool RankZeroIsThere() = 0;
};

// Ends what all ranks did, each on its own: the sum of what they counted or, where one failed, an
// error on all of them: a rank's own, or the first other one's, naming the rank.
absl::StatusOr<int64_t> Agree(Ranks& ranks, const absl::StatusOr<int64_t>& own);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RANKS_RANKS_H_
