#include "tests/conformance/raw_http2.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace hivewire {
namespace {

enum FrameType : char { kData = 0, kHeaders = 1, kSettings = 4 };
constexpr char kEndHeaders = 4;

std::string BigEndian(uint32_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    text.push_back(static_cast<char>(value >> shift));
  return text;
}

std::string Frame(FrameType type, char flags, uint32_t stream, const std::string& payload,
                  int size = -1) {
  const uint32_t length =
      size < 0 ? static_cast<uint32_t>(payload.size()) : static_cast<uint32_t>(size);
  return BigEndian(length, 3) + static_cast<char>(type) + flags + BigEndian(stream, 4) + payload;
}

// HPACK, a literal that nobody remembers. Names and values are shorter than 127 bytes.
std::string Header(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name +
         static_cast<char>(value.size()) + value;
}

}  // namespace

std::string Http2Call(const std::string& method) {
  const std::string headers = Header(":method", "POST") + Header(":scheme", "http") +
                              Header(":path", method) + Header(":authority", "localhost") +
                              Header("content-type", "application/grpc") + Header("te", "trailers");
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "") +
         Frame(kHeaders, kEndHeaders, 1, headers);
}

std::string Http2Data(const std::string& bytes, int size) {
  return Frame(kData, 0, 1, bytes, size);
}

std::string GrpcMessage(const std::string& bytes, int size) {
  const uint32_t length =
      size < 0 ? static_cast<uint32_t>(bytes.size()) : static_cast<uint32_t>(size);
  return std::string(1, '\0') + BigEndian(length, 4) + bytes;
}

bool SendAndClose(const std::string& socket_path, const std::string& bytes) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof(address.sun_path) - 1);
  bool good = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  // The server may close first; that is its right.
  good = good && send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
  close(fd);
  return good;
}

}  // namespace hivewire
