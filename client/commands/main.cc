// hivectl: looks after env servers from the command line.
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "base/grpc_tuning.h"
#include "client/commands/hivectl.h"

namespace {

std::atomic<bool> interrupted{false};

}  // namespace

int main(int argc, char** argv) {
  hivewire::TuneGrpcClient();
  // The first signal asks the command to clean up, the second one ends it.
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted.store(true); };
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);

  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const absl::Status status = hivewire::RunHivectl(arguments, std::cout, interrupted);
  if (status.ok()) return 0;
  std::fprintf(stderr, "hivectl: %s\n", std::string(status.message()).c_str());
  return interrupted.load() ? 130 : 1;
}
