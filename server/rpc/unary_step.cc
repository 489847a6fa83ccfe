#include "server/rpc/unary_step.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/elements.h"
#include "base/error.h"
#include "base/layout.h"

namespace hivewire {
namespace {

using EnvIds = google::protobuf::RepeatedField<uint32_t>;
using OpNos = google::protobuf::RepeatedField<uint64_t>;

class UnaryHold {
 public:
  explicit UnaryHold(HostedPool& hosted) : hosted_(hosted), status_(hosted.BeginUnary()) {}
  ~UnaryHold() {
    if (status_.ok()) hosted_.EndUnary();
  }
  const absl::Status& status() const { return status_; }

 private:
  HostedPool& hosted_;
  const absl::Status status_;
};

// Batches that an earlier session or call left behind: their rows are kept by the lanes, so nothing
// is lost.
void TakeLeftovers(Pool& pool, HostedPool& hosted) {
  v1::Batch batch;
  while (pool.Next(absl::InfinitePast(), hosted.NextSeq(), batch).ok()) hosted.TookSeq();
}

OpNos NextOpNos(const Pool& pool, const EnvIds& env_ids) {
  v1::Attached lanes;
  pool.DescribeLanes(lanes);
  OpNos op_nos;
  if (env_ids.empty()) {
    for (const uint64_t accepted : lanes.accepted_op_no()) op_nos.Add(accepted + 1);
  }
  for (const uint32_t lane : env_ids) {
    // A lane out of range is the pool's to refuse.
    const bool known = static_cast<int64_t>(lane) < lanes.accepted_op_no_size();
    op_nos.Add(known ? lanes.accepted_op_no(static_cast<int>(lane)) + 1 : 1);
  }
  return op_nos;
}

v1::Numbers LeafToNumbers(const v1::LayoutLeaf& leaf, const char* slab, size_t rows) {
  v1::Numbers numbers;
  numbers.add_shape(static_cast<int64_t>(rows));
  numbers.mutable_shape()->MergeFrom(leaf.shape());
  const size_t count = rows * leaf.row_bytes() / SizeOf(leaf.dtype());
  numbers.mutable_values()->Resize(static_cast<int>(count), 0);
  ReadElements(leaf.dtype(), slab, count, numbers.mutable_values()->mutable_data());
  return numbers;
}

void PayloadToNumbers(const v1::Layout& layout, const std::string& payload, size_t rows,
                      google::protobuf::Map<std::string, v1::Numbers>& values) {
  std::vector<size_t> offsets;
  PayloadLayout(layout).Offsets(rows, offsets);
  for (int k = 0; k < layout.leaves_size(); ++k) {
    const v1::LayoutLeaf& leaf = layout.leaves(k);
    values[leaf.name()] =
        LeafToNumbers(leaf, payload.data() + offsets[static_cast<size_t>(k)], rows);
  }
}

absl::StatusOr<std::string> ActionsFromNumbers(
    const PoolSpec& spec, size_t rows,
    const google::protobuf::Map<std::string, v1::Numbers>& values) {
  const v1::Layout& layout = spec.description().action_layout();
  std::vector<size_t> offsets;
  spec.action_layout().Offsets(rows, offsets);
  std::string actions(spec.action_layout().PayloadBytes(rows), '\0');
  for (int k = 0; k < layout.leaves_size(); ++k) {
    const v1::LayoutLeaf& leaf = layout.leaves(k);
    const std::string field = absl::StrCat("action_values[\"", leaf.name(), "\"]");
    const auto numbers = values.find(leaf.name());
    if (numbers == values.end()) {
      return MakeError(v1::ERROR_REASON_BAD_SHAPE, absl::StrCat(field, ": is missing"), field);
    }
    const size_t expected = rows * NumElements(leaf.shape());
    if (static_cast<size_t>(numbers->second.values_size()) != expected) {
      return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                       absl::StrCat(field, ": ", numbers->second.values_size(), " numbers where ",
                                    rows, " lanes need ", expected),
                       field, absl::StrCat(numbers->second.values_size()));
    }
    for (const double value : numbers->second.values()) {
      // A cast of what the dtype cannot hold would be undefined.
      if (!(value >= -9.0e15 && value <= 9.0e15)) {
        return MakeError(v1::ERROR_REASON_BAD_ACTION,
                         absl::StrCat(field, ": ", value, " is not a finite action"), field,
                         absl::StrCat(value));
      }
    }
    WriteElements(leaf.dtype(), numbers->second.values().data(), expected,
                  actions.data() + offsets[static_cast<size_t>(k)]);
  }
  if (values.size() != static_cast<size_t>(layout.leaves_size())) {
    const std::string known = absl::StrJoin(
        layout.leaves(), ", ",
        [](std::string* out, const v1::LayoutLeaf& leaf) { absl::StrAppend(out, leaf.name()); });
    return MakeError(v1::ERROR_REASON_BAD_SHAPE,
                     absl::StrCat("action_values: this env's action leaves are: ", known),
                     "action_values");
  }
  return actions;
}

// Waits for the one batch of each part of the operation and turns it into Rows.
absl::Status Collect(HostedPool& hosted, size_t num_rows, v1::Encoding encoding,
                     absl::Time deadline, v1::Rows& rows) {
  Pool& pool = hosted.pool();
  v1::ServerFrame frame;
  frame.set_seq(hosted.NextSeq());
  v1::Batch& batch = *frame.mutable_batch();
  const absl::Status status = pool.Next(deadline, frame.seq(), batch);
  if (!status.ok()) return status;
  hosted.TookSeq();
  hosted.broadcast().Publish(frame);
  if (static_cast<size_t>(batch.env_ids_size()) != num_rows) {
    return MakeError(
        v1::ERROR_REASON_BAD_OP_NO,
        "op_nos: some lanes of the call repeat an operation and others begin one; make two calls",
        "op_nos");
  }
  *rows.mutable_env_ids() = batch.env_ids();
  *rows.mutable_faults() = batch.faults();
  *rows.mutable_episodes() = batch.episodes();
  if (encoding != v1::ENCODING_VALUES) {
    rows.set_payload(std::move(*batch.mutable_payload()));
    if (batch.has_finals()) *rows.mutable_finals() = std::move(*batch.mutable_finals());
    return absl::OkStatus();
  }
  const v1::PoolDescription& description = pool.spec().description();
  PayloadToNumbers(description.result_layout(), batch.payload(), num_rows, *rows.mutable_values());
  if (batch.has_finals()) {
    *rows.mutable_finals()->mutable_rows() = batch.finals().rows();
    PayloadToNumbers(description.final_layout(), batch.finals().payload(),
                     static_cast<size_t>(batch.finals().rows_size()), *rows.mutable_final_values());
  }
  return absl::OkStatus();
}

size_t NumRows(const HostedPool& hosted, const EnvIds& env_ids) {
  return env_ids.empty() ? hosted.description().num_envs() : static_cast<size_t>(env_ids.size());
}

// The common part: `submit` gives the pool its frame, numbered.
template <typename Request, typename Submit>
absl::Status RunUnary(HostedPool& hosted, const Request& request, v1::Encoding encoding,
                      absl::Time deadline, v1::Rows& rows, Submit submit) {
  const UnaryHold hold(hosted);
  if (!hold.status().ok()) return hold.status();
  Pool& pool = hosted.pool();
  TakeLeftovers(pool, hosted);
  pool.SetBatchPolicy({});
  const OpNos op_nos =
      request.op_nos().empty() ? NextOpNos(pool, request.env_ids()) : request.op_nos();
  const absl::Status status = submit(op_nos);
  if (!status.ok()) return status;
  return Collect(hosted, NumRows(hosted, request.env_ids()), encoding, deadline, rows);
}

}  // namespace

absl::Status UnaryReset(HostedPool& hosted, const v1::ResetRequest& request, absl::Time deadline,
                        v1::Rows& rows) {
  return RunUnary(hosted, request, request.encoding(), deadline, rows, [&](const OpNos& op_nos) {
    v1::ResetLanes frame;
    *frame.mutable_env_ids() = request.env_ids();
    *frame.mutable_op_nos() = op_nos;
    *frame.mutable_seeds() = request.seeds();
    *frame.mutable_options() = request.options();
    return hosted.pool().Reset(std::move(frame));
  });
}

absl::Status UnaryStep(HostedPool& hosted, const v1::StepRequest& request, absl::Time deadline,
                       v1::Rows& rows) {
  return RunUnary(hosted, request, request.encoding(), deadline, rows, [&](const OpNos& op_nos) {
    v1::StepLanes frame;
    *frame.mutable_env_ids() = request.env_ids();
    *frame.mutable_op_nos() = op_nos;
    if (request.action_values().empty()) {
      frame.set_actions(request.actions());
    } else {
      absl::StatusOr<std::string> actions = ActionsFromNumbers(
          hosted.pool().spec(), NumRows(hosted, request.env_ids()), request.action_values());
      if (!actions.ok()) return actions.status();
      frame.set_actions(*std::move(actions));
    }
    return hosted.pool().Step(std::move(frame));
  });
}

absl::Status UnaryLoad(HostedPool& hosted, const v1::LoadStateRequest& request, absl::Time deadline,
                       v1::Rows& rows) {
  return RunUnary(hosted, request, v1::ENCODING_UNSPECIFIED, deadline, rows,
                  [&](const OpNos& op_nos) {
                    v1::LoadLanes frame;
                    *frame.mutable_env_ids() = request.env_ids();
                    *frame.mutable_op_nos() = op_nos;
                    *frame.mutable_snapshots() = request.snapshots();
                    frame.set_allow_inexact(request.allow_inexact());
                    return hosted.pool().Load(frame);
                  });
}

}  // namespace hivewire
