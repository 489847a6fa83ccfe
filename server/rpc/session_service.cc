#include "server/rpc/session_service.h"

#include <memory>

#include "server/rpc/session.h"

namespace hivewire {

void SessionService::Serve(CallQueue& queue) {
  const std::shared_ptr<Session> next =
      Session::Make(pools_, drain_grace_, queue, num_sessions_, [this, &queue] { Serve(queue); });
  service_.RequestConnect(next->server_context(), next->stream(), queue.get(), queue.get(),
                          next->accepted());
}

}  // namespace hivewire
