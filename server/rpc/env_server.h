// An env server: pools and services behind one or more listeners.
//
// Its life: Start listens and serves; Drain refuses new pools, turns health to NOT_SERVING and
// tells the clients; Shutdown ends what is left. Thread-safe.
#ifndef HIVEWIRE_SERVER_RPC_ENV_SERVER_H_
#define HIVEWIRE_SERVER_RPC_ENV_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/rpc/credentials.h"
#include "server/rpc/listen_address.h"
#include "server/rpc/pool_table.h"
#include "server/rpc/rollout_service.h"
#include "server/tasks/registry.h"

namespace hivewire {

struct EnvServerOptions {
  std::vector<ListenAddress> listen;
  SecurityOptions security;
  PoolLimits limits;
  RolloutOptions rollouts;
  // 0: one for each CPU that this process may use.
  int num_workers = 0;
  // Start a renderer where the machine has GL.
  bool render = true;
  bool reflection = true;
  absl::Duration drain_grace = absl::Seconds(30);
  // File that lists every operation that ran; empty for none.
  std::string op_log;
  // A silent connection is asked after the first, and given up after the second: half-open peers
  // are found so.
  absl::Duration keepalive_time = absl::Seconds(10);
  absl::Duration keepalive_timeout = absl::Seconds(20);
};

class EnvServer {
 public:
  // ALREADY_EXISTS for an address in use; other errors name the option. `registry` outlives the
  // server.
  static absl::StatusOr<std::unique_ptr<EnvServer>> Start(const Registry& registry,
                                                          const EnvServerOptions& options);
  // Shuts down, without grace.
  ~EnvServer();
  EnvServer(const EnvServer&) = delete;
  EnvServer& operator=(const EnvServer&) = delete;

  // As clients write them, with the ports that were chosen.
  const std::vector<std::string>& addresses() const;

  // Returns when no session but observers' and no pool that runs a policy is left, or after
  // drain_grace.
  void Drain();
  void Shutdown();

 private:
  struct Impl;

  explicit EnvServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_RPC_ENV_SERVER_H_
