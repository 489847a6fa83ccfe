// Running moments of what all ranks saw.
//
// Every rank makes the same calls (see ranks.h) and ends with the same bits.
#ifndef HIVEWIRE_POLICY_RANKS_MOMENTS_H_
#define HIVEWIRE_POLICY_RANKS_MOMENTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "policy/normalizer.h"
#include "policy/ranks/ranks.h"

namespace hivewire {

// Takes what each rank saw since the last time, `added`, into `moments`, which is the same on all
// ranks: nothing that was taken in before counts twice.
absl::Status MergeOverRanks(Ranks& ranks, const RunningMoments& added, RunningMoments& moments);

// moments.Update(rows, mask) with the rows of all ranks; `ranks` null: with these alone.
absl::Status UpdateOverRanks(Ranks* ranks, absl::Span<const float> rows,
                             absl::Span<const uint8_t> mask, RunningMoments& moments);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RANKS_MOMENTS_H_
