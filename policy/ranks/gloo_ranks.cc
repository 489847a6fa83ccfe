#include "policy/ranks/gloo_ranks.h"

#include <ATen/ATen.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "policy/nn/guard_torch.h"

namespace hivewire {
namespace {

using Milliseconds = std::chrono::milliseconds;

// How long rank 0 may take to answer that it is there.
constexpr Milliseconds kSignOfLife{5000};

// A host and port, resolved.
struct Place {
  std::string host;
  uint16_t port = 0;
  sockaddr_storage address = {};
  socklen_t length = 0;
};

absl::StatusOr<Place> Resolve(const std::string& rendezvous) {
  absl::string_view rest = rendezvous;
  const size_t colon = rest.rfind(':');
  uint32_t port = 0;
  if (!absl::ConsumePrefix(&rest, "tcp:") || colon == absl::string_view::npos || colon < 5 ||
      !absl::SimpleAtoi(rest.substr(rest.rfind(':') + 1), &port) || port < 1 || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("rendezvous is \"", rendezvous,
                     "\"; it can be tcp:host:port, where rank 0 listens, the same for all ranks"));
  }
  Place place;
  place.host = std::string(rest.substr(0, rest.rfind(':')));
  if (absl::ConsumePrefix(&rest, "[")) place.host = std::string(rest.substr(0, rest.find(']')));
  place.port = static_cast<uint16_t>(port);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(place.host.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("rendezvous is \"", rendezvous, "\": ", gai_strerror(error)));
  }
  std::memcpy(&place.address, found->ai_addr, found->ai_addrlen);
  place.length = found->ai_addrlen;
  freeaddrinfo(found);
  return place;
}

const sockaddr* AsAddress(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// A socket that listens there, and nowhere else. The store would listen on all interfaces.
absl::StatusOr<int> Listen(const Place& place) {
  const int socket_fd = socket(place.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (socket_fd < 0 || setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(socket_fd, AsAddress(place.address), place.length) != 0 ||
      listen(socket_fd, SOMAXCONN) != 0) {
    const std::string why = std::strerror(errno);
    if (socket_fd >= 0) close(socket_fd);
    return absl::UnavailableError(absl::StrCat("rendezvous: rank 0 cannot listen on ", place.host,
                                               ":", place.port, ": ", why));
  }
  return socket_fd;
}

// This machine's own address on the way to `place`: what the other ranks can reach.
absl::StatusOr<std::string> OwnAddress(const Place& place) {
  // Connecting a datagram socket sends nothing.
  const int socket_fd = socket(place.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_storage own = {};
  socklen_t length = sizeof(own);
  char host[NI_MAXHOST] = "";
  const bool good =
      socket_fd >= 0 && connect(socket_fd, AsAddress(place.address), place.length) == 0 &&
      getsockname(socket_fd, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
      getnameinfo(AsAddress(own), length, host, sizeof(host), nullptr, 0, NI_NUMERICHOST) == 0;
  const std::string why = std::strerror(errno);
  if (socket_fd >= 0) close(socket_fd);
  if (good) return std::string(host);
  return absl::UnavailableError(
      absl::StrCat("rendezvous: there is no way to ", place.host, ": ", why));
}

class GlooRanks : public Ranks {
 public:
  GlooRanks(const RankOptions& options, c10::intrusive_ptr<c10d::TCPStore> store,
            c10::intrusive_ptr<c10d::ProcessGroupGloo> group)
      : options_(options), store_(std::move(store)), group_(std::move(group)) {}

  int rank() const override { return options_.rank; }
  int size() const override { return options_.size; }

  absl::Status Sum(absl::Span<float> values) override {
    return Together([&] {
      std::vector<at::Tensor> tensors = {
          at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kFloat)};
      group_->allreduce(tensors)->wait();
    });
  }

  absl::StatusOr<std::vector<double>> Share(absl::Span<const double> own) override {
    std::vector<double> all(own.size() * static_cast<size_t>(size()));
    absl::Status status = ShareRows(own.data(), own.size(), at::kDouble, all.data());
    if (!status.ok()) return status;
    return all;
  }

  absl::StatusOr<std::vector<std::string>> Share(const std::string& own) override {
    const double length = static_cast<double>(own.size());
    const absl::StatusOr<std::vector<double>> lengths = Share(absl::MakeConstSpan(&length, 1));
    if (!lengths.ok()) return lengths.status();
    // All give as many, so the others are padded.
    const auto longest = static_cast<size_t>(*std::max_element(lengths->begin(), lengths->end()));
    std::string padded = own;
    padded.resize(longest);
    std::string bytes(longest * static_cast<size_t>(size()), '\0');
    absl::Status status = ShareRows(padded.data(), longest, at::kByte, bytes.data());
    if (!status.ok()) return status;
    std::vector<std::string> all;
    for (size_t k = 0; k < lengths->size(); ++k) {
      all.push_back(bytes.substr(k * longest, static_cast<size_t>((*lengths)[k])));
    }
    return all;
  }

  bool broken() const override { return !error_.ok(); }

  bool RankZeroIsThere() override {
    if (rank() == 0) return true;
    return GuardTorch("rank 0",
                      [&] {
                        store_->setTimeout(kSignOfLife);
                        store_->add("signs_of_life", 1);
                      })
        .ok();
  }

 private:
  // `count` elements of each rank, by rank.
  absl::Status ShareRows(const void* own, size_t count, at::ScalarType type, void* all) {
    if (count == 0) return error_;
    return Together([&] {
      const auto length = static_cast<int64_t>(count);
      std::vector<at::Tensor> inputs = {at::from_blob(const_cast<void*>(own), {length}, type)};
      const at::Tensor rows = at::from_blob(all, {size(), length}, type);
      std::vector<std::vector<at::Tensor>> outputs = {rows.unbind(0)};
      group_->allgather(outputs, inputs)->wait();
    });
  }

  template <typename Function>
  absl::Status Together(const Function& function) {
    if (broken()) return error_;
    const absl::Status status = GuardTorch("", function);
    if (!status.ok()) {
      error_ = absl::UnavailableError(absl::StrCat("a learner rank was lost, as rank ", rank(),
                                                   " of ", size(), " sees it", status.message()));
    }
    return error_;
  }

  const RankOptions options_;
  const c10::intrusive_ptr<c10d::TCPStore> store_;
  const c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  absl::Status error_;
};

std::string JoinedKey(int rank) { return absl::StrCat("joined/", rank); }

std::vector<uint8_t> Bytes(const std::string& text) { return {text.begin(), text.end()}; }

// Tells the others that this rank is there, and waits for them.
absl::Status MeetAll(c10d::TCPStore& store, const RankOptions& options, Milliseconds timeout) {
  const std::string size = absl::StrCat(options.size);
  if (options.rank == 0) store.set("size", Bytes(size));
  const std::vector<uint8_t> said = store.get("size");
  if (said != Bytes(size)) {
    return absl::InvalidArgumentError(
        absl::StrCat("ranks is ", size, "; rank 0 has ", std::string(said.begin(), said.end())));
  }
  if (store.add(JoinedKey(options.rank), 1) > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank is ", options.rank, "; there is another process of that rank"));
  }
  for (int rank = 0; rank < options.size; ++rank) {
    const absl::Status status = GuardTorch("", [&] { store.wait({JoinedKey(rank)}, timeout); });
    if (status.ok()) continue;
    return absl::UnavailableError(absl::StrCat("rank ", rank, " of ", size, " has not come within ",
                                               absl::FormatDuration(options.timeout)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Ranks>> JoinRanks(const RankOptions& options) {
  if (options.size < 1 || options.size > 1024 || options.rank < 0 || options.rank >= options.size) {
    return absl::InvalidArgumentError(absl::StrCat("rank is ", options.rank, " and ranks is ",
                                                   options.size,
                                                   "; ranks can be 1 … 1024, rank 0 … ranks - 1"));
  }
  if (options.timeout < absl::Seconds(1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rank_timeout is ", absl::FormatDuration(options.timeout), "; it can be 1s or more"));
  }
  const absl::StatusOr<Place> place = Resolve(options.rendezvous);
  if (!place.ok()) return place.status();
  const absl::StatusOr<std::string> own = OwnAddress(*place);
  if (!own.ok()) return own.status();
  c10d::TCPStoreOptions store_options;
  store_options.port = place->port;
  store_options.isServer = options.rank == 0;
  store_options.waitWorkers = false;
  const Milliseconds timeout{absl::ToInt64Milliseconds(options.timeout)};
  store_options.timeout = timeout;
  if (options.rank == 0) {
    const absl::StatusOr<int> listener = Listen(*place);
    if (!listener.ok()) return listener.status();
    store_options.masterListenFd = *listener;
  }
  absl::Status met;
  std::unique_ptr<Ranks> ranks;
  const absl::Status status = GuardTorch("", [&] {
    auto store = c10::make_intrusive<c10d::TCPStore>(place->host, store_options);
    met = MeetAll(*store, options, timeout);
    if (!met.ok()) return;
    auto group_options = c10d::ProcessGroupGloo::Options::create(timeout);
    group_options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(*own));
    auto group = c10::make_intrusive<c10d::ProcessGroupGloo>(store, options.rank, options.size,
                                                             group_options);
    ranks = std::make_unique<GlooRanks>(options, std::move(store), std::move(group));
  });
  if (!met.ok()) return met;
  if (!status.ok()) {
    return absl::UnavailableError(absl::StrCat("rank ", options.rank, " cannot join the others at ",
                                               options.rendezvous, status.message()));
  }
  return ranks;
}

}  // namespace hivewire
