// A program of ours in a process of its own, to be killed.
//
// The child is killed with this object. One thread at a time.
#ifndef HIVEWIRE_TESTS_FAULTS_CHILD_H_
#define HIVEWIRE_TESTS_FAULTS_CHILD_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hivewire {

class Child {
 public:
  // Runs words[0] with the rest; what it says is appended to the file `log`.
  static absl::StatusOr<std::unique_ptr<Child>> Start(const std::vector<std::string>& words,
                                                      const std::string& log);
  ~Child();

  // SIGKILL, and waits until the process is gone. Harmless for one that has ended.
  void Kill();
  void Signal(int signal);
  bool Running();
  // Its exit status; −1 where it was killed, or still runs at `deadline` (it is killed then).
  int Wait(absl::Time deadline);

 private:
  explicit Child(pid_t pid) : pid_(pid) {}

  const pid_t pid_;
  bool ended_ = false;
  int exit_status_ = -1;
};

// An env_server that listens at one address, to be killed and started again.
class ServerChild {
 public:
  // `flags` beside --listen and --ready_file.
  ServerChild(std::string program, std::string folder, std::string listen,
              std::vector<std::string> flags);

  // Starts it and waits until it serves.
  absl::Status Start();
  void Kill() { child_.reset(); }

  // Of the last start.
  const std::string& address() const { return address_; }

 private:
  const std::string program_;
  const std::string folder_;
  const std::string listen_;
  const std::vector<std::string> flags_;
  std::string address_;
  std::unique_ptr<Child> child_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_FAULTS_CHILD_H_
