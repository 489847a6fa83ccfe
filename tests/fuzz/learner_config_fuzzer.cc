// A learner's config file, and after it the values of --set: whatever follows each byte of value 1.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/textproto.h"
#include "policy/config/config.h"
#include "policy/config/merge.h"
#include "policy/config/overrides.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hivewire;
  const std::string input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> parts = absl::StrSplit(input, '\x01');
  v1::LearnerConfig file;
  if (!TextprotoFile::Parse("fuzz.textproto", parts.front(), file).ok()) file.Clear();
  v1::LearnerConfig config;
  MergeConfig(file, config);
  for (size_t k = 1; k < parts.size(); ++k) {
    const std::string before = config.ShortDebugString();
    // A value that is refused leaves the config as it was.
    if (!ApplyOverride(parts[k], config).ok() && config.ShortDebugString() != before) abort();
  }
  ValidateConfig(WithDefaults(config)).IgnoreError();
  return 0;
}
