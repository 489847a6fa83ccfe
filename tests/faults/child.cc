#include "tests/faults/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/file.h"

extern char** environ;

namespace hivewire {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(2);
constexpr absl::Duration kServerPatience = absl::Seconds(60);

}  // namespace

absl::StatusOr<std::unique_ptr<Child>> Child::Start(const std::vector<std::string>& words,
                                                    const std::string& log) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, words[0].c_str(), &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return absl::ErrnoToStatus(error, absl::StrCat("cannot run ", words[0]));
  return std::unique_ptr<Child>(new Child(pid));
}

Child::~Child() { Kill(); }

void Child::Kill() {
  Signal(SIGKILL);
  Wait(absl::InfiniteFuture());
}

void Child::Signal(int signal) {
  if (Running()) kill(pid_, signal);
}

bool Child::Running() {
  if (ended_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = true;
  if (WIFEXITED(status)) exit_status_ = WEXITSTATUS(status);
  return false;
}

int Child::Wait(absl::Time deadline) {
  while (Running()) {
    if (absl::Now() >= deadline) {
      kill(pid_, SIGKILL);
      deadline = absl::InfiniteFuture();
    }
    absl::SleepFor(kPoll);
  }
  return exit_status_;
}

ServerChild::ServerChild(std::string program, std::string folder, std::string listen,
                         std::vector<std::string> flags)
    : program_(std::move(program)),
      folder_(std::move(folder)),
      listen_(std::move(listen)),
      flags_(std::move(flags)) {}

absl::Status ServerChild::Start() {
  const std::string ready = absl::StrCat(folder_, "/ready");
  const std::string log = absl::StrCat(folder_, "/server.log");
  unlink(ready.c_str());
  std::vector<std::string> words = {program_, absl::StrCat("--listen=", listen_),
                                    absl::StrCat("--ready_file=", ready), "--render=false"};
  words.insert(words.end(), flags_.begin(), flags_.end());
  auto child = Child::Start(words, log);
  if (!child.ok()) return child.status();
  child_ = *std::move(child);
  const absl::Time deadline = absl::Now() + kServerPatience;
  while (access(ready.c_str(), R_OK) != 0) {
    if (!child_->Running() || absl::Now() > deadline) {
      return absl::UnavailableError(
          absl::StrCat("the server does not serve: ", ReadFile(log).value_or("no log")));
    }
    absl::SleepFor(kPoll);
  }
  const absl::StatusOr<std::string> address = ReadFile(ready);
  if (!address.ok()) return address.status();
  address_ = std::string(absl::StripSuffix(*address, "\n"));
  return absl::OkStatus();
}

}  // namespace hivewire
