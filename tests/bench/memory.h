// What a lane costs a server.
#ifndef HIVEWIRE_TESTS_BENCH_MEMORY_H_
#define HIVEWIRE_TESTS_BENCH_MEMORY_H_

#include "absl/status/statusor.h"
#include "client/vector_env.h"

namespace hivewire {

// Bytes by which the server's resident memory grows for each of many lanes, each reset once.
absl::StatusOr<double> MemoryPerLane(VectorEnvOptions options);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_MEMORY_H_
