// CPU time of processes, leaving out the threads that step envs.
#ifndef HIVEWIRE_TESTS_BENCH_CPU_TIME_H_
#define HIVEWIRE_TESTS_BENCH_CPU_TIME_H_

#include <sys/types.h>

namespace hivewire {

// Seconds that the threads of `pid` have run, without the workers of a pool (which are told by
// their name). NaN where the kernel does not say.
double CpuSecondsBesideWorkers(pid_t pid);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_CPU_TIME_H_
