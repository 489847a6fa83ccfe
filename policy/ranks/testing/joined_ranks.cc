#include "policy/ranks/testing/joined_ranks.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "policy/ranks/gloo_ranks.h"

namespace hivewire {

std::string FreeRendezvous() {
  const int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(socket_fd, any, length), 0);
  EXPECT_EQ(getsockname(socket_fd, any, &length), 0);
  close(socket_fd);
  return absl::StrCat("tcp:127.0.0.1:", ntohs(address.sin_port));
}

void RunRanks(int size, const std::function<void(Ranks& ranks)>& run) {
  // c10d keeps one recorder of collectives a process, without a lock: right for a rank a process
  // only, as learners are. Read once, before the first group.
  setenv("TORCH_FR_BUFFER_SIZE", "0", 0);
  const std::string rendezvous = FreeRendezvous();
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      const auto ranks = JoinRanks({rank, size, rendezvous, absl::Seconds(60)});
      ASSERT_TRUE(ranks.ok()) << ranks.status();
      run(**ranks);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace hivewire
