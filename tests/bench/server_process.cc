#include "tests/bench/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/file.h"

namespace hivewire {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(30);

[[noreturn]] void RunServer(const std::vector<std::string>& command, const std::string& log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int output = open(log.c_str(), O_WRONLY | O_CREAT, 0600);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  unsetenv("GRPC_POLL_STRATEGY");  // TuneGrpcClient's, which is not for servers
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(
    const std::string& program, const std::vector<std::string>& flags) {
  if (access(program.c_str(), X_OK) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("--env_server: cannot run ", program));
  std::string folder = (std::filesystem::temp_directory_path() / "hivewire-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make the folder ", folder));
  const std::string ready_file = absl::StrCat(folder, "/ready");
  const std::string log = absl::StrCat(folder, "/log");
  std::vector<std::string> command = {
      program, absl::StrCat("--listen=unix:", folder, "/socket,tcp:127.0.0.1:0"),
      absl::StrCat("--ready_file=", ready_file)};
  command.insert(command.end(), flags.begin(), flags.end());
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "cannot fork");
  if (pid == 0) RunServer(command, log);
  std::unique_ptr<ServerProcess> server(new ServerProcess(pid, folder));
  const absl::Time deadline = absl::Now() + kStartTimeout;
  while (access(ready_file.c_str(), R_OK) != 0) {
    if (waitpid(pid, nullptr, WNOHANG) != 0 || absl::Now() > deadline) {
      return absl::UnavailableError(
          absl::StrCat(program, " does not serve: ", ReadFile(log).value_or("no log")));
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  const absl::StatusOr<std::string> ready = ReadFile(ready_file);
  if (!ready.ok()) return ready.status();
  for (const absl::string_view address : absl::StrSplit(*ready, '\n')) {
    if (absl::StartsWith(address, "unix:")) server->unix_address_ = std::string(address);
    if (absl::StartsWith(address, "tcp:")) server->tcp_address_ = std::string(address);
  }
  return server;
}

ServerProcess::~ServerProcess() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

}  // namespace hivewire
