// Results are the same to the last bit however many workers there are, whoever else uses them, and
// however lanes are put into frames and batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "server/pool/pool.h"
#include "tests/testing/builtin_envs.h"

namespace hivewire {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr int kSteps = 60;

// Rows of one lane, one after the other, as they were received.
using History = std::string;

struct Kind {
  const char* env_id;
  uint32_t lanes;
  v1::AutoresetMode mode;
  bool overrides_gravity;  // in every other lane
};

// Several pools of a model, so that the engines of a worker go from env to env.
constexpr Kind kKinds[] = {
    {"Ant-v5", 3, v1::AUTORESET_MODE_NEXT_STEP, false},
    {"Hopper-v5", 5, v1::AUTORESET_MODE_SAME_STEP, false},
    {"Hopper-v5", 4, v1::AUTORESET_MODE_SAME_STEP, true},
    {"Humanoid-v4", 2, v1::AUTORESET_MODE_NEXT_STEP, true},
    {"Reacher-v4", 3, v1::AUTORESET_MODE_NEXT_STEP, false},
    {"CartPole-v1", 6, v1::AUTORESET_MODE_SAME_STEP, false},
};

// How frames and batches are cut.
struct Batching {
  unsigned frames_seed = 0;  // 0: a step of all lanes is one frame; else frames of random lanes
  uint32_t recv_batch = 0;   // see BatchPolicy
};

class Client {
 public:
  Client(Workers& workers, const Kind& kind, const Batching& batching)
      : kind_(kind), random_(batching.frames_seed), whole_(batching.frames_seed == 0) {
    v1::CreatePoolRequest request;
    request.set_num_envs(kind.lanes);
    request.set_autoreset_mode(kind.mode);
    auto spec = PoolSpec::Make(BuiltinEnvs().Make(kind.env_id, {}).value(), request);
    EXPECT_TRUE(spec.ok()) << spec.status();
    pool_ = Pool::Create(*std::move(spec), workers).value();
    pool_->SetBatchPolicy({.recv_batch = batching.recv_batch});
    histories_.resize(kind.lanes);
  }

  void Reset() {
    v1::ResetLanes frame;
    frame.add_op_nos(++op_no_);
    for (uint32_t lane = 0; lane < kind_.lanes; ++lane) frame.add_seeds(100 + lane);
    ASSERT_EQ(pool_->Reset(frame), absl::OkStatus());
    Receive();
    if (!kind_.overrides_gravity) return;
    google::protobuf::RepeatedPtrField<v1::LaneProperties> properties;
    for (uint32_t lane = 0; lane < kind_.lanes; lane += 2) {
      v1::LaneProperties& changed = *properties.Add();
      changed.set_env_id(lane);
      v1::DoubleList& gravity = *(*changed.mutable_values())["gravity"].mutable_double_list();
      for (const double g : {0.0, 0.0, -3.0 - lane}) gravity.add_values(g);
    }
    ASSERT_EQ(pool_->SetProperties(properties), absl::OkStatus());
  }

  // Sends one step of each lane; the results come with Receive.
  void Send(int step) {
    std::vector<uint32_t> lanes(kind_.lanes);
    for (uint32_t lane = 0; lane < kind_.lanes; ++lane) lanes[lane] = lane;
    if (!whole_) std::shuffle(lanes.begin(), lanes.end(), random_);
    ++op_no_;
    for (size_t first = 0; first < lanes.size();) {
      const size_t count =
          whole_ ? lanes.size() : std::min<size_t>(1 + random_() % 3, lanes.size() - first);
      v1::StepLanes frame;
      frame.add_op_nos(op_no_);
      for (size_t k = first; k < first + count; ++k) {
        frame.add_env_ids(lanes[k]);
        AppendAction(lanes[k], step, *frame.mutable_actions());
      }
      ASSERT_EQ(pool_->Step(std::move(frame)), absl::OkStatus());
      first += count;
    }
  }

  // Takes batches until every lane has answered.
  void Receive() {
    for (uint32_t rows = 0; rows < kind_.lanes;) {
      ASSERT_EQ(pool_->Next(absl::Now() + kPatience, ++seq_, batch_), absl::OkStatus());
      ASSERT_EQ(batch_.faults_size(), 0) << batch_.faults(0).status().message();
      const auto& lanes = batch_.env_ids();
      Append(pool_->spec().result_layout(), {lanes.begin(), lanes.end()}, batch_.payload());
      std::vector<uint32_t> ended;
      for (const uint32_t row : batch_.finals().rows())
        ended.push_back(lanes[static_cast<int>(row)]);
      Append(pool_->spec().final_layout(), ended, batch_.finals().payload());
      rows += static_cast<uint32_t>(lanes.size());
    }
  }

  const std::vector<History>& histories() const { return histories_; }

 private:
  void AppendAction(uint32_t lane, int step, std::string& actions) const {
    const auto append = [&actions](auto value) {
      actions.append(reinterpret_cast<const char*>(&value), sizeof(value));
    };
    if (pool_->spec().action_dtype() == v1::DTYPE_INT64)
      return append(static_cast<int64_t>((step / 3 + static_cast<int>(lane)) % 2));
    for (size_t k = 0; k < pool_->spec().action_elements(); ++k)
      append(static_cast<float>(std::sin(0.4 * step + static_cast<double>(lane + 3 * k))));
  }

  void Append(const PayloadLayout& layout, const std::vector<uint32_t>& lanes,
              const std::string& payload) {
    std::vector<size_t> offsets;
    layout.Offsets(lanes.size(), offsets);
    for (size_t row = 0; row < lanes.size(); ++row) {
      for (size_t leaf = 0; leaf < layout.num_leaves(); ++leaf) {
        const size_t bytes = layout.row_bytes(leaf);
        histories_[lanes[row]].append(payload, offsets[leaf] + row * bytes, bytes);
      }
    }
  }

  const Kind kind_;
  std::minstd_rand random_;
  const bool whole_;
  std::unique_ptr<Pool> pool_;
  uint64_t op_no_ = 0, seq_ = 0;
  v1::Batch batch_;
  std::vector<History> histories_;  // by lane
};

// What every lane of every kind went through, all pools at once on the same workers.
std::vector<std::vector<History>> RunAll(int num_workers, const Batching& batching) {
  Workers workers(num_workers);
  std::vector<std::unique_ptr<Client>> clients;
  for (const Kind& kind : kKinds)
    clients.push_back(std::make_unique<Client>(workers, kind, batching));
  for (const auto& client : clients) client->Reset();
  for (int step = 0; step < kSteps; ++step) {
    for (const auto& client : clients) client->Send(step);
    for (const auto& client : clients) client->Receive();
  }
  std::vector<std::vector<History>> histories;
  for (const auto& client : clients) histories.push_back(client->histories());
  return histories;
}

void ExpectEqual(const std::vector<std::vector<History>>& histories,
                 const std::vector<std::vector<History>>& expected) {
  for (size_t kind = 0; kind < expected.size(); ++kind) {
    for (size_t lane = 0; lane < expected[kind].size(); ++lane) {
      EXPECT_TRUE(histories[kind][lane] == expected[kind][lane])
          << kKinds[kind].env_id << ", pool " << kind << ", lane " << lane;
    }
  }
}

const std::vector<std::vector<History>>& OneWorker() {
  static const auto& histories = *new std::vector<std::vector<History>>(RunAll(1, {}));
  return histories;
}

TEST(Determinism, LanesDifferByTheirSeedsAndTheirModels) {
  for (const std::vector<History>& lanes : OneWorker()) {
    for (size_t lane = 1; lane < lanes.size(); ++lane) EXPECT_NE(lanes[lane], lanes[0]);
  }
  // The same env, seeds and actions, with another gravity in lanes 0 and 2.
  const std::vector<History>& plain = OneWorker()[1];
  const std::vector<History>& changed = OneWorker()[2];
  EXPECT_NE(changed[0], plain[0]);
  EXPECT_EQ(changed[1], plain[1]);
  EXPECT_NE(changed[2], plain[2]);
  EXPECT_EQ(changed[3], plain[3]);
}

TEST(Determinism, TwoAndSevenWorkersGiveWhatOneGives) {
  for (const int workers : {2, 7}) ExpectEqual(RunAll(workers, {}), OneWorker());
}

TEST(Determinism, FramesOfAnyLanesGiveWhatWholeFramesGive) {
  for (const unsigned seed : {1u, 2u, 3u})
    ExpectEqual(RunAll(seed == 1 ? 1 : 7, {.frames_seed = seed}), OneWorker());
}

TEST(Determinism, BatchesAsTheyComeGiveWhatWholeBatchesGive) {
  ExpectEqual(RunAll(7, {.recv_batch = 1}), OneWorker());
  ExpectEqual(RunAll(2, {.frames_seed = 5, .recv_batch = 2}), OneWorker());
}

}  // namespace
}  // namespace hivewire
