// hivectl info and hivectl pools: what servers are, and what they host.
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "client/commands/command.h"
#include "client/commands/session.h"
#include "client/commands/table.h"
#include "client/connection_flags.h"

namespace hivewire {
namespace {

absl::Status Info(const CommandContext& context) {
  const auto addresses = Addresses();
  if (!addresses.ok()) return addresses.status();
  for (const std::string& address : *addresses) {
    const auto client = ControlClient::Connect(address, ConnectionFromFlags());
    if (!client.ok()) return client.status();
    const auto info = (*client)->GetServerInfo();
    if (!info.ok()) return info.status();
    const auto counts = (*client)->GetStatistics({});
    if (!counts.ok()) return counts.status();
    const double busy = counts->worker_busy_seconds();
    Table table;
    table.AddRow({"address", address});
    table.AddRow({"host", info->hostname()});
    table.AddRow({"build", info->build()});
    table.AddRow({"edition", absl::StrCat(info->edition(), ", wire ", info->wire_version())});
    table.AddRow({"engine", info->engine()});
    table.AddRow({"renderer", info->renderer().empty() ? "none" : info->renderer()});
    table.AddRow({"offers", absl::StrJoin(info->capabilities(), ", ")});
    table.AddRow({"workers", absl::StrCat(info->num_workers())});
    table.AddRow({"uptime", absl::FormatDuration(
                                absl::Trunc(absl::Seconds(counts->uptime()), absl::Seconds(1)))});
    table.AddRow({"pools", absl::StrFormat("%d, with %d of at most %d lanes, and %d sessions",
                                           counts->pools(), counts->lanes(), info->max_lanes(),
                                           counts->sessions())});
    table.AddRow(
        {"done", absl::StrFormat("%d steps, %d episodes, %d faults in %.1f worker seconds",
                                 counts->steps(), counts->episodes(), counts->faults(), busy)});
    table.AddRow(
        {"memory",
         absl::StrFormat("%.1f MiB", static_cast<double>(counts->resident_bytes()) / (1 << 20))});
    if (info->draining()) table.AddRow({"state", "draining: takes no new pools"});
    if (&address != &addresses->front()) context.out << '\n';
    table.Print(context.out);
  }
  return absl::OkStatus();
}

absl::Status Pools(const CommandContext& context) {
  const auto addresses = Addresses();
  if (!addresses.ok()) return addresses.status();
  Table table({"SERVER", "POOL", "ENV", "LANES", "STEPS", "LEASE", "CLIENT"});
  for (const std::string& address : *addresses) {
    const auto client = ControlClient::Connect(address, ConnectionFromFlags());
    if (!client.ok()) return client.status();
    const auto pools = (*client)->ListPools();
    if (!pools.ok()) return pools.status();
    for (const auto& pool : pools->pools()) {
      const absl::Duration left = absl::Milliseconds(pool.lease_left_ms());
      table.AddRow({address, pool.pool_id(), pool.env_id(), absl::StrCat(pool.num_envs()),
                    absl::StrCat(pool.steps()),
                    pool.attached() ? "attached"
                                    : absl::StrCat("ends in ", absl::FormatDuration(absl::Trunc(
                                                                   left, absl::Seconds(1)))),
                    pool.client_name()});
    }
  }
  table.Print(context.out);
  return absl::OkStatus();
}

}  // namespace

Command InfoCommand() {
  return {.name = "info",
          .operand = "",
          .summary = "Shows what each server is, what it offers and what it has done.",
          .example = "info --server=tcp:sim1:7777,tcp:sim2:7777",
          .flags = {},
          .run = Info};
}

Command PoolsCommand() {
  return {.name = "pools",
          .operand = "",
          .summary = "Lists the pools that each server hosts, and whether somebody is attached.",
          .example = "pools",
          .flags = {},
          .run = Pools};
}

}  // namespace hivewire
