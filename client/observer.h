// Watches a pool that somebody else owns: every batch that its owner is sent, without a token.
//
// Next from one thread; Cancel from any. After an error the observer is finished.
#ifndef HIVEWIRE_CLIENT_OBSERVER_H_
#define HIVEWIRE_CLIENT_OBSERVER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/connection.h"
#include "hivewire/v1/session.pb.h"

namespace hivewire {

class Observer {
 public:
  // UNKNOWN_POOL where the server has no such pool, NOT_SUPPORTED where it has no observers.
  static absl::StatusOr<std::unique_ptr<Observer>> Attach(const std::string& address,
                                                          const ConnectionOptions& connection,
                                                          const std::string& pool_id);
  ~Observer();

  const v1::PoolDescription& pool() const;

  // Waits for the next batch. An observer that is slow misses some: their numbers (`seq`) show it.
  absl::Status Next(v1::ServerFrame& frame);

  // Next then returns CANCELLED.
  void Cancel();

 private:
  struct Impl;

  explicit Observer(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_OBSERVER_H_
