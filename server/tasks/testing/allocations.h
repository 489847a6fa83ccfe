// Counts what a test program allocates with `new`. Link it to have its operators.
#ifndef HIVEWIRE_SERVER_TASKS_TESTING_ALLOCATIONS_H_
#define HIVEWIRE_SERVER_TASKS_TESTING_ALLOCATIONS_H_

#include <cstdint>

namespace hivewire {

// Since the program's start, by all threads. Over-aligned memory is not counted.
int64_t AllocationCount();

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_TESTING_ALLOCATIONS_H_
