// Kills clients, connections, servers and learners at random moments, and prints a line for each
// row:
//
//   kill_matrix --env_server=… --learner=… --collector=…
//               --clients=100 --cuts=50 --servers=50 --learners=50 --collectors=20
//
// The exit status is 0 only if every row held.
#include "tests/faults/kill_matrix.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/faults/stepper.h"
#include "tests/testing/short_folder.h"

ABSL_FLAG(std::string, env_server, "", "The server's program.");
ABSL_FLAG(std::string, learner, "", "The learner's program.");
ABSL_FLAG(std::string, collector, "", "The collector's program.");
ABSL_FLAG(int, clients, 0, "SIGKILLs of the client.");
ABSL_FLAG(int, cuts, 0, "Cut connections.");
ABSL_FLAG(int, servers, 0, "SIGKILLs of the server in training.");
ABSL_FLAG(int, learners, 0, "SIGKILLs of the learner.");
ABSL_FLAG(int, collectors, 0, "SIGKILLs around a learner with two collectors, of each kind.");
ABSL_FLAG(uint32_t, seed, 1, "Of the moments.");
ABSL_FLAG(bool, stepper, false, "Be the client that is killed.");
ABSL_FLAG(std::string, server, "", "stepper: address.");
ABSL_FLAG(std::string, ticket, "", "stepper: path.");
ABSL_FLAG(std::string, journal, "", "stepper: path.");
ABSL_FLAG(uint64_t, until, UINT64_MAX, "stepper: operations a lane.");

namespace hivewire {
namespace {

int Step() {
  const absl::Status status =
      RunStepper({absl::GetFlag(FLAGS_server), absl::GetFlag(FLAGS_ticket),
                  absl::GetFlag(FLAGS_journal), absl::GetFlag(FLAGS_until)});
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

int RunMatrix() {
  struct Row {
    const char* name;
    int kills;
    absl::StatusOr<std::string> (*run)(const KillOptions& options);
  };
  const std::vector<Row> rows = {
      {"client killed", absl::GetFlag(FLAGS_clients), KillClients},
      {"connection cut", absl::GetFlag(FLAGS_cuts), CutConnections},
      {"server killed, collector", absl::GetFlag(FLAGS_servers), KillServersUnderCollector},
      {"server killed, learner", absl::GetFlag(FLAGS_servers), KillServersUnderLearner},
      {"learner killed", absl::GetFlag(FLAGS_learners), KillLearners},
      {"collector killed", absl::GetFlag(FLAGS_collectors), KillCollectors},
      {"a collector's server killed", absl::GetFlag(FLAGS_collectors), KillServersUnderCollectors},
      {"learner of two killed", absl::GetFlag(FLAGS_collectors), KillLearnersUnderCollectors},
  };
  int failed = 0, passed = 0;
  for (const Row& row : rows) {
    if (row.kills == 0) continue;
    const ShortFolder folder;
    const absl::Time begin = absl::Now();
    const auto line = row.run({std::filesystem::read_symlink("/proc/self/exe").string(),
                               absl::GetFlag(FLAGS_env_server), absl::GetFlag(FLAGS_learner),
                               absl::GetFlag(FLAGS_collector), folder.path(), row.kills,
                               absl::GetFlag(FLAGS_seed)});
    ++(line.ok() ? passed : failed);
    std::printf("%-27s %-6s %s (%.0f s)\n", row.name, line.ok() ? "ok" : "FAILED",
                line.ok() ? line->c_str() : line.status().ToString().c_str(),
                absl::ToDoubleSeconds(absl::Now() - begin));
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  return absl::GetFlag(FLAGS_stepper) ? hivewire::Step() : hivewire::RunMatrix();
}
