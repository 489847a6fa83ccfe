// The envs that come with the server, made once a process.
#ifndef HIVEWIRE_TESTS_TESTING_BUILTIN_ENVS_H_
#define HIVEWIRE_TESTS_TESTING_BUILTIN_ENVS_H_

#include "server/tasks/registry.h"

namespace hivewire {

inline const Registry& BuiltinEnvs() {
  static const Registry& registry = *new Registry(Registry::Builtin().value());
  return registry;
}

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_TESTING_BUILTIN_ENVS_H_
