// env_server: hosts pools of environments for clients on this machine and others.
#include "server/rpc/env_server.h"

#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/default_socket.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "base/version.h"
#include "server/tasks/registry.h"

ABSL_FLAG(std::string, listen, "",
          "Comma-separated addresses, unix:/path or tcp:host:port (port 0: any free one). Default: "
          "a Unix socket of this user's own.");
ABSL_FLAG(std::string, ready_file, "",
          "Written once the server serves: one address a line, ports filled in.");
ABSL_FLAG(std::vector<std::string>, asset_root, {},
          "Folders with env files (*.textproto) of your own; comma-separated.");
ABSL_FLAG(int, num_workers, 0, "Threads that step envs; 0 for one a CPU.");
ABSL_FLAG(uint64_t, max_lanes, 65536, "Most lanes over all pools.");
ABSL_FLAG(uint64_t, max_lanes_per_client, 0,
          "Most lanes over the pools of one client, by the name that it gives; 0 for --max_lanes.");
ABSL_FLAG(uint64_t, max_message_bytes, 64 << 20, "Most bytes of one message.");
ABSL_FLAG(absl::Duration, lease_ttl, absl::Seconds(60),
          "How long a pool outlives its client, where the client does not say.");
ABSL_FLAG(absl::Duration, step_timeout, absl::Seconds(60),
          "How long a step may take, where the client does not say; then its lane fails.");
ABSL_FLAG(absl::Duration, drain_grace, absl::Seconds(30),
          "How long clients may take to leave after SIGTERM.");
ABSL_FLAG(std::string, tls_cert, "", "PEM file: the server's certificate (chain).");
ABSL_FLAG(std::string, tls_key, "", "PEM file: the certificate's key.");
ABSL_FLAG(std::string, tls_client_ca, "",
          "PEM file: clients must show a certificate that this CA signed.");
ABSL_FLAG(std::string, token_file, "",
          "File whose first line is the bearer token that every call must carry.");
ABSL_FLAG(bool, insecure, false, "Allow plain TCP beyond loopback.");
ABSL_FLAG(bool, reflection, true, "Offer gRPC server reflection.");
ABSL_FLAG(std::string, op_log, "",
          "For debugging: a file that gets a line for every operation that runs.");
ABSL_FLAG(bool, allow_rollouts, false,
          "Run policies that clients publish, on the workers (see docs/operations.md).");
ABSL_FLAG(uint64_t, max_policy_bytes, 16 << 20, "Most bytes of one policy.");
ABSL_FLAG(absl::Duration, max_policy_evaluation, absl::Milliseconds(10),
          "Longest evaluation of a policy, for eight lanes at once; slower ones are refused.");
ABSL_FLAG(bool, render, true, "Offer rendering, where the machine has EGL or OSMesa.");

namespace hivewire {
namespace {

absl::StatusOr<EnvServerOptions> OptionsFromFlags() {
  EnvServerOptions options;
  std::string listen = absl::GetFlag(FLAGS_listen);
  if (listen.empty()) listen = absl::StrCat("unix:", DefaultSocketPath());
  auto addresses = ParseListenAddresses(listen);
  if (!addresses.ok()) return addresses.status();
  options.listen = *std::move(addresses);
  options.security.tls_cert = absl::GetFlag(FLAGS_tls_cert);
  options.security.tls_key = absl::GetFlag(FLAGS_tls_key);
  options.security.tls_client_ca = absl::GetFlag(FLAGS_tls_client_ca);
  options.security.token_file = absl::GetFlag(FLAGS_token_file);
  options.security.insecure = absl::GetFlag(FLAGS_insecure);
  options.limits.max_lanes = absl::GetFlag(FLAGS_max_lanes);
  if (const uint64_t most = absl::GetFlag(FLAGS_max_lanes_per_client); most > 0)
    options.limits.max_lanes_per_client = most;
  options.limits.max_message_bytes = absl::GetFlag(FLAGS_max_message_bytes);
  options.limits.default_lease_ttl = absl::GetFlag(FLAGS_lease_ttl);
  options.limits.default_step_timeout = absl::GetFlag(FLAGS_step_timeout);
  options.rollouts.allow = absl::GetFlag(FLAGS_allow_rollouts);
  options.rollouts.max_policy_bytes = absl::GetFlag(FLAGS_max_policy_bytes);
  options.rollouts.max_evaluation = absl::GetFlag(FLAGS_max_policy_evaluation);
  options.num_workers = absl::GetFlag(FLAGS_num_workers);
  options.render = absl::GetFlag(FLAGS_render);
  options.reflection = absl::GetFlag(FLAGS_reflection);
  options.drain_grace = absl::GetFlag(FLAGS_drain_grace);
  options.op_log = absl::GetFlag(FLAGS_op_log);
  if (options.num_workers < 0 || options.num_workers > 4096) {
    return absl::InvalidArgumentError(
        absl::StrCat("--num_workers: ", options.num_workers, " is not 0 (one a CPU) … 4096"));
  }
  if (options.limits.default_step_timeout < absl::Milliseconds(1) ||
      options.limits.default_step_timeout > options.limits.max_step_timeout) {
    return absl::InvalidArgumentError(
        absl::StrCat("--step_timeout: ", absl::FormatDuration(options.limits.default_step_timeout),
                     " is not 1ms … ", absl::FormatDuration(options.limits.max_step_timeout)));
  }
  if (options.limits.max_message_bytes < 65536) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--max_message_bytes: ", options.limits.max_message_bytes, " is less than 65536"));
  }
  return options;
}

// All at once, so that nobody reads half of it.
absl::Status WriteReadyFile(const std::string& path, const std::vector<std::string>& addresses) {
  const std::string temporary = absl::StrCat(path, ".", getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "we");
  bool good = file != nullptr;
  if (good) {
    good = std::fputs(absl::StrCat(absl::StrJoin(addresses, "\n"), "\n").c_str(), file) >= 0;
    good = std::fclose(file) == 0 && good;
  }
  good = good && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (good) return absl::OkStatus();
  const absl::Status status = absl::FailedPreconditionError(
      absl::StrCat("--ready_file: cannot write ", path, ": ", std::strerror(errno)));
  std::remove(temporary.c_str());
  return status;
}

// Drains at the first SIGINT or SIGTERM; the second one ends the process at once.
void WaitForSignals(EnvServer& server, const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("{}: draining for at most {} (a second signal ends it at once)", strsignal(signal),
               absl::FormatDuration(absl::GetFlag(FLAGS_drain_grace)));
  std::thread impatient([signals] {
    int second = 0;
    sigwait(&signals, &second);
    spdlog::warn("{}: gone", strsignal(second));
    _exit(1);
  });
  impatient.detach();  // ends with the process
  server.Drain();
  server.Shutdown();
  spdlog::info("stopped");
}

absl::Status Main() {
  spdlog::set_default_logger(spdlog::stderr_color_mt("env_server"));
  spdlog::set_pattern("[%Y-%m-%d %H:%M:%S.%e] [%^%l%$] %v");
  // Before any thread is made, so that all of them inherit it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  const absl::StatusOr<EnvServerOptions> options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  absl::StatusOr<Registry> registry = Registry::Builtin();
  if (!registry.ok()) return registry.status();
  for (const std::string& root : absl::GetFlag(FLAGS_asset_root)) {
    const absl::Status status = registry->AddAssetRoot(root);
    if (!status.ok()) return status;
  }
  const auto server = EnvServer::Start(*registry, *options);
  if (!server.ok()) return server.status();
  spdlog::info("env_server {} listens on {}", std::string(kVersion),
               absl::StrJoin((*server)->addresses(), ", "));
  if (const std::string path = absl::GetFlag(FLAGS_ready_file); !path.empty()) {
    const absl::Status status = WriteReadyFile(path, (*server)->addresses());
    if (!status.ok()) return status;
  }
  WaitForSignals(**server, signals);
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpc();
  absl::SetProgramUsageMessage(
      "env_server: hosts pools of environments.\n\n  env_server                                  "
      "on a Unix socket of this user's own\n"
      "  env_server --listen=tcp:127.0.0.1:7777      on loopback, open to every user of the "
      "machine");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    std::fprintf(stderr, "env_server: what is \"%s\"? Options begin with --; see --help.\n",
                 rest[1]);
    return 1;
  }
  return hivewire::ExitStatus("env_server", hivewire::Main());
}
