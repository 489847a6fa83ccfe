#include "tests/bench/counting_carrier.h"

#include <utility>

namespace hivewire {
namespace {

class CountingCarrier final : public Carrier {
 public:
  CountingCarrier(std::unique_ptr<Carrier> inner, CarrierCounts& counts)
      : inner_(std::move(inner)), counts_(counts) {}

  const v1::PoolDescription& pool() const override { return inner_->pool(); }

  absl::StatusOr<uint64_t> SendStep(absl::Span<const uint32_t> env_ids,
                                    absl::Span<const char> actions) override {
    auto sent = inner_->SendStep(env_ids, actions);
    if (counts_.sizes_wanted && sent.ok()) {
      // The frame as a carrier writes it.
      v1::ClientFrame frame;
      frame.set_seq(*sent);
      frame.mutable_step()->mutable_env_ids()->Add(env_ids.begin(), env_ids.end());
      frame.mutable_step()->add_op_nos(*sent);
      frame.mutable_step()->set_actions(actions.data(), actions.size());
      ++counts_.frames;
      counts_.bytes_up += static_cast<int64_t>(frame.ByteSizeLong());
    }
    return sent;
  }

  absl::StatusOr<uint64_t> SendReset(absl::Span<const uint32_t> env_ids,
                                     absl::Span<const uint64_t> seeds) override {
    return inner_->SendReset(env_ids, seeds);
  }

  absl::StatusOr<Answer> Receive(absl::Time deadline) override {
    auto answer = inner_->Receive(deadline);
    if (!answer.ok() || answer->batch == nullptr) return answer;
    counts_.last_step_seconds = 1e-9 * static_cast<double>(answer->batch->timing().step_ns());
    if (counts_.sizes_wanted) {
      ++counts_.batches;
      counts_.bytes_down += static_cast<int64_t>(answer->batch->ByteSizeLong());
    }
    return answer;
  }

  absl::StatusOr<std::vector<std::string>> SaveState(absl::Span<const uint32_t> env_ids) override {
    return inner_->SaveState(env_ids);
  }

  absl::StatusOr<uint64_t> SendLoad(absl::Span<const uint32_t> env_ids,
                                    absl::Span<const std::string> snapshots) override {
    return inner_->SendLoad(env_ids, snapshots);
  }

  absl::StatusOr<v1::RenderResponse> Render(const v1::RenderRequest& request) override {
    return inner_->Render(request);
  }

  absl::StatusOr<v1::GetPropertiesResponse> GetProperties(
      const v1::GetPropertiesRequest& request) override {
    return inner_->GetProperties(request);
  }

  absl::Status SetProperties(const v1::SetPropertiesRequest& request) override {
    return inner_->SetProperties(request);
  }

 private:
  const std::unique_ptr<Carrier> inner_;
  CarrierCounts& counts_;
};

}  // namespace

CarrierFactory CountingCarriers(CarrierFactory inner, CarrierCounts& counts) {
  return [inner = std::move(inner), &counts](
             const std::string& address, const ConnectionOptions& connection,
             const v1::CreatePoolRequest& request) -> absl::StatusOr<std::unique_ptr<Carrier>> {
    auto carrier = inner(address, connection, request);
    if (!carrier.ok()) return carrier.status();
    return std::make_unique<CountingCarrier>(*std::move(carrier), counts);
  };
}

}  // namespace hivewire
