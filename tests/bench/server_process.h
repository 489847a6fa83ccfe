// An env_server of our own in a child process, so that client and server share the machine as they
// do in life.
//
// The child ends with this object, or with this process whatever ends it.
#ifndef HIVEWIRE_TESTS_BENCH_SERVER_PROCESS_H_
#define HIVEWIRE_TESTS_BENCH_SERVER_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hivewire {

class ServerProcess {
 public:
  // Runs `program` on a Unix socket and on loopback with these flags more, and waits until it
  // serves. To be called before this process has threads.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(
      const std::string& program, const std::vector<std::string>& flags = {"--render=false"});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& unix_address() const { return unix_address_; }
  const std::string& tcp_address() const { return tcp_address_; }

 private:
  ServerProcess(pid_t pid, std::string folder) : pid_(pid), folder_(std::move(folder)) {}

  const pid_t pid_;
  const std::string folder_;  // holds the socket
  std::string unix_address_;
  std::string tcp_address_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_SERVER_PROCESS_H_
