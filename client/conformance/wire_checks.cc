#include <algorithm>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/layout.h"
#include "client/action_sampler.h"
#include "client/conformance/conformance.h"
#include "client/conformance/expect.h"
#include "client/control_client.h"
#include "client/grpc_channel.h"
#include "client/session_stream.h"

namespace hivewire {
namespace {

constexpr uint32_t kLanes = 3;

// A pool of a check's own, and what a foreign client does with it.
class Wire {
 public:
  static absl::StatusOr<std::unique_ptr<Wire>> Open(const ConformanceTarget& target) {
    std::unique_ptr<Wire> wire(new Wire);
    auto control = ControlClient::Connect(target.server, target.connection);
    if (!control.ok()) return control.status();
    wire->control_ = *std::move(control);
    auto channel = GrpcChannel::Make(target.server, target.connection);
    if (!channel.ok()) return channel.status();
    wire->channel_ = std::make_unique<GrpcChannel>(*std::move(channel));
    v1::CreatePoolRequest request;
    request.set_env_id(target.env_id);
    request.set_num_envs(kLanes);
    request.set_client_name("conformance");
    auto pool = wire->control_->CreatePool(request);
    if (!pool.ok()) return pool.status();
    wire->pool_ = *std::move(pool);
    const auto& leaves = wire->pool_.pool().action_layout().leaves();
    wire->sampler_ = std::make_unique<ActionSampler>(
        ActionSampler::Kind::kRandom, wire->pool_.pool().spec(),
        std::vector<v1::LayoutLeaf>(leaves.begin(), leaves.end()), 3);
    return wire;
  }

  ~Wire() {
    stream_.reset();
    if (pool_.lease_token().empty()) return;
    v1::ReleasePoolRequest release;
    release.set_pool_id(pool_.pool().pool_id());
    release.set_lease_token(pool_.lease_token());
    control_->ReleasePool(release).IgnoreError();
  }

  v1::Attach Attachment(uint64_t after_seq = 0) const {
    v1::Attach attach;
    attach.set_pool_id(pool_.pool().pool_id());
    attach.set_lease_token(pool_.lease_token());
    attach.set_layout_hash(pool_.pool().result_layout().hash());
    attach.set_resume_after_seq(after_seq);
    return attach;
  }

  // Gives up the stream before, if there is one.
  absl::Status Attach(const v1::Attach& attach, v1::Attached* attached = nullptr) {
    v1::Attached ignored;
    stream_.reset();
    auto stream =
        SessionStream::Attach(*channel_, attach, attached == nullptr ? ignored : *attached);
    if (!stream.ok()) return stream.status();
    stream_ = *std::move(stream);
    return absl::OkStatus();
  }

  absl::Status Reset(uint64_t op_no, v1::ServerFrame& answer) {
    v1::ClientFrame frame;
    frame.mutable_reset()->add_op_nos(op_no);
    for (uint64_t lane = 0; lane < kLanes; ++lane) frame.mutable_reset()->add_seeds(lane);
    return Ask(frame, answer);
  }

  absl::Status Step(uint64_t op_no, v1::ServerFrame& answer) {
    v1::ClientFrame frame;
    frame.mutable_step()->add_op_nos(op_no);
    frame.mutable_step()->set_actions(Actions());
    return Ask(frame, answer);
  }

  absl::Status Ask(v1::ClientFrame& frame, v1::ServerFrame& answer) {
    frame.set_seq(++seq_);
    stream_->Write(std::make_shared<const v1::ClientFrame>(frame));
    return Read(answer);
  }

  absl::Status Read(v1::ServerFrame& answer) {
    do {
      if (stream_->Next(absl::InfiniteFuture(), answer) != SessionStream::Event::kFrame)
        return Broken();
    } while (answer.has_draining());
    return absl::OkStatus();
  }

  // Random actions by the pool's action layout.
  std::string Actions() {
    std::string dense;
    sampler_->Sample(kLanes, dense);
    const PayloadLayout layout(pool_.pool().action_layout());
    std::string payload(layout.PayloadBytes(kLanes), '\0');
    size_t from = 0;
    for (size_t leaf = 0; leaf < layout.num_leaves(); ++leaf) {
      const size_t bytes = kLanes * layout.row_bytes(leaf);
      std::memcpy(payload.data() + layout.Offset(leaf, kLanes), dense.data() + from, bytes);
      from += bytes;
    }
    return payload;
  }

  uint64_t last_seq() const { return seq_; }
  const v1::CreatePoolResponse& pool() const { return pool_; }
  ControlClient& control() { return *control_; }
  std::unique_ptr<SessionStream> TakeStream() { return std::move(stream_); }

 private:
  absl::Status Broken() {
    const absl::Status status = stream_->Finish();
    return status.ok() ? absl::UnavailableError("the server ended the stream") : status;
  }

  std::unique_ptr<ControlClient> control_;
  std::unique_ptr<GrpcChannel> channel_;
  v1::CreatePoolResponse pool_;
  std::unique_ptr<ActionSampler> sampler_;
  std::unique_ptr<SessionStream> stream_;
  uint64_t seq_ = 1;
};

absl::Status ExpectRejected(absl::string_view what, const Wire& wire, const v1::ServerFrame& answer,
                            v1::ErrorReason reason) {
  Verdict verdict;
  verdict << Expect(answer.has_rejected(), absl::StrCat(what, ": was not rejected"))
          << ExpectEqual(absl::StrCat(what, ": client_seq"), answer.rejected().client_seq(),
                         wire.last_seq())
          << ExpectRefused(what, FromProto(answer.rejected().status()), reason);
  return verdict.status();
}

absl::Status TheServerSaysWhatItIs(const ConformanceTarget& target) {
  auto control = ControlClient::Connect(target.server, target.connection);
  if (!control.ok()) return control.status();
  const auto info = (*control)->GetServerInfo();
  if (!info.ok()) return info.status();
  Verdict verdict;
  verdict << ExpectEqual("wire_version", info->wire_version(), 1u)
          << Expect(!info->edition().empty(), "edition is empty")
          << Expect(info->max_lanes() > 0, "max_lanes is 0")
          << Expect(info->max_message_bytes() > 0, "max_message_bytes is 0");
  return verdict.status();
}

absl::Status OnlyTheOwnerAttaches(const ConformanceTarget& target) {
  auto wire = Wire::Open(target);
  if (!wire.ok()) return wire.status();
  Verdict verdict;
  v1::Attach attach = (*wire)->Attachment();
  attach.set_lease_token("00000000000000000000000000000000");
  verdict << ExpectRefused("another token", (*wire)->Attach(attach), v1::ERROR_REASON_BAD_LEASE);
  attach = (*wire)->Attachment();
  attach.set_pool_id("no-such-pool");
  verdict << ExpectRefused("another pool", (*wire)->Attach(attach), v1::ERROR_REASON_UNKNOWN_POOL);
  attach = (*wire)->Attachment();
  attach.set_layout_hash(attach.layout_hash() + 1);
  verdict << ExpectRefused("another layout", (*wire)->Attach(attach),
                           v1::ERROR_REASON_LAYOUT_MISMATCH);
  return (verdict << (*wire)->Attach((*wire)->Attachment())).status();
}

absl::Status ABadFrameIsRejectedWholeAndTheStreamGoesOn(const ConformanceTarget& target) {
  auto wire = Wire::Open(target);
  if (!wire.ok()) return wire.status();
  Verdict verdict;
  v1::ServerFrame answer;
  verdict << (*wire)->Attach((*wire)->Attachment()) << (*wire)->Step(1, answer)
          << ExpectRejected("a step before the reset", **wire, answer, v1::ERROR_REASON_NEEDS_RESET)
          << (*wire)->Reset(1, answer) << Expect(answer.has_batch(), "a reset has no batch")
          << (*wire)->Step(5, answer)
          << ExpectRejected("a gap in op_nos", **wire, answer, v1::ERROR_REASON_BAD_OP_NO);
  if (!verdict.ok()) return verdict.status();
  v1::ClientFrame frame;
  frame.mutable_step()->add_op_nos(2);
  frame.mutable_step()->set_actions("garbage");
  verdict << (*wire)->Ask(frame, answer)
          << ExpectRejected("actions of a wrong size", **wire, answer, v1::ERROR_REASON_BAD_SHAPE);
  if (!verdict.ok()) return verdict.status();
  frame.mutable_reset()->add_op_nos(2);
  frame.mutable_reset()->add_env_ids(kLanes);
  verdict << (*wire)->Ask(frame, answer)
          << ExpectRejected("a lane that is not there", **wire, answer,
                            v1::ERROR_REASON_BAD_ENV_ID);
  frame.mutable_load()->add_op_nos(2);
  for (uint32_t lane = 0; lane < kLanes; ++lane) frame.mutable_load()->add_snapshots("not one");
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Ask(frame, answer)
          << ExpectRejected("bytes that are no snapshot", **wire, answer,
                            v1::ERROR_REASON_BAD_SNAPSHOT);
  frame.Clear();
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Ask(frame, answer)
          << ExpectRejected("an empty frame", **wire, answer, v1::ERROR_REASON_BAD_FRAME);
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Step(2, answer) << Expect(answer.has_batch(), "a good step has no batch");
  return verdict.status();
}

absl::Status AnOperationSentAgainIsNotRunAgain(const ConformanceTarget& target) {
  auto wire = Wire::Open(target);
  if (!wire.ok()) return wire.status();
  Verdict verdict;
  v1::ServerFrame first, again, next;
  verdict << (*wire)->Attach((*wire)->Attachment()) << (*wire)->Reset(1, first);
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Step(2, first);
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Step(2, again) << Expect(again.batch().replay(), "it is not marked a replay")
          << Expect(again.batch().payload() == first.batch().payload(),
                    "operation 2 sent again has another result");
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Step(3, next) << Expect(next.has_batch(), "operation 3 has no result")
          << Expect(!next.batch().replay(), "a new result is marked a replay");
  return verdict.status();
}

absl::Status AClientThatComesBackGetsWhatItMissed(const ConformanceTarget& target) {
  auto wire = Wire::Open(target);
  if (!wire.ok()) return wire.status();
  Verdict verdict;
  v1::ServerFrame reset, step, missed;
  verdict << (*wire)->Attach((*wire)->Attachment()) << (*wire)->Reset(1, reset);
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Step(2, step);
  if (!verdict.ok()) return verdict.status();
  v1::Attached attached;
  verdict << (*wire)->Attach((*wire)->Attachment(reset.seq()), &attached)
          << ExpectEqual("lanes in Attached", attached.accepted_op_no_size(),
                         static_cast<int>(kLanes));
  for (const uint64_t op_no : attached.accepted_op_no())
    verdict << ExpectEqual<uint64_t>("accepted_op_no", op_no, 2);
  verdict << ExpectEqual<uint64_t>("epoch", attached.epoch(), 2);
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Read(missed)
          << Expect(missed.batch().payload() == step.batch().payload(),
                    "what was missed is not what was sent")
          << Expect(missed.seq() > step.seq(), "seq does not rise over streams");
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Step(3, step) << Expect(step.has_batch(), "it does not go on");
  return verdict.status();
}

absl::Status ASecondStreamSupersedesTheFirst(const ConformanceTarget& target) {
  auto wire = Wire::Open(target);
  if (!wire.ok()) return wire.status();
  Verdict verdict;
  verdict << (*wire)->Attach((*wire)->Attachment());
  if (!verdict.ok()) return verdict.status();
  const std::unique_ptr<SessionStream> first = (*wire)->TakeStream();
  v1::ServerFrame last;
  bool received = false;
  std::thread reader([&] {
    received = first->Next(absl::InfiniteFuture(), last) == SessionStream::Event::kFrame;
    first->HalfClose();  // the second stream waits for that
    v1::ServerFrame further;
    while (first->Next(absl::InfiniteFuture(), further) == SessionStream::Event::kFrame) {
    }
  });
  const absl::Status second = (*wire)->Attach((*wire)->Attachment());
  if (!second.ok()) first->Cancel();
  reader.join();
  verdict << second << Expect(received && last.has_fatal(), "the first stream gets no Fatal")
          << ExpectRefused("the first stream", FromProto(last.fatal().status()),
                           v1::ERROR_REASON_SUPERSEDED);
  if (!verdict.ok()) return verdict.status();
  verdict << (*wire)->Reset(1, last) << Expect(last.has_batch(), "the second stream does not work");
  return verdict.status();
}

absl::Status UnaryCallsStepWithPlainNumbers(const ConformanceTarget& target) {
  auto wire = Wire::Open(target);
  if (!wire.ok()) return wire.status();
  v1::ResetRequest reset;
  reset.set_pool_id((*wire)->pool().pool().pool_id());
  reset.set_lease_token((*wire)->pool().lease_token());
  reset.set_encoding(v1::ENCODING_VALUES);
  const auto first = (*wire)->control().Reset(reset);
  if (!first.ok()) return first.status();
  v1::StepRequest step;
  step.set_pool_id(reset.pool_id());
  step.set_lease_token(reset.lease_token());
  step.set_encoding(v1::ENCODING_VALUES);
  step.set_actions((*wire)->Actions());
  const auto second = (*wire)->control().Step(step);
  if (!second.ok()) return second.status();
  Verdict verdict;
  const auto reward = second->rows().values().find("reward");
  verdict << Expect(reward != second->rows().values().end(), "there is no reward by name")
          << Expect(second->rows().payload().empty(), "there are bytes beside the numbers");
  if (!verdict.ok()) return verdict.status();
  verdict << ExpectEqual("rewards", reward->second.values_size(), static_cast<int>(kLanes))
          << (*wire)->Attach((*wire)->Attachment())
          << ExpectRefused("a unary step beside a session", (*wire)->control().Step(step).status(),
                           v1::ERROR_REASON_LEASE_HELD);
  return verdict.status();
}

absl::Status LimitsAreNamed(const ConformanceTarget& target) {
  auto control = ControlClient::Connect(target.server, target.connection);
  if (!control.ok()) return control.status();
  const auto info = (*control)->GetServerInfo();
  if (!info.ok()) return info.status();
  v1::CreatePoolRequest request;
  request.set_env_id(target.env_id);
  Verdict verdict;
  const absl::Status none = (*control)->CreatePool(request).status();
  verdict << Expect(absl::IsInvalidArgument(none), "a pool of 0 lanes is not INVALID_ARGUMENT");
  request.set_num_envs(
      static_cast<uint32_t>(std::min<uint64_t>(info->max_lanes() + 1, UINT32_MAX)));
  verdict << ExpectRefused("more lanes than the server's limit",
                           (*control)->CreatePool(request).status(), v1::ERROR_REASON_LIMIT);
  return verdict.status();
}

absl::Status AReleasedPoolIsGone(const ConformanceTarget& target) {
  auto wire = Wire::Open(target);
  if (!wire.ok()) return wire.status();
  v1::ReleasePoolRequest release;
  release.set_pool_id((*wire)->pool().pool().pool_id());
  release.set_lease_token("00000000000000000000000000000000");
  Verdict verdict;
  verdict << ExpectRefused("a release with another token",
                           (*wire)->control().ReleasePool(release).status(),
                           v1::ERROR_REASON_BAD_LEASE);
  release.set_lease_token((*wire)->pool().lease_token());
  verdict << (*wire)->control().ReleasePool(release).status()
          << ExpectRefused("a second release", (*wire)->control().ReleasePool(release).status(),
                           v1::ERROR_REASON_UNKNOWN_POOL)
          << ExpectRefused("attaching to it", (*wire)->Attach((*wire)->Attachment()),
                           v1::ERROR_REASON_UNKNOWN_POOL);
  return verdict.status();
}

absl::Status PoolsAreListedWithoutTheirTokens(const ConformanceTarget& target) {
  auto wire = Wire::Open(target);
  if (!wire.ok()) return wire.status();
  const auto pools = (*wire)->control().ListPools();
  if (!pools.ok()) return pools.status();
  const auto listed = std::find_if(
      pools->pools().begin(), pools->pools().end(),
      [&](const auto& pool) { return pool.pool_id() == (*wire)->pool().pool().pool_id(); });
  Verdict verdict;
  verdict << Expect(listed != pools->pools().end(), "the pool is not listed")
          << Expect(pools->SerializeAsString().find((*wire)->pool().lease_token()) ==
                        std::string::npos,
                    "the list shows a lease token");
  return verdict.status();
}

}  // namespace

const std::vector<ConformanceCheck>& WireChecks() {
  static const auto* const checks = new std::vector<ConformanceCheck>{
      {"TheServerSaysWhatItIs", TheServerSaysWhatItIs},
      {"OnlyTheOwnerAttaches", OnlyTheOwnerAttaches},
      {"ABadFrameIsRejectedWholeAndTheStreamGoesOn", ABadFrameIsRejectedWholeAndTheStreamGoesOn},
      {"AnOperationSentAgainIsNotRunAgain", AnOperationSentAgainIsNotRunAgain},
      {"AClientThatComesBackGetsWhatItMissed", AClientThatComesBackGetsWhatItMissed},
      {"ASecondStreamSupersedesTheFirst", ASecondStreamSupersedesTheFirst},
      {"UnaryCallsStepWithPlainNumbers", UnaryCallsStepWithPlainNumbers},
      {"LimitsAreNamed", LimitsAreNamed},
      {"AReleasedPoolIsGone", AReleasedPoolIsGone},
      {"PoolsAreListedWithoutTheirTokens", PoolsAreListedWithoutTheirTokens}};
  return *checks;
}

}  // namespace hivewire
