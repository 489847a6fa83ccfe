// Where a server listens: "unix:/path" or "tcp:host:port".
#ifndef HIVEWIRE_SERVER_RPC_LISTEN_ADDRESS_H_
#define HIVEWIRE_SERVER_RPC_LISTEN_ADDRESS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

struct ListenAddress {
  enum class Kind { kUnix, kTcp };
  Kind kind = Kind::kUnix;
  std::string path;  // unix
  std::string host;  // tcp
  int port = 0;      // tcp; 0 for any that is free

  // "unix:/path", "tcp:host:port"; and as gRPC writes it.
  std::string ToString() const;
  std::string ToGrpc() const;
  // Reached from this machine alone.
  bool IsLocal() const;
};

// Comma-separated. INVALID_ARGUMENT names the part that is no address, and the forms that there
// are.
absl::StatusOr<std::vector<ListenAddress>> ParseListenAddresses(absl::string_view text);

// Holds the right to a Unix socket's path: makes its folder (0700) where it is missing, locks
// "<path>.lock", removes a socket that a dead server left. ALREADY_EXISTS where a server lives
// there.
class SocketLock {
 public:
  static absl::StatusOr<SocketLock> Take(const std::string& path);
  SocketLock(SocketLock&& other) noexcept;
  SocketLock& operator=(SocketLock&&) = delete;
  // Removes the socket and the lock.
  ~SocketLock();

 private:
  SocketLock(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_;
};

// ALREADY_EXISTS where another process listens on the port.
absl::Status CheckPortIsFree(const ListenAddress& address);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_LISTEN_ADDRESS_H_
