// hivectl watch: what happens in a pool that somebody else owns.
#include <atomic>
#include <ostream>
#include <thread>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/commands/command.h"
#include "client/commands/session.h"
#include "client/connection_flags.h"
#include "client/observer.h"

namespace hivewire {
namespace {

// Cancels a read that is under way once the user wants to stop.
class Canceller {
 public:
  Canceller(Observer& observer, const std::atomic<bool>& interrupted)
      : thread_([this, &observer, &interrupted] {
          while (!done_.load() && !interrupted.load()) absl::SleepFor(absl::Milliseconds(50));
          if (!done_.load()) observer.Cancel();
        }) {}
  ~Canceller() {
    done_.store(true);
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

absl::Status Watch(const CommandContext& context) {
  if (context.arguments.operands().empty())
    return absl::InvalidArgumentError("no pool is given; hivectl pools shows those there are");
  const auto addresses = Addresses();
  if (!addresses.ok()) return addresses.status();
  const auto observer =
      Observer::Attach(addresses->front(), ConnectionFromFlags(), context.arguments.operands()[0]);
  if (!observer.ok()) return observer.status();
  const v1::PoolDescription& pool = (*observer)->pool();
  context.out << absl::StrFormat("%s: %d lanes of %s\n", pool.pool_id(), pool.num_envs(),
                                 pool.spec().id());
  const int most = context.arguments.Has("episodes") ? context.arguments.Count("episodes") : 0;
  const Canceller canceller(**observer, context.interrupted);
  int episodes = 0;
  uint64_t last_seq = 0;
  v1::ServerFrame frame;
  while (most == 0 || episodes < most) {
    const absl::Status status = (*observer)->Next(frame);
    if (context.interrupted.load()) return absl::CancelledError("interrupted");
    if (!status.ok()) return status;
    if (last_seq != 0 && frame.seq() > last_seq + 1)
      context.out << absl::StrFormat("(%d batches were missed)\n", frame.seq() - last_seq - 1);
    last_seq = frame.seq();
    for (const v1::Episode& episode : frame.batch().episodes()) {
      context.out << absl::StrFormat("lane %d, episode %d: return %.6g, length %d\n",
                                     episode.env_id(), episode.episode(), episode.episode_return(),
                                     episode.length());
      ++episodes;
    }
    for (const v1::LaneFault& fault : frame.batch().faults())
      context.out << absl::StrFormat("lane %d failed: %s\n", fault.env_id(),
                                     fault.status().message());
    context.out.flush();
  }
  return absl::OkStatus();
}

}  // namespace

Command WatchCommand() {
  return {.name = "watch",
          .operand = "POOL",
          .summary = "Shows the episodes and faults of a pool that somebody else owns.",
          .example = "watch pool-1 --server=tcp:sim-machine:7777",
          .flags = {{.name = "episodes",
                     .kind = FlagKind::kCount,
                     .doc = "Stop after so many; without it, when the pool goes."}},
          .run = Watch};
}

}  // namespace hivewire
