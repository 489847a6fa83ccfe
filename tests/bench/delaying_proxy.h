// A TCP proxy that makes loopback as slow as a network: every byte arrives half a round trip after
// it was sent, and no faster than the link's bandwidth. Bytes are neither lost nor reordered.
//
// One thread of its own carries the bytes; it sleeps with the kernel's finest timer. What is under
// way in one direction of a connection is bounded: beyond that the sender waits, as with a full
// window.
#ifndef HIVEWIRE_TESTS_BENCH_DELAYING_PROXY_H_
#define HIVEWIRE_TESTS_BENCH_DELAYING_PROXY_H_

#include <deque>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hivewire {

struct LinkOptions {
  absl::Duration round_trip;
  double bits_per_second = 1e9;
};

class DelayingProxy {
 public:
  // Listens on a free port of loopback and carries to `upstream`, "tcp:127.0.0.1:port".
  static absl::StatusOr<std::unique_ptr<DelayingProxy>> Start(const std::string& upstream,
                                                              const LinkOptions& link);
  ~DelayingProxy();
  DelayingProxy(const DelayingProxy&) = delete;
  DelayingProxy& operator=(const DelayingProxy&) = delete;

  // "tcp:127.0.0.1:port".
  const std::string& address() const { return address_; }

 private:
  struct Chunk {
    absl::Time due;
    std::string bytes;
    size_t sent = 0;
  };
  // One way of a connection.
  struct Direction {
    int from = -1;
    int to = -1;
    std::deque<Chunk> under_way;
    size_t bytes_under_way = 0;
    absl::Time link_free;
    bool ended = false;    // no more will come from `from`
    bool blocked = false;  // `to` takes no more at the moment
  };
  struct Connection {
    Direction directions[2];
  };

  DelayingProxy(int upstream_port, const LinkOptions& link, int listener, int wake);

  void Run();
  void Accept();
  // Both give false when the connection is broken.
  bool Take(Direction& direction, absl::Time now);
  bool Deliver(Direction& direction, absl::Time now);

  const int upstream_port_;
  const LinkOptions link_;
  const int listener_;
  const int wake_;  // an eventfd: the end
  std::string address_;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_BENCH_DELAYING_PROXY_H_
