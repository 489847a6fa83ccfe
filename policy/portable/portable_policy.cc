#include "policy/portable/portable_policy.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace hivewire {
namespace {

absl::Status Bad(absl::string_view field, absl::string_view value, absl::string_view problem) {
  return MakeError(v1::ERROR_REASON_BAD_POLICY, absl::StrCat(field, ": ", value, problem), field,
                   value);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const PortablePolicy>> PortablePolicy::Create(
    const v1::Policy& policy, const NetworkLimits& limits) {
  if (policy.actor().empty()) return Bad("actor", "0", " layers; give at least 1");
  absl::Status status = CheckLayers("actor", policy.actor(), limits);
  if (status.ok()) status = CheckLayers("critic", policy.critic(), limits);
  if (!status.ok()) return status;
  auto made = std::shared_ptr<PortablePolicy>(new PortablePolicy);
  made->version_ = policy.version();
  const DenseKernel kernel = BestDenseKernel();
  made->actor_ = Network(policy.actor(), kernel);
  made->critic_ = Network(policy.critic(), kernel);
  size_t outputs = made->actor_.outputs();
  if (policy.has_recurrent()) {
    if (!limits.may_remember) {
      return Bad("recurrent", absl::StrCat(policy.recurrent().width(), " elements"),
                 "; policies that remember run in learners and collectors, not here");
    }
    status = CheckRecurrent(policy.recurrent(), outputs, limits);
    if (status.ok()) status = CheckLayers("after_recurrent", policy.after_recurrent(), limits);
    if (!status.ok()) return status;
    outputs = policy.recurrent().width();
    made->recurrent_ = RecurrentCell(policy.recurrent(), kernel);
  }
  if (!policy.after_recurrent().empty()) {
    if (policy.after_recurrent(0).inputs() != outputs || !policy.has_recurrent()) {
      return Bad("after_recurrent[0].inputs", absl::StrCat(policy.after_recurrent(0).inputs()),
                 policy.has_recurrent() ? absl::StrCat(" where recurrent has ", outputs, " outputs")
                                        : " where there is no recurrent");
    }
    made->after_recurrent_ = Network(policy.after_recurrent(), kernel);
    outputs = made->after_recurrent_.outputs();
  }
  if (made->has_critic()) {
    if (made->critic_.inputs() != made->actor_.inputs()) {
      return Bad("critic[0].inputs", absl::StrCat(made->critic_.inputs()),
                 absl::StrCat(" where actor[0] has ", made->actor_.inputs()));
    }
    if (made->critic_.outputs() != 1) {
      return Bad(absl::StrCat("critic[", policy.critic_size() - 1, "].outputs"),
                 absl::StrCat(made->critic_.outputs()), " where a value is 1 number");
    }
  }
  if (policy.observation_leaves().empty())
    return Bad("observation_leaves", "0", " leaves; name what the policy sees");
  for (const std::string& leaf : policy.observation_leaves()) {
    auto& leaves = made->observation_leaves_;
    if (std::find(leaves.begin(), leaves.end(), leaf) != leaves.end())
      return Bad("observation_leaves", absl::StrCat("\"", leaf, "\""), " stands there twice");
    leaves.push_back(leaf);
  }
  status = made->SetNormalizer(policy.observation_normalizer());
  if (!status.ok()) return status;
  made->action_ = policy.action();
  auto head = Head::Make(policy.head(), policy.action(), outputs);
  if (!head.ok()) return head.status();
  made->head_ = *std::move(head);
  return made;
}

absl::Status PortablePolicy::SetNormalizer(const v1::Normalizer& normalizer) {
  if (normalizer.mean().empty() && normalizer.variance().empty()) return absl::OkStatus();
  const auto check_size = [&](absl::string_view field, int size) {
    if (static_cast<size_t>(size) == observation_dim()) return absl::OkStatus();
    return Bad(absl::StrCat("observation_normalizer.", field), absl::StrCat(size),
               absl::StrCat(" numbers where actor[0] has ", observation_dim(), " inputs"));
  };
  absl::Status status = check_size("mean", normalizer.mean_size());
  if (status.ok()) status = check_size("variance", normalizer.variance_size());
  if (!status.ok()) return status;
  for (int k = 0; k < normalizer.mean_size(); ++k) {
    shift_.push_back(static_cast<float>(normalizer.mean(k)));
    scale_.push_back(
        static_cast<float>(1.0 / std::sqrt(normalizer.variance(k) + normalizer.epsilon())));
    if (std::isfinite(shift_.back()) && std::isfinite(scale_.back())) continue;
    return Bad(absl::StrCat("observation_normalizer, element ", k),
               absl::StrCat("mean ", normalizer.mean(k), ", variance ", normalizer.variance(k),
                            ", epsilon ", normalizer.epsilon()),
               " is nothing to normalise by");
  }
  clip_ = static_cast<float>(normalizer.clip());
  if (!std::isfinite(clip_) || clip_ < 0) {
    return Bad("observation_normalizer.clip", absl::StrCat(normalizer.clip()),
               " is neither 0 (none) nor more");
  }
  return absl::OkStatus();
}

void PortablePolicy::Reserve(size_t rows, PolicyScratch& scratch) const {
  const auto grow = [](auto& vector, size_t size) {
    if (vector.size() < size) vector.resize(size);
  };
  grow(scratch.observations, rows * observation_dim());
  grow(scratch.chosen, rows * action_dim());
  grow(scratch.sent, rows * action_dim());
  grow(scratch.log_probs, rows);
  grow(scratch.values, rows);
  grow(scratch.memory, rows * memory_width());
}

void PortablePolicy::Normalize(size_t rows, float* observations) const {
  if (shift_.empty()) return;
  const size_t dim = observation_dim();
  for (size_t row = 0; row < rows; ++row) {
    float* values = observations + row * dim;
    for (size_t k = 0; k < dim; ++k) {
      const float value = (values[k] - shift_[k]) * scale_[k];
      values[k] = clip_ > 0 && !std::isnan(value) ? std::clamp(value, -clip_, clip_) : value;
    }
  }
}

void PortablePolicy::Act(absl::Span<const Draw> draws, bool deterministic,
                         PolicyScratch& scratch) const {
  const size_t rows = draws.size();
  Normalize(rows, scratch.observations.data());
  const float* outputs =
      actor_.Evaluate(scratch.observations.data(), observation_dim(), rows, scratch.network);
  size_t stride = actor_.output_stride();
  if (memory_width() > 0) {
    outputs = recurrent_.Evaluate(outputs, stride, rows, scratch.memory.data(), scratch.recurrent);
    stride = recurrent_.width();
    if (!after_recurrent_.empty()) {
      outputs = after_recurrent_.Evaluate(outputs, stride, rows, scratch.network);
      stride = after_recurrent_.output_stride();
    }
  }
  Choose(draws, deterministic, outputs, stride, scratch);
  if (has_critic()) ValueNormalized(rows, scratch);
}

void PortablePolicy::Choose(absl::Span<const Draw> draws, bool deterministic, const float* outputs,
                            size_t stride, PolicyScratch& scratch) const {
  const size_t dim = action_dim();
  for (size_t row = 0; row < draws.size(); ++row) {
    CounterRng rng(draws[row].seed, draws[row].lane, draws[row].step);
    scratch.log_probs[row] =
        head_.Choose(outputs + row * stride, deterministic ? nullptr : &rng,
                     scratch.chosen.data() + row * dim, scratch.sent.data() + row * dim);
  }
}

void PortablePolicy::Value(size_t rows, PolicyScratch& scratch) const {
  Normalize(rows, scratch.observations.data());
  ValueNormalized(rows, scratch);
}

void PortablePolicy::ValueNormalized(size_t rows, PolicyScratch& scratch) const {
  const float* values =
      critic_.Evaluate(scratch.observations.data(), observation_dim(), rows, scratch.network);
  for (size_t row = 0; row < rows; ++row)
    scratch.values[row] = values[row * critic_.output_stride()];
}

bool PortablePolicy::AllFinite(size_t row, const PolicyScratch& scratch) const {
  bool finite = std::isfinite(scratch.log_probs[row]);
  if (has_critic()) finite = finite && std::isfinite(scratch.values[row]);
  const size_t dim = action_dim();
  for (size_t k = row * dim; k < (row + 1) * dim; ++k)
    finite = finite && std::isfinite(scratch.chosen[k]) && std::isfinite(scratch.sent[k]);
  return finite;
}

}  // namespace hivewire
