// A carrier that counts what another one carries.
#ifndef HIVEWIRE_TESTS_BENCH_COUNTING_CARRIER_H_
#define HIVEWIRE_TESTS_BENCH_COUNTING_CARRIER_H_

#include <cstdint>

#include "client/carrier.h"

namespace hivewire {

struct CarrierCounts {
  // Sizes of messages are taken only while this is set: it costs time.
  bool sizes_wanted = false;
  int64_t frames = 0, batches = 0;
  int64_t bytes_up = 0, bytes_down = 0;
  // Of the last batch: what the workers took for it.
  double last_step_seconds = 0;
};

// Carriers of `inner` that write into `counts`, which outlives them; for one VectorEnv over one
// server.
CarrierFactory CountingCarriers(CarrierFactory inner, CarrierCounts& counts);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_COUNTING_CARRIER_H_
