// hivectl: looks after env servers from the command line.
#include <signal.h>

#include <atomic>
#include <iostream>
#include <string>
#include <vector>

#include "base/exit_status.h"
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
  const int exit_status = hivewire::ExitStatus("hivectl", status);
  return exit_status != 0 && interrupted.load() ? 130 : exit_status;
}
