#include "tests/bench/delaying_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace hivewire {
namespace {

constexpr size_t kChunk = 256 << 10;        // bytes
constexpr size_t kMostUnderWay = 32 << 20;  // bytes: more than 50 ms of 1 Gbit/s
constexpr unsigned long kTimerSlack = 1;    // ns

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void SendAtOnce(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DelayingProxy>> DelayingProxy::Start(const std::string& upstream,
                                                                    const LinkOptions& link) {
  int port = 0;
  if (!absl::SimpleAtoi(upstream.substr(upstream.rfind(':') + 1), &port)) {
    return absl::InvalidArgumentError(
        absl::StrCat("upstream: \"", upstream, "\" is not tcp:127.0.0.1:port"));
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 64) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return absl::ErrnoToStatus(errno, "the proxy cannot listen");
  }
  std::unique_ptr<DelayingProxy> proxy(
      new DelayingProxy(port, link, listener, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  proxy->address_ = absl::StrCat("tcp:127.0.0.1:", ntohs(address.sin_port));
  proxy->thread_ = std::thread([carrying = proxy.get()] { carrying->Run(); });
  return proxy;
}

DelayingProxy::DelayingProxy(int upstream_port, const LinkOptions& link, int listener, int wake)
    : upstream_port_(upstream_port), link_(link), listener_(listener), wake_(wake) {}

DelayingProxy::~DelayingProxy() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
  if (thread_.joinable()) thread_.join();
  for (const Connection& connection : connections_) {
    for (const Direction& direction : connection.directions) close(direction.from);
  }
  close(listener_);
  close(wake_);
}

void DelayingProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(upstream_port_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(server);
    close(client);
    return;
  }
  SendAtOnce(client);
  SendAtOnce(server);
  Connection& connection = connections_.emplace_back();
  connection.directions[0].from = connection.directions[1].to = client;
  connection.directions[0].to = connection.directions[1].from = server;
}

bool DelayingProxy::Take(Direction& direction, absl::Time now) {
  Chunk chunk;
  chunk.bytes.resize(kChunk);
  const ssize_t got = recv(direction.from, chunk.bytes.data(), kChunk, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) {
    direction.ended = true;
    return true;
  }
  chunk.bytes.resize(static_cast<size_t>(got));
  direction.link_free = std::max(direction.link_free, now) +
                        absl::Seconds(8.0 * static_cast<double>(got) / link_.bits_per_second);
  chunk.due = direction.link_free + link_.round_trip / 2;
  direction.bytes_under_way += chunk.bytes.size();
  direction.under_way.push_back(std::move(chunk));
  return true;
}

bool DelayingProxy::Deliver(Direction& direction, absl::Time now) {
  direction.blocked = false;
  while (!direction.under_way.empty() && direction.under_way.front().due <= now) {
    Chunk& chunk = direction.under_way.front();
    const ssize_t sent = send(direction.to, chunk.bytes.data() + chunk.sent,
                              chunk.bytes.size() - chunk.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
      direction.blocked = true;
      return true;
    }
    if (sent < 0) return false;
    chunk.sent += static_cast<size_t>(sent);
    if (chunk.sent < chunk.bytes.size()) continue;
    direction.bytes_under_way -= chunk.bytes.size();
    direction.under_way.pop_front();
  }
  // All that came before the end has arrived: so does the end.
  return !(direction.ended && direction.under_way.empty());
}

void DelayingProxy::Run() {
  prctl(PR_SET_TIMERSLACK, kTimerSlack);
  std::vector<pollfd> polled;
  while (true) {
    absl::Time due = absl::InfiniteFuture();
    polled = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      for (int side = 0; side < 2; ++side) {
        const Direction& out = connection.directions[side];
        const Direction& in = connection.directions[1 - side];
        short events = 0;
        if (!out.ended && out.bytes_under_way < kMostUnderWay) events |= POLLIN;
        if (in.blocked) events |= POLLOUT;
        polled.push_back({out.from, events, 0});
        if (!out.blocked && !out.under_way.empty()) due = std::min(due, out.under_way.front().due);
      }
    }
    const timespec wait = absl::ToTimespec(std::max(absl::ZeroDuration(), due - absl::Now()));
    ppoll(polled.data(), polled.size(), due == absl::InfiniteFuture() ? nullptr : &wait, nullptr);
    if (polled[0].revents != 0) return;
    const absl::Time now = absl::Now();
    size_t at = 2;
    for (auto connection = connections_.begin(); connection != connections_.end();) {
      bool alive = true;
      for (int side = 0; side < 2; ++side, ++at) {
        if ((polled[at].revents & POLLIN) != 0)
          alive = Take(connection->directions[side], now) && alive;
        else if ((polled[at].revents & (POLLERR | POLLHUP)) != 0)
          alive = false;
      }
      for (Direction& direction : connection->directions) alive = Deliver(direction, now) && alive;
      if (alive) {
        ++connection;
        continue;
      }
      for (const Direction& direction : connection->directions) close(direction.from);
      connection = connections_.erase(connection);
    }
    if (polled[1].revents != 0) Accept();
  }
}

}  // namespace hivewire
