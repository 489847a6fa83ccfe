// An env server with one env, Sleep-v0, whose step sleeps instead of computing: what remains is
// what the wire costs. Its observation and action are as large as Ant's.
//
// Takes --listen, --ready_file, --num_workers and --sleep_us; ends by a signal.
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/time/clock.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "server/rpc/env_server.h"
#include "server/rpc/listen_address.h"
#include "server/tasks/registry.h"
#include "server/tasks/task.h"

ABSL_FLAG(std::string, listen, "", "Comma-separated addresses.");
ABSL_FLAG(std::string, ready_file, "", "Written once the server serves: one address a line.");
ABSL_FLAG(int, num_workers, 2, "Threads that step envs.");
ABSL_FLAG(int, sleep_us, 100, "Of one lane's step.");

namespace hivewire {
namespace {

constexpr uint64_t kObservation = 105;
constexpr uint64_t kAction = 8;

class SleepTask final : public Task {
 public:
  explicit SleepTask(absl::Duration sleep) : sleep_(sleep) {
    spec_.set_id("Sleep-v0");
    spec_.set_engine("none");
    v1::LeafSpec& observation = *spec_.add_observation();
    observation.set_name("observation");
    observation.set_dtype(v1::DTYPE_FLOAT64);
    observation.add_shape(kObservation);
    v1::LeafSpec& action = *spec_.add_action();
    action.set_name("action");
    action.set_dtype(v1::DTYPE_FLOAT32);
    action.add_shape(kAction);
    for (uint64_t k = 0; k < kAction; ++k) {
      action.add_low(-1);
      action.add_high(1);
    }
  }

  const v1::EnvSpec& spec() const override { return spec_; }
  absl::Status Reset(TaskContext&, const Options&, LeafPointers) const override {
    return absl::OkStatus();
  }
  void Act(TaskContext&, const Action&) const override { absl::SleepFor(sleep_); }
  Outcome Evaluate(TaskContext&, const Action&, LeafPointers) const override { return {}; }
  void Observe(TaskContext&, LeafPointers observation) const override {
    if (observation[0] != nullptr) std::fill_n(observation[0], kObservation, 0.0);
  }

 private:
  const absl::Duration sleep_;
  v1::EnvSpec spec_;
};

absl::Status Serve() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Registry registry;
  const auto task =
      std::make_shared<const SleepTask>(absl::Microseconds(absl::GetFlag(FLAGS_sleep_us)));
  TaskClass task_class;
  task_class.name = "bench.Sleep";
  task_class.make = [task](const v1::EnvEntry&, const Options&) { return task; };
  absl::Status status = registry.AddClass(std::move(task_class));
  if (!status.ok()) return status;
  v1::EnvEntry entry;
  entry.set_id("Sleep-v0");
  entry.set_task("bench.Sleep");
  status = registry.AddEntry(entry);
  if (!status.ok()) return status;

  EnvServerOptions options;
  auto addresses = ParseListenAddresses(absl::GetFlag(FLAGS_listen));
  if (!addresses.ok()) return addresses.status();
  options.listen = *std::move(addresses);
  options.num_workers = absl::GetFlag(FLAGS_num_workers);
  options.render = false;
  const auto server = EnvServer::Start(registry, options);
  if (!server.ok()) return server.status();
  const std::string ready = absl::GetFlag(FLAGS_ready_file);
  std::ofstream out(ready + ".new");
  for (const std::string& address : (*server)->addresses()) out << address << '\n';
  out.close();
  if (!out || std::rename((ready + ".new").c_str(), ready.c_str()) != 0)
    return absl::UnavailableError("cannot write " + ready);
  int signal = 0;
  sigwait(&signals, &signal);
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpc();
  absl::ParseCommandLine(argc, argv);
  return hivewire::ExitStatus("sleeping_server", hivewire::Serve());
}
