#include "tests/parity/pool_replay.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "base/layout.h"
#include "server/pool/pool.h"

namespace hivewire {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);

absl::Status Mismatch(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("the spec differs: ", what));
}

// Whether our bounds, of which one may stand for all elements and none for `unbounded`, are the
// reference's.
bool SameBounds(const google::protobuf::RepeatedField<double>& ours,
                const std::vector<double>& theirs, double unbounded) {
  for (size_t k = 0; k < theirs.size(); ++k) {
    const double bound =
        ours.empty() ? unbounded : ours[ours.size() == 1 ? 0 : static_cast<int>(k)];
    if (bound != theirs[k]) return false;
  }
  return true;
}

bool SameBox(const v1::LeafSpec& leaf, const std::vector<double>& low,
             const std::vector<double>& high) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return SameBounds(leaf.low(), low, -kInfinity) && SameBounds(leaf.high(), high, kInfinity);
}

// Whether our spec tells what the reference's spaces tell.
absl::Status CompareSpecs(const v1::EnvSpec& spec, const Trajectory& reference) {
  if (spec.max_episode_steps() != reference.max_episode_steps) return Mismatch("max_episode_steps");
  if (spec.observation_size() != 1 ||
      NumElements(spec.observation(0).shape()) != reference.observation_elements ||
      spec.observation(0).dtype() != reference.observation_dtype) {
    return Mismatch("observation");
  }
  if (spec.action_size() != 1 || NumElements(spec.action(0).shape()) != reference.action_elements) {
    return Mismatch("action");
  }
  if (!SameBox(spec.action(0), reference.action_low, reference.action_high))
    return Mismatch("bounds of the action");
  if (!SameBox(spec.observation(0), reference.observation_low, reference.observation_high))
    return Mismatch("bounds of the observation");
  if (static_cast<size_t>(spec.info_size()) != reference.info.size()) {
    return Mismatch(absl::StrCat(spec.info_size(), " info leaves, not ", reference.info.size()));
  }
  for (const InfoLeaf& leaf : reference.info) {
    const auto ours = std::find_if(spec.info().begin(), spec.info().end(),
                                   [&](const auto& info) { return info.name() == leaf.name; });
    if (ours == spec.info().end() || NumElements(ours->shape()) != leaf.elements ||
        ours->in_reset() != leaf.in_reset) {
      return Mismatch(absl::StrCat("info leaf ", leaf.name));
    }
  }
  return absl::OkStatus();
}

template <typename T>
void Append(absl::Span<const double> values, std::string& bytes) {
  for (const double value : values) {
    const T typed = static_cast<T>(value);
    bytes.append(reinterpret_cast<const char*>(&typed), sizeof(T));
  }
}

void AppendAction(v1::DType dtype, absl::Span<const double> action, std::string& bytes) {
  if (dtype == v1::DTYPE_INT64) return Append<int64_t>(action, bytes);
  if (dtype == v1::DTYPE_FLOAT32) return Append<float>(action, bytes);
  Append<double>(action, bytes);
}

double ReadNumber(v1::DType dtype, const char* from) {
  float narrow;
  double wide;
  if (dtype == v1::DTYPE_FLOAT32) return std::memcpy(&narrow, from, sizeof(narrow)), narrow;
  return std::memcpy(&wide, from, sizeof(wide)), wide;
}

class PoolReplay {
 public:
  PoolReplay(Pool& pool, const Trajectory& reference) : pool_(pool), reference_(reference) {
    comparison_.info.resize(reference.info.size());
  }

  absl::StatusOr<Comparison> Run() {
    for (size_t first = 0; first < reference_.size(); first += reference_.lanes) {
      const absl::Status status = RunRound(first);
      if (!status.ok()) return status;
    }
    return comparison_;
  }

 private:
  // One operation of every lane: records `first` and following.
  absl::Status RunRound(size_t first) {
    v1::StepLanes steps;
    v1::ResetLanes seeded, unseeded;
    const uint64_t op_no = first / reference_.lanes + 1;
    for (uint32_t lane = 0; lane < reference_.lanes; ++lane) {
      const Record record = reference_.At(first + lane);
      if (record.is_step) {
        ++comparison_.steps;
        steps.add_env_ids(lane);
        AppendAction(reference_.action_dtype, record.action, *steps.mutable_actions());
        continue;
      }
      ++comparison_.resets;
      (record.is_seeded ? seeded : unseeded).add_env_ids(lane);
      if (record.is_seeded) seeded.add_seeds(record.seed);
    }
    int frames = 0;
    absl::Status status;
    if (steps.env_ids_size() > 0) {
      ++frames;
      steps.add_op_nos(op_no);
      status = pool_.Step(std::move(steps));
    }
    for (v1::ResetLanes* resets : {&seeded, &unseeded}) {
      if (!status.ok() || resets->env_ids_size() == 0) continue;
      ++frames;
      resets->add_op_nos(op_no);
      resets->mutable_options()->insert(reference_.reset_options.begin(),
                                        reference_.reset_options.end());
      status = pool_.Reset(*std::move(resets));
    }
    for (; status.ok() && frames > 0; --frames) {
      status = pool_.Next(absl::Now() + kPatience, ++seq_, batch_);
      if (status.ok()) status = CompareBatch(first);
    }
    return status;
  }

  absl::Status CompareBatch(size_t first) {
    if (batch_.faults_size() > 0) {
      return absl::InternalError(batch_.faults(0).status().message());
    }
    const v1::Layout& layout = pool_.spec().description().result_layout();
    std::vector<size_t> offsets;
    pool_.spec().result_layout().Offsets(static_cast<size_t>(batch_.env_ids_size()), offsets);
    for (int row = 0; row < batch_.env_ids_size(); ++row) {
      const Record record = reference_.At(first + batch_.env_ids(row));
      for (int leaf = 0; leaf < layout.leaves_size(); ++leaf) {
        const size_t offset = offsets[static_cast<size_t>(leaf)] +
                              static_cast<size_t>(row) * layout.leaves(leaf).row_bytes();
        CompareLeaf(layout.leaves(leaf), batch_.payload().data() + offset, record);
      }
    }
    return absl::OkStatus();
  }

  void CompareLeaf(const v1::LayoutLeaf& leaf, const char* from, const Record& record) {
    switch (leaf.role()) {
      case v1::LEAF_ROLE_OBSERVATION:
        return CompareNumbers(leaf, from, record.observation, comparison_.observation);
      case v1::LEAF_ROLE_REWARD:
        return comparison_.reward.Add(ReadNumber(leaf.dtype(), from), record.reward);
      case v1::LEAF_ROLE_FLAGS:
        comparison_.terminated.Add((*from & v1::LANE_FLAG_TERMINATED) != 0, record.terminated);
        return comparison_.truncated.Add((*from & v1::LANE_FLAG_TRUNCATED) != 0, record.truncated);
      case v1::LEAF_ROLE_INFO: {
        size_t offset = 0;
        for (size_t k = 0; k < reference_.info.size(); ++k) {
          const InfoLeaf& info = reference_.info[k];
          if (info.name == leaf.name()) {
            CompareNumbers(leaf, from, record.info.subspan(offset, info.elements),
                           comparison_.info[k]);
          }
          offset += info.elements;
        }
        return;
      }
      default:
        return;
    }
  }

  static void CompareNumbers(const v1::LayoutLeaf& leaf, const char* from,
                             absl::Span<const double> expected, Difference& difference) {
    for (size_t k = 0; k < expected.size(); ++k) {
      difference.Add(ReadNumber(leaf.dtype(), from + k * SizeOf(leaf.dtype())), expected[k]);
    }
  }

  Pool& pool_;
  const Trajectory& reference_;
  uint64_t seq_ = 0;
  v1::Batch batch_;
  Comparison comparison_;
};

}  // namespace

absl::StatusOr<Comparison> ReplayInPool(const Registry& registry, Workers& workers,
                                        const Trajectory& reference) {
  auto task = registry.Make(reference.env_id, reference.options);
  if (!task.ok()) return task.status();
  v1::CreatePoolRequest request;
  request.set_num_envs(static_cast<uint32_t>(reference.lanes));
  request.set_autoreset_mode(v1::AUTORESET_MODE_DISABLED);
  request.set_max_episode_steps(reference.time_limit);
  if (reference.action_dtype != v1::DTYPE_INT64) request.set_action_dtype(reference.action_dtype);
  auto spec = PoolSpec::Make(*std::move(task), request);
  if (!spec.ok()) return spec.status();
  const absl::Status status = CompareSpecs(spec->description().spec(), reference);
  if (!status.ok()) return status;
  const auto pool = Pool::Create(*std::move(spec), workers);
  if (!pool.ok()) return pool.status();
  return PoolReplay(**pool, reference).Run();
}

}  // namespace hivewire
