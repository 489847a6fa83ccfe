#include "tests/bench/delaying_proxy.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace hivewire {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Sends back all that it receives, on one connection.
class Echo {
 public:
  Echo() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = absl::StrCat("tcp:127.0.0.1:", ntohs(address.sin_port));
    thread_ = std::thread([this] {
      const int connection = accept(listener_, nullptr, nullptr);
      char bytes[4096];
      for (ssize_t got; (got = recv(connection, bytes, sizeof(bytes), 0)) > 0;)
        send(connection, bytes, static_cast<size_t>(got), MSG_NOSIGNAL);
      close(connection);
    });
  }
  ~Echo() {
    AwaitEnd();
    close(listener_);
  }

  // Returns when its connection has ended.
  void AwaitEnd() {
    if (thread_.joinable()) thread_.join();
  }

  const std::string& address() const { return address_; }

 private:
  const int listener_;
  std::string address_;
  std::thread thread_;
};

int Connect(const std::string& address) {
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in where = Loopback(port);
  EXPECT_EQ(connect(connection, reinterpret_cast<const sockaddr*>(&where), sizeof(where)), 0);
  return connection;
}

// How long it takes until as many bytes are back as were sent; they must be the same.
absl::Duration SendAndReceive(int connection, const std::string& bytes) {
  const absl::Time begin = absl::Now();
  std::thread sender([&] {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t more = send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) return;
      sent += static_cast<size_t>(more);
    }
  });
  std::string received(bytes.size(), '\0');
  EXPECT_EQ(recv(connection, received.data(), received.size(), MSG_WAITALL),
            static_cast<ssize_t>(bytes.size()));
  sender.join();
  EXPECT_TRUE(received == bytes);
  return absl::Now() - begin;
}

TEST(DelayingProxy, BytesArriveWholeAndNotBeforeTheirTime) {
  Echo echo;
  const LinkOptions link = {.round_trip = absl::Milliseconds(30)};
  const auto proxy = DelayingProxy::Start(echo.address(), link);
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  const int connection = Connect((*proxy)->address());
  EXPECT_GE(SendAndReceive(connection, "ping"), link.round_trip);
  close(connection);
}

TEST(DelayingProxy, BandwidthBoundsWhatArrives) {
  Echo echo;
  const LinkOptions link = {.round_trip = absl::ZeroDuration(), .bits_per_second = 80e6};
  const auto proxy = DelayingProxy::Start(echo.address(), link);
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  const int connection = Connect((*proxy)->address());
  std::string bytes(1 << 20, '\0');
  for (size_t k = 0; k < bytes.size(); ++k) bytes[k] = static_cast<char>(k * 7919 >> 5);
  // 8 Mbit, at 80 Mbit/s.
  EXPECT_GE(SendAndReceive(connection, bytes), absl::Milliseconds(100));
  close(connection);
}

TEST(DelayingProxy, TheEndOfOneSideReachesTheOther) {
  Echo echo;
  const auto proxy = DelayingProxy::Start(echo.address(), {.round_trip = absl::Milliseconds(2)});
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  close(Connect((*proxy)->address()));
  echo.AwaitEnd();
}

TEST(DelayingProxy, AnAddressWithoutAPortIsRefused) {
  EXPECT_EQ(DelayingProxy::Start("tcp:nowhere", {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hivewire
