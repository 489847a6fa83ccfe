// A gRPC call as bytes, for what a well-behaved library would never send.
#ifndef HIVEWIRE_TESTS_CONFORMANCE_RAW_HTTP2_H_
#define HIVEWIRE_TESTS_CONFORMANCE_RAW_HTTP2_H_

#include <string>

namespace hivewire {

// The begin of a connection that calls `method` ("/package.Service/Method") on stream 1: preface,
// SETTINGS and HEADERS.
std::string Http2Call(const std::string& method);
// A DATA frame of stream 1 with these bytes; `size` is what its header says (their own size for
// −1).
std::string Http2Data(const std::string& bytes, int size = -1);
// A gRPC message; `size` likewise.
std::string GrpcMessage(const std::string& bytes, int size = -1);

// Connects to a Unix socket, writes `bytes` and closes. False where the server is not there.
bool SendAndClose(const std::string& socket_path, const std::string& bytes);

}  // namespace hivewire

#endif  // HIVEWIRE_TESTS_CONFORMANCE_RAW_HTTP2_H_
