// A TCP proxy that breaks connections on purpose, for tests: at once, in mid-frame after so many
// bytes, or for good.
//
// One thread of its own carries the bytes; all methods may be called from any other. Connections
// are cut with a reset, as a machine that dies cuts them.
#ifndef HIVEWIRE_TESTS_FAULTS_PROXY_H_
#define HIVEWIRE_TESTS_FAULTS_PROXY_H_

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"

namespace hivewire {

class CuttingProxy {
 public:
  // Listens on a free port of loopback and carries to `upstream`, "unix:/path" or
  // "tcp:127.0.0.1:port".
  static absl::StatusOr<std::unique_ptr<CuttingProxy>> Start(const std::string& upstream);
  ~CuttingProxy();

  // "tcp:127.0.0.1:port".
  const std::string& address() const { return address_; }

  // Cuts all connections now.
  void Cut();
  // Cuts all connections once `bytes` more have been carried, in whichever direction.
  void CutAfter(int64_t bytes);
  // While closed, connections are cut as soon as they are made.
  void SetClosed(bool closed);

  // Connections that were cut so far.
  int cuts() const;

 private:
  struct Connection;

  CuttingProxy(std::string upstream, int listener, int wake);

  void Wake();
  void Run();
  void Accept();
  // Carries what there is from one side to the other; false when the connection is over.
  bool Carry(Connection& connection, int side);

  const std::string upstream_;
  std::string address_;
  const int listener_;
  const int wake_;  // an eventfd
  std::list<Connection> connections_;

  mutable Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cut_now_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t bytes_left_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;
  int cuts_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_FAULTS_PROXY_H_
