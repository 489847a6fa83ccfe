#include "tests/conformance/silent_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

namespace hivewire {
namespace {

constexpr int kLookMilliseconds = 20;

bool Readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return poll(&waiting, 1, kLookMilliseconds) > 0;
}

// What there is to read, from one side to the other. False at the end of a connection.
bool Carry(int from, int to) {
  char buffer[65536];
  const ssize_t size = read(from, buffer, sizeof(buffer));
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t more = send(to, buffer + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
    if (more <= 0) return false;
    sent += more;
  }
  return size > 0;
}

}  // namespace

SilentProxy::SilentProxy(std::string socket_path) : socket_path_(std::move(socket_path)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 4) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    abort();
  }
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  thread_ = std::thread([this] { Run(); });
}

SilentProxy::~SilentProxy() {
  stopping_.store(true);
  thread_.join();
  close(listener_);
}

void SilentProxy::Run() {
  while (!stopping_.load()) {
    if (!Readable(listener_)) continue;
    const int client = accept(listener_, nullptr, nullptr);
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_path_.c_str(), sizeof(address.sun_path) - 1);
    bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    while (open && !stopping_.load()) {
      if (silent_.load()) {
        // Neither side hears of the other, nor that it is gone.
        usleep(1000 * kLookMilliseconds);
        continue;
      }
      pollfd sides[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (poll(sides, 2, kLookMilliseconds) <= 0) continue;
      if (sides[0].revents != 0) open = Carry(client, server);
      if (open && sides[1].revents != 0) open = Carry(server, client);
    }
    close(client);
    close(server);
  }
}

}  // namespace hivewire
