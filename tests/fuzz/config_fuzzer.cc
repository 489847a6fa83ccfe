// A file of envs that an operator wrote, and the options that a client gives to what is in it.
#include <cstdint>
#include <set>
#include <string>

#include "server/tasks/registry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hivewire;
  Registry registry = *Registry::Builtin();
  std::set<std::string> known;
  for (const v1::EnvEntry* entry : registry.entries()) known.insert(entry->id());
  const std::string text(reinterpret_cast<const char*>(data), size);
  registry.AddFile("fuzz.textproto", text).IgnoreError();
  for (const v1::EnvEntry* entry : registry.entries()) {
    if (known.contains(entry->id())) continue;
    registry.Make(entry->id(), {}).status().IgnoreError();
    registry.Make(entry->id(), Options(entry->options().begin(), entry->options().end()))
        .status()
        .IgnoreError();
  }
  return 0;
}
