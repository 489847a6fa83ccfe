#include "server/rpc/listen_address.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hivewire {
namespace {

constexpr absl::string_view kForms = "unix:/path or tcp:host:port";

absl::StatusOr<ListenAddress> ParseOne(absl::string_view text) {
  ListenAddress address;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    address.kind = ListenAddress::Kind::kUnix;
    address.path = std::string(rest);
    if (!absl::StartsWith(rest, "/") || rest.size() >= sizeof(sockaddr_un::sun_path)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--listen: \"", text, "\" needs an absolute path of less than ",
                       sizeof(sockaddr_un::sun_path), " characters after unix:"));
    }
    return address;
  }
  if (absl::ConsumePrefix(&rest, "tcp:")) {
    address.kind = ListenAddress::Kind::kTcp;
    const size_t colon = rest.rfind(':');
    const bool split = colon != absl::string_view::npos && colon > 0;
    if (!split || !absl::SimpleAtoi(rest.substr(colon + 1), &address.port) || address.port < 0 ||
        address.port > 65535) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--listen: \"", text, "\" is not tcp:host:port with a port of 0 (any free one) … 65535"));
    }
    absl::string_view host = rest.substr(0, colon);
    if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
    address.host = std::string(host);
    return address;
  }
  return absl::InvalidArgumentError(absl::StrCat("--listen: \"", text, "\" is not ", kForms));
}

}  // namespace

std::string ListenAddress::ToString() const {
  if (kind == Kind::kUnix) return absl::StrCat("unix:", path);
  const bool v6 = absl::StrContains(host, ":");
  return absl::StrCat("tcp:", v6 ? "[" : "", host, v6 ? "]" : "", ":", port);
}

std::string ListenAddress::ToGrpc() const {
  return kind == Kind::kUnix ? ToString() : std::string(absl::StripPrefix(ToString(), "tcp:"));
}

bool ListenAddress::IsLocal() const {
  return kind == Kind::kUnix || host == "localhost" || host == "::1" ||
         absl::StartsWith(host, "127.");
}

absl::StatusOr<std::vector<ListenAddress>> ParseListenAddresses(absl::string_view text) {
  std::vector<ListenAddress> addresses;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    absl::StatusOr<ListenAddress> address = ParseOne(part);
    if (!address.ok()) return address.status();
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

absl::StatusOr<SocketLock> SocketLock::Take(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  if (!folder.empty() && mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::FailedPreconditionError(absl::StrCat("--listen: cannot make the folder ", folder,
                                                      " for unix:", path, ": ",
                                                      std::strerror(errno)));
  }
  const std::string lock = absl::StrCat(path, ".lock");
  const int fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return absl::FailedPreconditionError(absl::StrCat("--listen: cannot listen on unix:", path,
                                                      ": ", lock, ": ", std::strerror(errno)));
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return absl::AlreadyExistsError(
        absl::StrCat("--listen: address in use: another env_server listens on unix:", path));
  }
  struct stat info;
  if (lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) {
      close(fd);
      return absl::AlreadyExistsError(
          absl::StrCat("--listen: ", path, " exists and is not a socket"));
    }
    unlink(path.c_str());
  }
  return SocketLock(path, fd);
}

SocketLock::SocketLock(SocketLock&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

SocketLock::~SocketLock() {
  if (fd_ < 0) return;
  unlink(path_.c_str());
  unlink(absl::StrCat(path_, ".lock").c_str());
  close(fd_);
}

absl::Status CheckPortIsFree(const ListenAddress& address) {
  if (address.kind != ListenAddress::Kind::kTcp) return absl::OkStatus();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int problem =
      getaddrinfo(address.host.c_str(), absl::StrCat(address.port).c_str(), &hints, &found);
  if (problem != 0) {
    return absl::InvalidArgumentError(absl::StrCat("--listen: ", address.ToString(), ": ",
                                                   gai_strerror(problem), " (", address.host, ")"));
  }
  absl::Status status;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int reuse = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  if (bind(fd, found->ai_addr, found->ai_addrlen) != 0) {
    status =
        errno == EADDRINUSE
            ? absl::AlreadyExistsError(
                  absl::StrCat("--listen: address in use: ", address.ToString()))
            : absl::FailedPreconditionError(absl::StrCat(
                  "--listen: cannot listen on ", address.ToString(), ": ", std::strerror(errno)));
  }
  close(fd);
  freeaddrinfo(found);
  return status;
}

}  // namespace hivewire
