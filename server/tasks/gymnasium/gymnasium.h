// Gymnasium's MuJoCo suite, bit-equal to gymnasium 1.4.0 on the same MuJoCo: the same seed starts
// the same episode, and equal actions give equal observations to the last bit.
//
// Options are the original's constructor arguments; v4 takes xml_file and frame_skip too. Left out
// is what concerns pictures only (render mode, size, camera), which is said when an image is asked
// for.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_GYMNASIUM_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_GYMNASIUM_H_

#include "absl/status/status.h"
#include "server/tasks/registry.h"

namespace hivewire {

// Adds the suite's classes and ids.
absl::Status RegisterGymnasium(Registry& registry);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_GYMNASIUM_H_
