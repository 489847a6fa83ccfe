// A TCP proxy that can go silent: connections stay open and nothing passes any more, as when a
// cable is pulled.
//
// Carries one connection at a time, on a thread of its own that the destructor joins.
#ifndef HIVEWIRE_TESTS_CONFORMANCE_SILENT_PROXY_H_
#define HIVEWIRE_TESTS_CONFORMANCE_SILENT_PROXY_H_

#include <atomic>
#include <string>
#include <thread>

namespace hivewire {

class SilentProxy {
 public:
  // To a Unix socket.
  explicit SilentProxy(std::string socket_path);
  ~SilentProxy();
  SilentProxy(const SilentProxy&) = delete;
  SilentProxy& operator=(const SilentProxy&) = delete;

  // "127.0.0.1:port".
  const std::string& address() const { return address_; }
  void GoSilent() { silent_.store(true); }

 private:
  void Run();

  const std::string socket_path_;
  std::string address_;
  int listener_ = -1;
  std::atomic<bool> silent_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_CONFORMANCE_SILENT_PROXY_H_
