#include "policy/trainer_ranks.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "policy/config/config.h"

namespace hivewire {
namespace {

static_assert(std::is_trivially_copyable_v<EpisodeSummary>);

std::string Prefix(int rank) { return absl::StrCat("rank.", rank, "."); }

// Of a rank: the names of rank 0's tensors that it has not.
constexpr char kWithout[] = "without";

// What `other` has otherwise than `zero`, under names of its own in `all`.
void AddOther(const TensorMap& zero, const TensorMap& other, int rank, TensorMap& all) {
  for (const auto& [name, tensor] : other.tensors()) {
    const auto same = zero.tensors().find(name);
    if (same == zero.tensors().end() || same->second.bytes != tensor.bytes) {
      all.Put(Prefix(rank) + name, tensor);
    }
  }
  std::vector<std::string> without;
  for (const auto& [name, tensor] : zero.tensors()) {
    if (!other.contains(name)) without.push_back(name);
  }
  if (!without.empty()) all.PutBytes(Prefix(rank) + kWithout, absl::StrJoin(without, "\n"));
}

TensorMap TensorsOf(const TensorMap& all, int rank) {
  TensorMap own;
  std::vector<std::string> without;
  if (const auto names = all.GetBytes(Prefix(rank) + kWithout); names.ok()) {
    without = absl::StrSplit(*names, '\n');
  }
  for (const auto& [name, tensor] : all.tensors()) {
    if (!absl::StartsWith(name, "rank.") &&
        std::find(without.begin(), without.end(), name) == without.end()) {
      own.Put(name, tensor);
    }
  }
  const std::string prefix = Prefix(rank);
  for (const auto& [name, tensor] : all.tensors()) {
    if (absl::StartsWith(name, prefix)) own.Put(name.substr(prefix.size()), tensor);
  }
  return own;
}

}  // namespace

absl::StatusOr<TrainingStart> ShareStart(Ranks& ranks, absl::StatusOr<TrainingStart> rank_zeros,
                                         const std::string& own_server) {
  const bool zero = ranks.rank() == 0;
  const absl::Status own = zero ? rank_zeros.status() : absl::OkStatus();
  if (absl::Status status = TrainerRanks(&ranks).Agree(own); !status.ok()) return status;
  std::string config, from;
  if (zero) {
    config = rank_zeros->config.SerializeAsString();
    if (rank_zeros->from != nullptr) {
      absl::StatusOr<std::string> encoded = EncodeCheckpoint(*rank_zeros->from);
      if (!encoded.ok()) return encoded.status();
      from = *std::move(encoded);
    }
  }
  const auto configs = ranks.Share(config);
  if (!configs.ok()) return configs.status();
  const auto froms = ranks.Share(from);
  if (!froms.ok()) return froms.status();
  if (zero) return rank_zeros;
  TrainingStart start;
  if (!start.config.ParseFromString((*configs)[0])) {
    return absl::DataLossError("rank 0's configuration: is it a learner of the same version?");
  }
  if (!own_server.empty()) start.config.mutable_env()->set_server(own_server);
  if (!(*froms)[0].empty()) {
    absl::StatusOr<Checkpoint> checkpoint = DecodeCheckpoint((*froms)[0], "rank 0's checkpoint");
    if (!checkpoint.ok()) return checkpoint.status();
    start.from = std::make_unique<Checkpoint>(*std::move(checkpoint));
  }
  return start;
}

absl::StatusOr<v1::LearnerConfig> TrainerRanks::OwnConfig(const v1::LearnerConfig& config) const {
  if (ranks_ == nullptr) return config;
  const int size = ranks_->size();
  if (config.env().num_envs() % size != 0) {
    return absl::InvalidArgumentError(absl::StrCat("env.num_envs is ", config.env().num_envs(),
                                                   "; with ", size,
                                                   " ranks it can be a multiple of that"));
  }
  v1::LearnerConfig own = config;
  const int lanes = config.env().num_envs() / size;
  own.mutable_env()->set_num_envs(lanes);
  // Lane i of the run starts by seed + i, whichever rank has it.
  own.set_seed(config.seed() + static_cast<uint64_t>(ranks_->rank() * lanes));
  return own;
}

absl::Status TrainerRanks::Agree(const absl::Status& own) const {
  if (ranks_ == nullptr) return own;
  return hivewire::Agree(*ranks_, own.ok() ? absl::StatusOr<int64_t>(0) : own).status();
}

absl::StatusOr<bool> TrainerRanks::Stops(const std::function<bool()>& stop) const {
  const double own = stop() ? 1 : 0;
  if (ranks_ == nullptr) return own != 0;
  const auto all = ranks_->Share(absl::MakeConstSpan(&own, 1));
  if (!all.ok()) return all.status();
  return std::find(all->begin(), all->end(), 1.0) != all->end();
}

absl::Status TrainerRanks::ShareEpisodes(std::vector<EpisodeSummary>& episodes,
                                         int64_t& faults) const {
  if (ranks_ == nullptr) return absl::OkStatus();
  const absl::StatusOr<int64_t> sum = hivewire::Agree(*ranks_, faults);
  if (!sum.ok()) return sum.status();
  faults = *sum;
  const auto all = ranks_->Share(std::string(reinterpret_cast<const char*>(episodes.data()),
                                             episodes.size() * sizeof(EpisodeSummary)));
  if (!all.ok()) return all.status();
  episodes.clear();
  for (const std::string& bytes : *all) {
    const size_t before = episodes.size();
    episodes.resize(before + bytes.size() / sizeof(EpisodeSummary));
    if (!bytes.empty()) std::memcpy(&episodes[before], bytes.data(), bytes.size());
  }
  return absl::OkStatus();
}

absl::Status TrainerRanks::ShareFolder(const std::optional<RunFolder>& folder) {
  if (ranks_ == nullptr) return absl::OkStatus();
  const auto all = ranks_->Share(folder.has_value() ? folder->path() : std::string());
  if (!all.ok()) return all.status();
  folder_ = (*all)[0];
  return absl::OkStatus();
}

absl::Status TrainerRanks::Gather(const absl::Status& own, Checkpoint& checkpoint) const {
  if (ranks_ == nullptr) return own;
  checkpoint.state.set_ranks(ranks_->size());
  absl::StatusOr<std::string> encoded =
      own.ok() ? EncodeCheckpoint(checkpoint) : absl::StatusOr<std::string>(own);
  if (absl::Status status = Agree(encoded.status()); !status.ok()) return status;
  const auto all = ranks_->Share(*encoded);
  if (!all.ok()) return all.status();
  const TensorMap zero = checkpoint.tensors;
  for (int rank = 0; rank < ranks_->size(); ++rank) {
    if (rank == ranks_->rank() || (rank > 0 && ranks_->rank() > 0)) continue;
    const absl::StatusOr<Checkpoint> other =
        DecodeCheckpoint((*all)[static_cast<size_t>(rank)], absl::StrCat("rank ", rank));
    if (!other.ok()) return other.status();
    if (rank == 0) {
      checkpoint.state = other->state;
    } else {
      AddOther(zero, other->tensors, rank, checkpoint.tensors);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> TrainerRanks::OwnPart(const Checkpoint& checkpoint) const {
  const int size = ranks_ == nullptr ? 1 : ranks_->size();
  if (checkpoint.state.ranks() != size) {
    return absl::FailedPreconditionError(absl::StrCat("ranks is ", size, "; the run has ",
                                                      checkpoint.state.ranks(),
                                                      ", and goes on with as many"));
  }
  if (ranks_ == nullptr) return checkpoint;
  return Checkpoint{checkpoint.state, TensorsOf(checkpoint.tensors, ranks_->rank())};
}

absl::Status TrainerRanks::EndWithout(const absl::Status& status, int64_t saved) const {
  std::string text = absl::StrCat(status.message(), "; the run ends");
  // Before the first update there is nothing to keep.
  if (kept_.has_value() && kept_->state.frames() > 0) {
    const int64_t frames = kept_->state.frames();
    const bool mine = writes() || !ranks_->RankZeroIsThere();
    const absl::StatusOr<RunFolder> folder = RunFolder::Open(folder_);
    absl::Status written;
    if (mine && frames != saved) {
      written = folder.status();
      if (written.ok()) {
        written = CheckpointFolder(folder->checkpoints())
                      .Save(*kept_, kept_->state.config().checkpoint().keep());
      }
    }
    if (written.ok()) {
      absl::StrAppend(&text, " with a checkpoint of ", frames, " frames; go on with ",
                      ranks_->size(), " ranks by --resume=", folder_);
    } else {
      absl::StrAppend(&text, " without a checkpoint: ", written.message());
    }
  }
  return absl::UnavailableError(text);
}

}  // namespace hivewire
