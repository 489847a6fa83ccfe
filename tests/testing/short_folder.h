// A folder of a test's own with a short path: a Unix socket's path has less than 108 characters,
// and a sandbox's temporary folder already has as many. Removed with the object.
#ifndef HIVEWIRE_TESTS_TESTING_SHORT_FOLDER_H_
#define HIVEWIRE_TESTS_TESTING_SHORT_FOLDER_H_

#include <stdio.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace hivewire {

class ShortFolder {
 public:
  ShortFolder() : path_(P_tmpdir "/hw-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) abort();
  }
  ~ShortFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ShortFolder(const ShortFolder&) = delete;
  ShortFolder& operator=(const ShortFolder&) = delete;

  const std::string& path() const { return path_; }
  // "unix:<folder>/<name>".
  std::string Socket(const std::string& name) const { return "unix:" + path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_TESTING_SHORT_FOLDER_H_
