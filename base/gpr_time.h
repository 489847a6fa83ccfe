// Times as gRPC's completion queues take them.
#ifndef HIVEWIRE_BASE_GPR_TIME_H_
#define HIVEWIRE_BASE_GPR_TIME_H_

#include <grpc/support/time.h>

#include "absl/time/time.h"

namespace hivewire {

inline gpr_timespec ToGprTime(absl::Time time) {
  if (time == absl::InfinitePast()) return gpr_inf_past(GPR_CLOCK_REALTIME);
  if (time == absl::InfiniteFuture()) return gpr_inf_future(GPR_CLOCK_REALTIME);
  return gpr_time_from_nanos(absl::ToUnixNanos(time), GPR_CLOCK_REALTIME);
}

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_GPR_TIME_H_
