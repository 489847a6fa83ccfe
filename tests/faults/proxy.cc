#include "tests/faults/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hivewire {
namespace {

constexpr size_t kChunk = 64 << 10;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// −1 where nobody listens.
int ConnectTo(const std::string& upstream) {
  if (absl::StartsWith(upstream, "unix:")) {
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, upstream.c_str() + 5, sizeof(address.sun_path) - 1);
    if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0)
      return descriptor;
    close(descriptor);
    return -1;
  }
  int port = 0;
  if (!absl::SimpleAtoi(upstream.substr(upstream.rfind(':') + 1), &port)) return -1;
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return descriptor;
  }
  close(descriptor);
  return -1;
}

void Reset(int descriptor) {
  const linger at_once = {1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(descriptor);
}

}  // namespace

// Side 0 is the client's, side 1 the server's.
struct CuttingProxy::Connection {
  int sides[2];
  // Read from a side and not yet written to the other.
  std::string waiting[2];
};

absl::StatusOr<std::unique_ptr<CuttingProxy>> CuttingProxy::Start(const std::string& upstream) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 64) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return absl::ErrnoToStatus(errno, "the proxy cannot listen");
  }
  std::unique_ptr<CuttingProxy> proxy(
      new CuttingProxy(upstream, listener, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  proxy->address_ = absl::StrCat("tcp:127.0.0.1:", ntohs(address.sin_port));
  proxy->thread_ = std::thread([carrying = proxy.get()] { carrying->Run(); });
  return proxy;
}

CuttingProxy::CuttingProxy(std::string upstream, int listener, int wake)
    : upstream_(std::move(upstream)), listener_(listener), wake_(wake) {}

CuttingProxy::~CuttingProxy() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  Wake();
  if (thread_.joinable()) thread_.join();
  for (const Connection& connection : connections_) {
    for (const int side : connection.sides) close(side);
  }
  close(listener_);
  close(wake_);
}

void CuttingProxy::Cut() {
  {
    MutexLock lock(mutex_);
    cut_now_ = true;
  }
  Wake();
}

void CuttingProxy::CutAfter(int64_t bytes) {
  MutexLock lock(mutex_);
  bytes_left_ = bytes;
}

void CuttingProxy::SetClosed(bool closed) {
  {
    MutexLock lock(mutex_);
    closed_ = closed;
    cut_now_ = closed;
  }
  Wake();
}

int CuttingProxy::cuts() const {
  MutexLock lock(mutex_);
  return cuts_;
}

void CuttingProxy::Wake() {
  const uint64_t one = 1;
  // A full eventfd is awake already.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
}

void CuttingProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  bool closed = false;
  {
    MutexLock lock(mutex_);
    closed = closed_;
  }
  const int server = closed ? -1 : ConnectTo(upstream_);
  if (server < 0) return Reset(client);
  const int on = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  connections_.push_back({{client, server}, {}});
}

bool CuttingProxy::Carry(Connection& connection, int side) {
  std::string& waiting = connection.waiting[side];
  if (waiting.empty()) {
    waiting.resize(kChunk);
    const ssize_t got = recv(connection.sides[side], waiting.data(), waiting.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      waiting.clear();
      return true;
    }
    if (got <= 0) return false;
    waiting.resize(static_cast<size_t>(got));
  }
  size_t allowed = waiting.size();
  {
    MutexLock lock(mutex_);
    allowed = static_cast<size_t>(std::min<int64_t>(bytes_left_, static_cast<int64_t>(allowed)));
  }
  const ssize_t sent =
      send(connection.sides[1 - side], waiting.data(), allowed, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  waiting.erase(0, static_cast<size_t>(sent));
  MutexLock lock(mutex_);
  // CutAfter may have been called meanwhile.
  if (bytes_left_ != INT64_MAX) bytes_left_ = std::max<int64_t>(0, bytes_left_ - sent);
  if (bytes_left_ == 0) cut_now_ = true;
  return true;
}

void CuttingProxy::Run() {
  std::vector<pollfd> polled;
  while (true) {
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      if (std::exchange(cut_now_, false)) {
        bytes_left_ = INT64_MAX;
        for (const Connection& connection : connections_) {
          for (const int side : connection.sides) Reset(side);
          ++cuts_;
        }
        connections_.clear();
      }
    }
    polled = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      for (int side = 0; side < 2; ++side) {
        // Reads from a side while nothing of it waits; else waits until the other side takes it.
        const bool reading = connection.waiting[side].empty();
        polled.push_back({connection.sides[reading ? side : 1 - side],
                          static_cast<int16_t>(reading ? POLLIN : POLLOUT), 0});
      }
    }
    poll(polled.data(), polled.size(), -1);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(wake_, &count, sizeof(count));
    size_t at = 2;
    for (auto connection = connections_.begin(); connection != connections_.end();) {
      bool open = true;
      for (int side = 0; side < 2; ++side, ++at) {
        if (polled[at].revents != 0) open = open && Carry(*connection, side);
      }
      if (open) {
        ++connection;
        continue;
      }
      for (const int side : connection->sides) close(side);
      connection = connections_.erase(connection);
    }
    if (polled[1].revents != 0) Accept();
  }
}

}  // namespace hivewire
