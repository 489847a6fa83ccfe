// The two versions of the suite that gymnasium 1.4.0 has, "Ant-v4" and "Ant-v5".
//
// v4 has fewer options, other info leaves and none at a reset, and observes the world body where it
// observes bodies. Its mistakes, which v5 mends, are kept: an unhealthy step that ends an episode
// is rewarded as healthy, and Reacher and Pusher are rewarded for where things were before the
// step.
#ifndef HIVEWIRE_SERVER_TASKS_GYMNASIUM_SUITE_VERSION_H_
#define HIVEWIRE_SERVER_TASKS_GYMNASIUM_SUITE_VERSION_H_

namespace hivewire {

enum class SuiteVersion { kV4, kV5 };

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_GYMNASIUM_SUITE_VERSION_H_
