#include "server/rpc/rollout_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/sha256.h"
#include "hivewire/v1/rollout.grpc.pb.h"
#include "server/rollout/rollout.h"
#include "server/rollout/rollout_policy.h"
#include "server/rpc/status.h"

namespace hivewire {
namespace {

// How often a Collect that has nothing to send looks whether it should go on.
constexpr absl::Duration kLook = absl::Milliseconds(20);
// For lanes that still run what the session before gave them.
constexpr absl::Duration kIdleTimeout = absl::Seconds(10);
// A crew evaluates a policy for so many lanes at once, and may take this part of a step's time.
constexpr size_t kRowsOfEvaluation = 8;
constexpr int kEvaluationsPerTimeout = 4;
constexpr size_t kDigestBytes = 32;

absl::Status Bad(absl::string_view field, const std::string& value, absl::string_view problem) {
  return MakeError(v1::ERROR_REASON_BAD_POLICY, absl::StrCat(field, ": ", value, problem), field,
                   value);
}

absl::Status Draining(const std::string& pool_id) {
  return MakeError(v1::ERROR_REASON_DRAINING,
                   absl::StrCat("this server is draining; the lanes of pool ", pool_id,
                                " stand still: SaveState, then LoadState and Collect on another"));
}

// The shortest of a few, so that a busy machine refuses nothing that an idle one takes.
absl::Duration TimeOfEvaluation(const PortablePolicy& policy) {
  constexpr int kTries = 5;
  PolicyScratch scratch;
  const std::vector<Draw> draws(kRowsOfEvaluation);
  policy.Reserve(draws.size(), scratch);
  absl::Duration shortest = absl::InfiniteDuration();
  for (int k = 0; k < kTries; ++k) {
    std::fill(scratch.observations.begin(), scratch.observations.end(), 0.0f);
    const absl::Time begin = absl::Now();
    policy.Act(draws, /*deterministic=*/false, scratch);
    shortest = std::min(shortest, absl::Now() - begin);
  }
  return shortest;
}

}  // namespace

absl::Status RolloutService::CheckAllowed() const {
  if (options_.allow) return absl::OkStatus();
  return MakeError(v1::ERROR_REASON_NOT_SUPPORTED,
                   "this server runs no policies: it was started without --allow_rollouts (see "
                   "capabilities in GetServerInfo); step through EnvSession");
}

void RolloutService::AddTo(BlockingCalls& calls) {
  const std::string service = v1::Rollouts::service_full_name();
  calls.Add(service, "PublishPolicy", [this](BlockingCall& call) {
    v1::PublishPolicyResponse response;
    uint64_t version = 0;
    const absl::Status status = PublishPolicy(call, version);
    response.set_version(version);
    if (status.ok()) call.Write(response);
    return ToGrpc(status);
  });
  calls.AddServerStreaming(service, "Collect", this, &RolloutService::Collect);
}

absl::Status RolloutService::PublishPolicy(BlockingCall& call, uint64_t& version) {
  absl::Status status = CheckAllowed();
  if (!status.ok()) return status;
  v1::PublishPolicyRequest message;
  if (!call.Read(message)) {
    return MakeError(v1::ERROR_REASON_BAD_FRAME, "the stream ended before its first message",
                     "chunk");
  }
  const auto hosted = pools_.Find(message.pool_id(), message.lease_token());
  if (!hosted.ok()) return hosted.status();
  const uint64_t total = message.total_bytes();
  const std::string expected = message.sha256();
  if (total > options_.max_policy_bytes) {
    return MakeError(v1::ERROR_REASON_LIMIT,
                     absl::StrCat("total_bytes: ", total, " is more than this server's ",
                                  options_.max_policy_bytes),
                     "total_bytes", absl::StrCat(total));
  }
  if (expected.size() != kDigestBytes) {
    return Bad("sha256", absl::StrCat(expected.size()),
               absl::StrCat(" bytes where a digest has ", kDigestBytes));
  }
  std::string bytes;
  do {
    if (message.chunk().size() > total - bytes.size()) {
      return Bad("chunk", absl::StrCat(bytes.size() + message.chunk().size()),
                 absl::StrCat(" bytes came where total_bytes says ", total));
    }
    bytes += message.chunk();
  } while (call.Read(message));
  if (bytes.size() != total) {
    return Bad("chunk", absl::StrCat(bytes.size()),
               absl::StrCat(" bytes came where total_bytes says ", total));
  }
  std::string digest = Sha256(bytes);
  if (digest != expected)
    return Bad("sha256", "the digest", " is not that of the bytes that came; send them again");
  v1::Policy proto;
  if (!proto.ParseFromString(bytes)) return Bad("chunk", "the bytes", " are no hivewire.v1.Policy");
  auto policy = PortablePolicy::Create(proto, options_.network);
  if (!policy.ok()) return policy.status();
  const Pool& pool = (*hosted)->pool();
  auto fitted = RolloutPolicy::Fit(*std::move(policy), pool.spec());
  if (!fitted.ok()) return fitted.status();
  const absl::Duration took = TimeOfEvaluation((*fitted)->policy());
  const absl::Duration most =
      std::min(options_.max_evaluation, pool.step_timeout() / kEvaluationsPerTimeout);
  if (took > most) {
    return MakeError(v1::ERROR_REASON_LIMIT,
                     absl::StrCat("actor: one evaluation takes ", absl::FormatDuration(took),
                                  " where ", absl::FormatDuration(most), " are allowed"),
                     "actor", absl::FormatDuration(took));
  }
  version = (*fitted)->policy().version();
  status = (*hosted)->policy_slot()->Publish(*std::move(fitted), std::move(digest));
  if (status.ok()) (*hosted)->Touch();
  return status;
}

grpc::Status RolloutService::Collect(BlockingCall& call, const v1::CollectRequest& request) {
  if (const absl::Status status = CheckAllowed(); !status.ok()) return ToGrpc(status);
  const auto hosted = pools_.Find(request.pool_id(), request.lease_token());
  if (!hosted.ok()) return ToGrpc(hosted.status());
  if (pools_.draining()) return ToGrpc(Draining((*hosted)->id()));
  const auto epoch = (*hosted)->AttachRollout([&call] { call.Cancel(); });
  if (!epoch.ok()) return ToGrpc(epoch.status());
  spdlog::debug("{} collected from by {} (epoch {})", (*hosted)->id(), call.context().peer(),
                *epoch);
  const absl::Status status = Stream(**hosted, *epoch, request, call);
  (*hosted)->Detach();
  spdlog::debug("{} collected from (epoch {}): {}", (*hosted)->id(), *epoch,
                status.ok() ? "done" : std::string(status.message()));
  return ToGrpc(status);
}

absl::Status RolloutService::Stream(HostedPool& hosted, uint64_t epoch,
                                    const v1::CollectRequest& request, BlockingCall& call) {
  RolloutLimits limits;
  limits.max_message_bytes = pools_.limits().max_message_bytes;
  limits.max_buffer_bytes = options_.max_buffer_bytes;
  const auto rollout = Rollout::Start(hosted.pool(), hosted.policy_slot(), request, limits,
                                      absl::Now() + kIdleTimeout);
  if (!rollout.ok()) return rollout.status();
  bool concluded = false;  // for the server drains
  while (true) {
    if (call.cancelled()) return absl::CancelledError("the client is gone");
    switch (hosted.EndOf(epoch)) {
      case HostedPool::End::kNone:
        break;
      case HostedPool::End::kSuperseded:
        return MakeError(v1::ERROR_REASON_SUPERSEDED,
                         absl::StrCat("a newer stream attached to pool ", hosted.id()));
      case HostedPool::End::kReleased:
        return MakeError(v1::ERROR_REASON_UNKNOWN_POOL,
                         absl::StrCat("pool ", hosted.id(), " was released"));
    }
    if (!concluded && pools_.draining()) concluded = (*rollout)->Conclude();
    const auto fragment = (*rollout)->Next(absl::Now() + kLook);
    if (absl::IsOutOfRange(fragment.status()))
      return concluded ? Draining(hosted.id()) : absl::OkStatus();
    if (!fragment.ok()) return fragment.status();
    if (*fragment == nullptr) continue;
    if (!call.Write(**fragment)) return absl::CancelledError("the client is gone");
    (*rollout)->Release();
  }
}

}  // namespace hivewire
