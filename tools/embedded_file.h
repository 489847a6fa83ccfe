// A file that was built into the program. See embed_data in tools/embed.bzl, whose generated
// function returns a span of these.
#ifndef HIVEWIRE_TOOLS_EMBEDDED_FILE_H_
#define HIVEWIRE_TOOLS_EMBEDDED_FILE_H_

#include <string_view>

namespace hivewire {

// Both views live as long as the program.
struct EmbeddedFile {
  std::string_view name;
  std::string_view content;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TOOLS_EMBEDDED_FILE_H_
