#include "server/pool/snapshot.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/nearest.h"
#include "hivewire/v1/snapshot.pb.h"

namespace hivewire {
namespace {

constexpr uint32_t kFormat = 2;
constexpr size_t kMaxFaultBytes = 4096;

// Deterministic for messages with maps too.
std::string Serialize(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

uint64_t Hash(absl::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
  return hash;
}

uint64_t Checksum(v1::LaneSnapshot snapshot) {
  snapshot.set_checksum(0);
  return Hash(Serialize(snapshot));
}

std::string CpuFeatures() {
  std::string features = "x86-64";
  if (__builtin_cpu_supports("avx2")) features += " avx2";
  if (__builtin_cpu_supports("fma")) features += " fma";
  if (__builtin_cpu_supports("avx512f")) features += " avx512f";
  return features;
}

absl::Status Bad(absl::string_view field, absl::string_view problem) {
  return MakeError(v1::ERROR_REASON_BAD_SNAPSHOT, absl::StrCat(field, ": ", problem), field);
}

absl::Status CopyFinite(absl::string_view field,
                        const google::protobuf::RepeatedField<double>& from,
                        std::vector<double>& to) {
  if (static_cast<size_t>(from.size()) != to.size()) {
    return Bad(field, absl::StrCat(from.size(), " numbers where this env has ", to.size()));
  }
  for (int k = 0; k < from.size(); ++k) {
    if (!std::isfinite(from[k])) return Bad(field, absl::StrCat("element ", k, " is not finite"));
    to[static_cast<size_t>(k)] = from[k];
  }
  return absl::OkStatus();
}

absl::Status CheckOrigin(const PoolSpec& spec, const v1::LaneSnapshot& snapshot,
                         bool allow_inexact) {
  const v1::EnvSpec& env = spec.description().spec();
  if (snapshot.format() != kFormat) {
    return Bad("format", absl::StrCat(snapshot.format(), " where this server reads ", kFormat));
  }
  if (snapshot.checksum() != Checksum(snapshot)) return Bad("checksum", "the snapshot is damaged");
  if (snapshot.env_id() != env.id()) {
    return Bad("env_id", absl::StrCat("\"", snapshot.env_id(), "\" where this pool is of \"",
                                      env.id(), "\""));
  }
  if (snapshot.engine() != env.engine()) {
    return Bad("engine", absl::StrCat("\"", snapshot.engine(), "\" where this server has \"",
                                      env.engine(), "\""));
  }
  if (snapshot.layout_hash() != spec.description().result_layout().hash()) {
    return Bad("layout_hash", "the pool that it was taken from had other leaves or dtypes");
  }
  if (snapshot.spec_hash() != Hash(Serialize(env))) {
    return Bad("spec_hash", "the pool that it was taken from had other options");
  }
  if (!allow_inexact && snapshot.cpu_features() != CpuFeatures()) {
    return Bad(
        "cpu_features",
        absl::StrCat(
            "\"", snapshot.cpu_features(), "\" where this machine has \"", CpuFeatures(),
            "\": it would continue, but not bit for bit (set allow_inexact to accept that)"));
  }
  return absl::OkStatus();
}

// What came beside the last result.
absl::Status LoadCompanions(const v1::LaneSnapshot& snapshot, Lane& lane) {
  if (snapshot.has_ended_episode()) {
    if (!std::isfinite(snapshot.ended_episode().episode_return()))
      return Bad("ended_episode.episode_return", "is not finite");
    lane.has_episode = true;
    lane.ended_episode = snapshot.ended_episode();
    lane.ended_episode.set_env_id(lane.env_id);
  }
  if (snapshot.has_fault()) {
    if (snapshot.fault().code() == 0) return Bad("fault", "is no error");
    if (snapshot.fault().ByteSizeLong() > kMaxFaultBytes)
      return Bad("fault", absl::StrCat("is larger than ", kMaxFaultBytes, " bytes"));
    lane.fault = FromProto(snapshot.fault());
  }
  if (snapshot.faults_in_a_row() < 0) return Bad("faults_in_a_row", "is negative");
  lane.faults_in_a_row = snapshot.faults_in_a_row();
  return absl::OkStatus();
}

absl::Status LoadOverrides(const v1::LaneSnapshot& snapshot, Properties& properties, Lane& lane) {
  ModelOverrides::Values values;
  for (const v1::PropertyOverride& property : snapshot.overrides()) {
    const auto& numbers = property.values();
    if (!values.try_emplace(property.name(), numbers.begin(), numbers.end()).second)
      return Bad("overrides", absl::StrCat("\"", Excerpt(property.name()), "\" stands twice"));
  }
  auto overrides = properties.MakeOverrides(std::move(values));
  if (!overrides.ok()) return Bad("overrides", overrides.status().message());
  lane.overrides = *std::move(overrides);
  return absl::OkStatus();
}

}  // namespace

std::string SaveSnapshot(const PoolSpec& spec, const Lane& lane) {
  const v1::EnvSpec& env = spec.description().spec();
  v1::LaneSnapshot snapshot;
  snapshot.set_format(kFormat);
  snapshot.set_env_id(env.id());
  snapshot.set_engine(env.engine());
  snapshot.set_layout_hash(spec.description().result_layout().hash());
  snapshot.set_spec_hash(Hash(Serialize(env)));
  snapshot.set_cpu_features(CpuFeatures());
  snapshot.mutable_state()->Add(lane.state.begin(), lane.state.end());
  snapshot.mutable_task_state()->Add(lane.task_state.begin(), lane.task_state.end());
  const NumpyRng::State& rng = lane.rng.state();
  v1::RngState& rng_state = *snapshot.mutable_rng();
  rng_state.set_state_high(rng.state_high);
  rng_state.set_state_low(rng.state_low);
  rng_state.set_increment_high(rng.increment_high);
  rng_state.set_increment_low(rng.increment_low);
  rng_state.set_buffered_half(rng.buffered_half);
  rng_state.set_has_buffered_half(rng.has_buffered_half);
  snapshot.set_seed(lane.seed);
  snapshot.set_episode(lane.episode);
  snapshot.set_elapsed_steps(lane.elapsed_steps);
  snapshot.set_episode_return(lane.episode_return);
  snapshot.set_phase(static_cast<uint32_t>(lane.phase));
  snapshot.set_row(std::string(lane.row.data(), lane.row.size()));
  snapshot.set_final_row(std::string(lane.final_row.data(), lane.final_row.size()));
  snapshot.set_has_final(lane.has_final);
  if (lane.has_episode) *snapshot.mutable_ended_episode() = lane.ended_episode;
  if (!lane.fault.ok()) *snapshot.mutable_fault() = ToProto(lane.fault);
  snapshot.set_faults_in_a_row(lane.faults_in_a_row);
  if (lane.overrides != nullptr) {
    for (const auto& [name, values] : lane.overrides->values()) {
      v1::PropertyOverride& property = *snapshot.add_overrides();
      property.set_name(name);
      property.mutable_values()->Assign(values.begin(), values.end());
    }
  }
  snapshot.set_checksum(Checksum(snapshot));
  return snapshot.SerializeAsString();
}

absl::StatusOr<Lane> LoadSnapshot(const PoolSpec& spec, uint32_t env_id, absl::string_view bytes,
                                  uint64_t op_no, bool allow_inexact, Properties& properties) {
  v1::LaneSnapshot snapshot;
  if (!snapshot.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Bad("snapshot", "is not a LaneSnapshot");
  }
  absl::Status status = CheckOrigin(spec, snapshot, allow_inexact);
  if (!status.ok()) return status;
  Lane lane = LaneRunner::MakeLane(spec, env_id, snapshot.seed());
  status = CopyFinite("state", snapshot.state(), lane.state);
  if (!status.ok()) return status;
  status = CopyFinite("task_state", snapshot.task_state(), lane.task_state);
  if (!status.ok()) return status;
  const v1::RngState& rng = snapshot.rng();
  if (rng.increment_low() % 2 == 0) return Bad("rng.increment_low", "is even, which no PCG64 has");
  lane.rng.set_state({rng.state_high(), rng.state_low(), rng.increment_high(), rng.increment_low(),
                      rng.buffered_half(), rng.has_buffered_half()});
  lane.episode = snapshot.episode();
  if (snapshot.elapsed_steps() < 0) return Bad("elapsed_steps", "is negative");
  lane.elapsed_steps = snapshot.elapsed_steps();
  if (!std::isfinite(snapshot.episode_return())) return Bad("episode_return", "is not finite");
  lane.episode_return = snapshot.episode_return();
  lane.episode_start_ns = absl::GetCurrentTimeNanos();
  if (snapshot.phase() > static_cast<uint32_t>(Lane::Phase::kRetired)) {
    return Bad("phase", absl::StrCat(snapshot.phase(), " is no phase of a lane"));
  }
  lane.phase = static_cast<Lane::Phase>(snapshot.phase());
  if (lane.phase == Lane::Phase::kRunning && lane.episode == 0)
    return Bad("episode", "is 0 where the lane is in one");
  if (snapshot.row().size() != lane.row.size()) {
    return Bad("row",
               absl::StrCat(snapshot.row().size(), " bytes where a row has ", lane.row.size()));
  }
  lane.row.assign(snapshot.row().begin(), snapshot.row().end());
  std::memcpy(lane.row.data() + spec.op_no_offset(), &op_no, sizeof(op_no));
  if (snapshot.final_row().size() != lane.final_row.size()) {
    return Bad("final_row", absl::StrCat(snapshot.final_row().size(), " bytes where this pool has ",
                                         lane.final_row.size()));
  }
  lane.final_row.assign(snapshot.final_row().begin(), snapshot.final_row().end());
  lane.has_final = snapshot.has_final() && !lane.final_row.empty();
  status = LoadCompanions(snapshot, lane);
  if (!status.ok()) return status;
  status = LoadOverrides(snapshot, properties, lane);
  if (!status.ok()) return status;
  return lane;
}

}  // namespace hivewire
