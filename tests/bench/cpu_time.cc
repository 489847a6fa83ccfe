#include "tests/bench/cpu_time.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "server/pool/workers.h"

namespace hivewire {

double CpuSecondsBesideWorkers(pid_t pid) {
  std::error_code error;
  double nanoseconds = 0;
  bool found = false;
  for (const auto& thread :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"), error)) {
    std::string name;
    double running = 0;
    std::ifstream(thread.path() / "comm") >> name;
    if (name == kWorkerThreadName) continue;
    // A thread may end while we look.
    if (!(std::ifstream(thread.path() / "schedstat") >> running)) continue;
    nanoseconds += running;
    found = true;
  }
  return found ? nanoseconds * 1e-9 : std::nan("");
}

}  // namespace hivewire
