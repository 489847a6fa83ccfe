#include <unistd.h>

#include <memory>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "client/session_ticket.h"
#include "tests/faults/child.h"
#include "tests/faults/kill_matrix.h"
#include "tests/faults/proxy.h"
#include "tests/faults/stepper.h"

namespace hivewire {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(120);
constexpr uint64_t kMoreOperations = 200;

struct Stepper {
  const KillOptions& options;
  std::string server;
  std::string ticket = absl::StrCat(options.folder, "/ticket");
  std::string journal = absl::StrCat(options.folder, "/journal");
  std::string log = absl::StrCat(options.folder, "/client.log");

  absl::StatusOr<std::unique_ptr<Child>> Start(uint64_t until) const {
    return Child::Start({options.self, "--stepper", absl::StrCat("--server=", server),
                         absl::StrCat("--ticket=", ticket), absl::StrCat("--journal=", journal),
                         absl::StrCat("--until=", until)},
                        log);
  }

  absl::Status Failed(absl::string_view what) const {
    return absl::InternalError(
        absl::StrCat("the client ", what, ": ", ReadFile(log).value_or("no log")));
  }

  // Starts the first client, and waits until it has its pool and a result.
  absl::StatusOr<std::unique_ptr<Child>> Begin() const {
    auto child = Start(UINT64_MAX);
    const absl::Time deadline = absl::Now() + kPatience;
    while (child.ok() && ReadFile(journal).value_or("").empty()) {
      if (!(*child)->Running()) return Failed("ended");
      if (absl::Now() > deadline) return Failed("gets nowhere");
      absl::SleepFor(absl::Milliseconds(2));
    }
    return child;
  }
};

// Lets a last client go on a little, and compares all that was done and seen with what one
// undisturbed client does and sees.
absl::StatusOr<std::string> Check(const Stepper& disturbed, const std::string& server,
                                  const std::string& op_log, const std::string& what) {
  auto journal = ReadJournal(disturbed.journal);
  if (!journal.ok()) return journal.status();
  uint64_t until = kMoreOperations;
  for (const auto& [place, hash] : *journal) {
    until = std::max(until, place.second + kMoreOperations);
  }
  auto last = disturbed.Start(until);
  if (!last.ok()) return last.status();
  if ((*last)->Wait(absl::Now() + kPatience) != 0) return disturbed.Failed("did not end well");
  journal = ReadJournal(disturbed.journal);
  if (!journal.ok()) return journal.status();

  const auto ticket = LoadTicket(disturbed.ticket);
  if (!ticket.ok()) return ticket.status();
  const auto ran = CheckOperationLog(op_log, ticket->pools(0).pool_id());
  if (!ran.ok()) return ran.status();
  if (*ran != until * kStepperLanes || journal->size() != *ran) {
    return absl::DataLossError(absl::StrCat(*ran, " operations ran and ", journal->size(),
                                            " results were seen of ", until * kStepperLanes));
  }
  const std::string reference = absl::StrCat(disturbed.options.folder, "/reference");
  const absl::Status status = RunStepper({server, reference, reference + ".journal", until});
  if (!status.ok()) return status;
  const auto expected = ReadJournal(reference + ".journal");
  if (!expected.ok()) return expected.status();
  if (*expected != *journal)
    return absl::DataLossError("the results are not those of an undisturbed client");
  return absl::StrFormat("%s; %d operations asked for, %d ran, 0 lost, 0 doubled, results equal",
                         what, until * kStepperLanes, *ran);
}

}  // namespace

absl::StatusOr<std::string> KillClients(const KillOptions& options) {
  std::mt19937 random(options.seed);
  const std::string op_log = absl::StrCat(options.folder, "/operations");
  ServerChild server(options.env_server, options.folder,
                     absl::StrCat("unix:", options.folder, "/socket"),
                     {absl::StrCat("--op_log=", op_log)});
  const absl::Status serving = server.Start();
  if (!serving.ok()) return serving;
  const Stepper stepper{options, server.address()};
  auto child = stepper.Begin();
  for (int kill = 0; kill < options.kills; ++kill) {
    if (!child.ok()) return child.status();
    absl::SleepFor(absl::Microseconds(std::uniform_int_distribution<int>(0, 150000)(random)));
    if (!(*child)->Running()) return stepper.Failed("ended by itself");
    (*child)->Kill();
    child = stepper.Start(UINT64_MAX);
  }
  if (!child.ok()) return child.status();
  (*child)->Kill();
  return Check(stepper, server.address(), op_log, absl::StrCat(options.kills, " kills"));
}

absl::StatusOr<std::string> CutConnections(const KillOptions& options) {
  std::mt19937 random(options.seed);
  const std::string op_log = absl::StrCat(options.folder, "/operations");
  ServerChild server(options.env_server, options.folder, "tcp:127.0.0.1:0",
                     {absl::StrCat("--op_log=", op_log)});
  const absl::Status serving = server.Start();
  if (!serving.ok()) return serving;
  const auto proxy = CuttingProxy::Start(server.address());
  if (!proxy.ok()) return proxy.status();
  const Stepper stepper{options, (*proxy)->address()};
  auto child = stepper.Begin();
  if (!child.ok()) return child.status();
  const absl::Time deadline = absl::Now() + kPatience;
  while ((*proxy)->cuts() < options.kills) {
    const int cuts = (*proxy)->cuts();
    (*proxy)->CutAfter(std::uniform_int_distribution<int>(1, 200000)(random));
    while ((*proxy)->cuts() == cuts) {
      if (!(*child)->Running()) return stepper.Failed("ended by itself");
      if (absl::Now() > deadline) return stepper.Failed("gets nowhere");
      absl::SleepFor(absl::Milliseconds(1));
    }
  }
  (*child)->Kill();
  return Check(stepper, server.address(), op_log, absl::StrCat((*proxy)->cuts(), " cuts"));
}

}  // namespace hivewire
