// Snapshots are untrusted: whatever is damaged or forged is refused, and the error says where.
#include "server/pool/snapshot.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "hivewire/v1/snapshot.pb.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class SnapshotTest : public testing::Test {
 protected:
  void SetUp() override {
    v1::CreatePoolRequest request;
    request.set_num_envs(1);
    request.set_autoreset_mode(v1::AUTORESET_MODE_SAME_STEP);
    spec_ =
        std::make_unique<PoolSpec>(*PoolSpec::Make(*BuiltinEnvs().Make("Hopper-v5", {}), request));
    properties_ = std::make_unique<Properties>(*spec_);
    lane_ = LaneRunner::MakeLane(*spec_, 0, 7);
    Engines engines(spec_->task().model(), 1);
    LaneRunner runner(*spec_, &engines, 0);
    Properties::Values heavy;
    heavy["body_mass"].mutable_double_list()->mutable_values()->Resize(5, 3);
    ASSERT_TRUE(properties_->Set(heavy, lane_).ok());
    runner.Reset(lane_, 1, nullptr, {});
    lane_.has_episode = true;
    lane_.ended_episode.set_episode_return(3);
    lane_.fault = MakeError(v1::ERROR_REASON_ENV_FAULT, "it failed");
    good_ = SaveSnapshot(*spec_, lane_);
  }

  absl::StatusOr<Lane> Load(absl::string_view bytes, bool allow_inexact = false) {
    return LoadSnapshot(*spec_, 0, bytes, 2, allow_inexact, *properties_);
  }

  // The field that is blamed for a snapshot with a valid checksum, changed by `forge`.
  std::string Blamed(const std::function<void(v1::LaneSnapshot&)>& forge) {
    v1::LaneSnapshot snapshot;
    EXPECT_TRUE(snapshot.ParseFromString(good_));
    forge(snapshot);
    snapshot.set_checksum(0);
    std::string bytes;
    {
      google::protobuf::io::StringOutputStream stream(&bytes);
      google::protobuf::io::CodedOutputStream coded(&stream);
      coded.SetSerializationDeterministic(true);
      snapshot.SerializeToCodedStream(&coded);
    }
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
    snapshot.set_checksum(hash);
    const auto lane = Load(snapshot.SerializeAsString());
    if (lane.ok()) return "nothing";
    EXPECT_EQ(ReasonOf(lane.status()), v1::ERROR_REASON_BAD_SNAPSHOT) << lane.status();
    return FieldOf(lane.status());
  }

  std::unique_ptr<PoolSpec> spec_;
  std::unique_ptr<Properties> properties_;
  Lane lane_;
  std::string good_;
};

TEST_F(SnapshotTest, HoldsAllThatALaneIs) {
  const auto lane = Load(good_);
  ASSERT_TRUE(lane.ok()) << lane.status();
  EXPECT_EQ(lane->state, lane_.state);
  EXPECT_EQ(lane->task_state, lane_.task_state);
  EXPECT_EQ(lane->overrides->values(), lane_.overrides->values());
  EXPECT_EQ(lane->ended_episode.episode_return(), 3);
  EXPECT_EQ(lane->fault, lane_.fault);
  EXPECT_EQ(Blamed([](v1::LaneSnapshot&) {}), "nothing");
}

TEST_F(SnapshotTest, EveryFlippedBitIsFound) {
  for (size_t at = 0; at < good_.size(); ++at) {
    std::string bad = good_;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    const auto lane = Load(bad);
    ASSERT_FALSE(lane.ok()) << "byte " << at;
    ASSERT_EQ(ReasonOf(lane.status()), v1::ERROR_REASON_BAD_SNAPSHOT) << "byte " << at;
    ASSERT_FALSE(FieldOf(lane.status()).empty()) << "byte " << at;
  }
}

TEST_F(SnapshotTest, EveryTruncationIsFound) {
  for (size_t size = 0; size < good_.size(); ++size) {
    const auto lane = Load(absl::string_view(good_).substr(0, size));
    ASSERT_EQ(ReasonOf(lane.status()), v1::ERROR_REASON_BAD_SNAPSHOT) << size << " bytes";
    ASSERT_FALSE(FieldOf(lane.status()).empty()) << size << " bytes";
  }
  EXPECT_FALSE(Load(good_ + "more").ok());
}

TEST_F(SnapshotTest, AForgedFieldIsNamed) {
  using Snapshot = v1::LaneSnapshot;
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_format(1); }), "format");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_env_id("Ant-v5"); }), "env_id");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_engine("mujoco-9.9.9"); }), "engine");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_layout_hash(1); }), "layout_hash");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_spec_hash(1); }), "spec_hash");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_cpu_features("z80"); }), "cpu_features");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.add_state(0); }), "state");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_state(3, NAN); }), "state");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_state(3, kInfinity); }), "state");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.clear_task_state(); }), "task_state");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.clear_rng(); }), "rng.increment_low");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_elapsed_steps(-1); }), "elapsed_steps");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_episode_return(NAN); }), "episode_return");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_episode(0); }), "episode");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_phase(77); }), "phase");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.mutable_row()->pop_back(); }), "row");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.clear_final_row(); }), "final_row");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.mutable_fault()->set_code(0); }), "fault");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.mutable_fault()->set_message(std::string(9999, 'x')); }),
            "fault");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.set_faults_in_a_row(-1); }), "faults_in_a_row");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.mutable_ended_episode()->set_episode_return(NAN); }),
            "ended_episode.episode_return");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.mutable_overrides(0)->set_name("qpos"); }), "overrides");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.mutable_overrides(0)->set_name("names"); }), "overrides");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.mutable_overrides(0)->set_values(1, -1); }), "overrides");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.mutable_overrides(0)->set_values(1, NAN); }), "overrides");
  EXPECT_EQ(Blamed([](Snapshot& s) { s.mutable_overrides(0)->add_values(1); }), "overrides");
  EXPECT_EQ(Blamed([](Snapshot& s) { *s.add_overrides() = s.overrides(0); }), "overrides");
}

}  // namespace
}  // namespace hivewire
