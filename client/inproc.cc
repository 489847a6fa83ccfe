#include "client/inproc.h"

#include <utility>

#include "base/error.h"
#include "client/operation_numbers.h"
#include "server/pool/pool.h"

namespace hivewire {
namespace {

class InprocCarrier final : public Carrier {
 public:
  explicit InprocCarrier(std::unique_ptr<Pool> pool)
      : pool_(std::move(pool)), op_numbers_(pool_->spec().num_lanes()) {}

  const v1::PoolDescription& pool() const override { return pool_->spec().description(); }

  absl::StatusOr<uint64_t> SendStep(absl::Span<const uint32_t> env_ids,
                                    absl::Span<const char> actions) override {
    v1::StepLanes frame;
    frame.mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    frame.set_actions(actions.data(), actions.size());
    op_numbers_.Next(++seq_, env_ids, *frame.mutable_op_nos());
    return Checked(pool_->Step(std::move(frame)));
  }

  absl::StatusOr<uint64_t> SendReset(absl::Span<const uint32_t> env_ids,
                                     absl::Span<const uint64_t> seeds) override {
    v1::ResetLanes frame;
    frame.mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    frame.mutable_seeds()->Add(seeds.begin(), seeds.end());
    op_numbers_.Next(++seq_, env_ids, *frame.mutable_op_nos());
    return Checked(pool_->Reset(std::move(frame)));
  }

  absl::StatusOr<uint64_t> SendLoad(absl::Span<const uint32_t> env_ids,
                                    absl::Span<const std::string> snapshots) override {
    v1::LoadLanes frame;
    frame.mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
    for (const std::string& snapshot : snapshots) frame.add_snapshots(snapshot);
    op_numbers_.Next(++seq_, env_ids, *frame.mutable_op_nos());
    return Checked(pool_->Load(frame));
  }

  absl::StatusOr<Answer> Receive(absl::Time deadline) override {
    const absl::Status status = pool_->Next(deadline, ++batches_, batch_);
    if (!status.ok()) return status;
    return Answer{&batch_, 0, absl::OkStatus()};
  }

  absl::StatusOr<std::vector<std::string>> SaveState(absl::Span<const uint32_t> env_ids) override {
    return pool_->Save(env_ids);
  }

  absl::StatusOr<v1::GetPropertiesResponse> GetProperties(
      const v1::GetPropertiesRequest& request) override {
    v1::GetPropertiesResponse response;
    const absl::Status status =
        pool_->GetProperties(request.env_ids(), request.names(), *response.mutable_lanes());
    if (!status.ok()) return status;
    return response;
  }

  absl::Status SetProperties(const v1::SetPropertiesRequest& request) override {
    return pool_->SetProperties(request.lanes());
  }

  absl::StatusOr<v1::RenderResponse> Render(const v1::RenderRequest&) override {
    return MakeError(v1::ERROR_REASON_NO_RENDERER,
                     "inproc: pools have no renderer; use an env server");
  }

 private:
  absl::StatusOr<uint64_t> Checked(const absl::Status& status) {
    if (status.ok()) return seq_;
    op_numbers_.TakeBack(seq_);
    return status;
  }

  const std::unique_ptr<Pool> pool_;
  OperationNumbers op_numbers_;
  uint64_t seq_ = 0;
  uint64_t batches_ = 0;
  v1::Batch batch_;
};

}  // namespace

CarrierFactory InprocCarriers(const Registry& registry, Workers& workers) {
  return [&registry, &workers](
             const std::string&, const ConnectionOptions&,
             const v1::CreatePoolRequest& request) -> absl::StatusOr<std::unique_ptr<Carrier>> {
    auto task = registry.Make(request.env_id(),
                              Options(request.options().begin(), request.options().end()));
    if (!task.ok()) return task.status();
    auto spec = PoolSpec::Make(*std::move(task), request);
    if (!spec.ok()) return spec.status();
    auto pool = Pool::Create(*std::move(spec), workers);
    if (!pool.ok()) return pool.status();
    return std::make_unique<InprocCarrier>(*std::move(pool));
  };
}

}  // namespace hivewire
