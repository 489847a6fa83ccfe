// How gRPC runs in this process. To be called at the beginning of main, before there are threads.
#ifndef HIVEWIRE_BASE_GRPC_TUNING_H_
#define HIVEWIRE_BASE_GRPC_TUNING_H_

namespace hivewire {

// Debian's Abseil looks for cycles of locks at every lock of an absl::Mutex, of which gRPC takes
// dozens a message: leave that to debug builds.
void TuneGrpc();

// TuneGrpc, and poll(2) instead of gRPC's default, edge-triggered epoll, unless the environment
// (GRPC_POLL_STRATEGY) names another way: epoll wakes a client of a Unix socket once more each time
// that the server has read what was sent, and is made for thousands of connections where a client
// has a few.
void TuneGrpcClient();

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_GRPC_TUNING_H_
