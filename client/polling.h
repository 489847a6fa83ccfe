// How this process waits for its sockets.
#ifndef HIVEWIRE_CLIENT_POLLING_H_
#define HIVEWIRE_CLIENT_POLLING_H_

namespace hivewire {

// At the beginning of a client program's main, before it has threads: asks gRPC for poll(2), unless
// the environment (GRPC_POLL_STRATEGY) names another way. gRPC's default, edge-triggered epoll,
// wakes a client of a Unix socket once more each time that the server has read what was sent, and
// is made for thousands of connections where a client has a few.
void PreferPoll();

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_POLLING_H_
