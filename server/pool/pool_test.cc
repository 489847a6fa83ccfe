#include "server/pool/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>

#include "absl/time/clock.h"
#include "base/error.h"
#include "server/pool/testing/faulty_task.h"

namespace hivewire {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

// A batch taken apart: rows by lane.
struct Row {
  double observation[3];
  double reward;
  uint32_t flags;
  uint64_t op_no, seed, episode;
  double counter;
  int64_t steps;
};

class PoolTest : public testing::Test {
 protected:
  void Make(uint32_t lanes, v1::AutoresetMode mode = v1::AUTORESET_MODE_NEXT_STEP, int limit = 0,
            int workers = 2, absl::Duration step_timeout = kDefaultStepTimeout) {
    v1::CreatePoolRequest request;
    request.set_num_envs(lanes);
    request.set_autoreset_mode(mode);
    pool_.reset();
    workers_ = std::make_unique<Workers>(workers);
    auto spec = PoolSpec::Make(MakeFaultyTask(limit, hang_), request);
    ASSERT_TRUE(spec.ok()) << spec.status();
    auto pool = Pool::Create(*std::move(spec), *workers_, step_timeout);
    ASSERT_TRUE(pool.ok()) << pool.status();
    pool_ = *std::move(pool);
  }

  v1::StepLanes StepFrame(std::vector<uint32_t> lanes, uint64_t op_no, std::vector<float> actions) {
    v1::StepLanes frame;
    frame.mutable_env_ids()->Add(lanes.begin(), lanes.end());
    frame.add_op_nos(op_no);
    frame.set_actions(
        std::string(reinterpret_cast<const char*>(actions.data()), actions.size() * sizeof(float)));
    return frame;
  }

  absl::Status Step(std::vector<uint32_t> lanes, uint64_t op_no, std::vector<float> actions) {
    return pool_->Step(StepFrame(std::move(lanes), op_no, std::move(actions)));
  }

  absl::Status Reset(std::vector<uint32_t> lanes, uint64_t op_no,
                     std::vector<uint64_t> seeds = {}) {
    v1::ResetLanes frame;
    frame.mutable_env_ids()->Add(lanes.begin(), lanes.end());
    frame.add_op_nos(op_no);
    frame.mutable_seeds()->Add(seeds.begin(), seeds.end());
    return pool_->Reset(frame);
  }

  // The next batch, in batch_; its rows by lane.
  std::map<uint32_t, Row> Next() {
    const absl::Status status = pool_->Next(absl::Now() + kPatience, ++seq_, batch_);
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok()) return {};
    return Rows(pool_->spec().result_layout(), batch_.env_ids(), batch_.payload());
  }

  static std::map<uint32_t, Row> Rows(const PayloadLayout& layout,
                                      const google::protobuf::RepeatedField<uint32_t>& ids,
                                      const std::string& payload) {
    const size_t n = static_cast<size_t>(ids.size());
    EXPECT_EQ(payload.size(), layout.PayloadBytes(n));
    std::vector<size_t> offsets;
    layout.Offsets(n, offsets);
    std::map<uint32_t, Row> rows;
    for (size_t k = 0; k < n; ++k) {
      Row row{};
      std::memcpy(row.observation, payload.data() + offsets[0] + 24 * k, 24);
      std::memcpy(&row.reward, payload.data() + offsets[1] + 8 * k, 8);
      row.flags = static_cast<uint8_t>(payload[offsets[2] + k]);
      std::memcpy(&row.op_no, payload.data() + offsets[3] + 8 * k, 8);
      std::memcpy(&row.seed, payload.data() + offsets[4] + 8 * k, 8);
      std::memcpy(&row.episode, payload.data() + offsets[5] + 8 * k, 8);
      std::memcpy(&row.counter, payload.data() + offsets[6] + 8 * k, 8);
      std::memcpy(&row.steps, payload.data() + offsets[7] + 8 * k, 8);
      rows[ids[static_cast<int>(k)]] = row;
    }
    return rows;
  }

  ~PoolTest() override { *hang_ = false; }

  // While it is true, action 105 hangs.
  const std::shared_ptr<std::atomic<bool>> hang_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<Pool> pool_;
  uint64_t seq_ = 0;
  v1::Batch batch_;
};

TEST_F(PoolTest, ResetThenStepsGiveOneBatchAFrameInItsOrder) {
  Make(3);
  ASSERT_TRUE(Reset({2, 0, 1}, 1, {12, 10, 11}).ok());
  auto rows = Next();
  EXPECT_EQ(std::vector<uint32_t>(batch_.env_ids().begin(), batch_.env_ids().end()),
            (std::vector<uint32_t>{2, 0, 1}));
  for (uint32_t lane = 0; lane < 3; ++lane) {
    EXPECT_EQ(rows[lane].flags, v1::LANE_FLAG_FIRST);
    EXPECT_EQ(rows[lane].seed, 10 + lane);
    EXPECT_EQ(rows[lane].episode, 1u);
    EXPECT_EQ(rows[lane].observation[1], NumpyRng(10 + lane).Random());
  }
  ASSERT_TRUE(Step({}, 2, {1, 2, 3}).ok());
  rows = Next();
  for (uint32_t lane = 0; lane < 3; ++lane) {
    EXPECT_EQ(rows[lane].flags, 0u);
    EXPECT_EQ(rows[lane].op_no, 2u);
    EXPECT_EQ(rows[lane].reward, lane + 1.0);
    EXPECT_EQ(rows[lane].observation[0], lane + 1.0);
    EXPECT_EQ(rows[lane].steps, 1);
  }
}

TEST_F(PoolTest, NextStepShowsTheLastObservationAndThenResetsIgnoringTheAction) {
  Make(1);
  ASSERT_TRUE(Reset({}, 1, {5}).ok());
  Next();
  ASSERT_TRUE(Step({}, 2, {7}).ok());
  Next();
  ASSERT_TRUE(Step({}, 3, {100}).ok());
  Row row = Next()[0];
  EXPECT_EQ(row.flags, v1::LANE_FLAG_TERMINATED);
  EXPECT_EQ(row.observation[0], 7);
  ASSERT_EQ(batch_.episodes_size(), 1);
  EXPECT_EQ(batch_.episodes(0).episode_return(), 8);
  EXPECT_EQ(batch_.episodes(0).length(), 2u);
  EXPECT_EQ(batch_.episodes(0).seed(), 5u);
  ASSERT_TRUE(Step({}, 4, {9}).ok());
  row = Next()[0];
  EXPECT_EQ(row.flags, v1::LANE_FLAG_FIRST);
  EXPECT_EQ(row.reward, 0);
  EXPECT_EQ(row.observation[0], 0);
  EXPECT_EQ(row.episode, 2u);
  EXPECT_EQ(row.counter, 0);  // set by resets too
  EXPECT_EQ(batch_.episodes_size(), 0);
  NumpyRng rng(5);
  rng.Random();
  EXPECT_EQ(row.observation[1], rng.Random());  // the generator goes on
}

TEST_F(PoolTest, SameStepShowsTheNextEpisodeAndKeepsTheLastObservationInFinals) {
  Make(2, v1::AUTORESET_MODE_SAME_STEP);
  ASSERT_TRUE(Reset({}, 1, {1, 2}).ok());
  Next();
  ASSERT_TRUE(Step({}, 2, {4, 4}).ok());
  Next();
  ASSERT_TRUE(Step({}, 3, {5, 100}).ok());
  auto rows = Next();
  EXPECT_EQ(rows[0].flags, 0u);
  EXPECT_EQ(rows[1].flags,
            v1::LANE_FLAG_TERMINATED | v1::LANE_FLAG_AUTORESET | v1::LANE_FLAG_FIRST);
  EXPECT_EQ(rows[1].observation[0], 0);
  EXPECT_EQ(rows[1].reward, 1);
  ASSERT_EQ(batch_.finals().rows_size(), 1);
  EXPECT_EQ(batch_.finals().rows(0), 1u);
  double last;
  std::memcpy(&last, batch_.finals().payload().data(), sizeof(last));
  EXPECT_EQ(last, 4);
}

TEST_F(PoolTest, DisabledRefusesToStepAFinishedLaneUntilItIsReset) {
  Make(2, v1::AUTORESET_MODE_DISABLED);
  ASSERT_TRUE(Reset({}, 1).ok());
  Next();
  ASSERT_TRUE(Step({}, 2, {100, 0}).ok());
  Next();
  const absl::Status refused = Step({}, 3, {0, 0});
  EXPECT_EQ(ReasonOf(refused), v1::ERROR_REASON_NEEDS_RESET);
  EXPECT_NE(refused.message().find("lane 0"), absl::string_view::npos) << refused;
  ASSERT_TRUE(Reset({0}, 3).ok());
  EXPECT_EQ(Next()[0].episode, 2u);
  EXPECT_TRUE(Step({}, 4, {0, 0}).ok() == false);  // lane 1 expects 3
  EXPECT_TRUE(Step({0}, 4, {0}).ok());
}

TEST_F(PoolTest, TerminationOnTheLastAllowedStepIsBoth) {
  Make(2, v1::AUTORESET_MODE_NEXT_STEP, /*limit=*/2);
  ASSERT_TRUE(Reset({}, 1).ok());
  Next();
  ASSERT_TRUE(Step({}, 2, {0, 0}).ok());
  Next();
  ASSERT_TRUE(Step({}, 3, {100, 0}).ok());
  auto rows = Next();
  EXPECT_EQ(rows[0].flags, v1::LANE_FLAG_TERMINATED | v1::LANE_FLAG_TRUNCATED);
  EXPECT_EQ(rows[1].flags, v1::LANE_FLAG_TRUNCATED);
}

TEST_F(PoolTest, LaneFaultLeavesOtherLanesRunning) {
  for (const float fault : {101.f, 102.f, 103.f, 104.f}) {
    Make(3);
    ASSERT_TRUE(Reset({}, 1).ok());
    Next();
    ASSERT_TRUE(Step({}, 2, {1, fault, 3}).ok());
    auto rows = Next();
    EXPECT_EQ(rows[0].observation[0], 1);
    EXPECT_EQ(rows[2].observation[0], 3);
    EXPECT_EQ(rows[1].flags, v1::LANE_FLAG_FAULT) << fault;
    EXPECT_EQ(rows[1].observation[1], 0) << fault;
    EXPECT_EQ(rows[1].op_no, 2u);
    ASSERT_EQ(batch_.faults_size(), 1) << fault;
    EXPECT_EQ(batch_.faults(0).env_id(), 1u);
    EXPECT_FALSE(batch_.faults(0).status().message().empty());
    ASSERT_TRUE(Step({}, 3, {1, 1, 1}).ok());
    rows = Next();
    EXPECT_EQ(rows[1].flags, v1::LANE_FLAG_FIRST) << fault;
    EXPECT_EQ(rows[0].observation[0], 2);
  }
}

TEST_F(PoolTest, ThreeFaultsInARowRetireALane) {
  Make(1, v1::AUTORESET_MODE_DISABLED);
  uint64_t op_no = 0;
  for (int fault = 0; fault < 3; ++fault) {
    ASSERT_TRUE(Reset({}, ++op_no).ok());
    Next();
    ASSERT_TRUE(Step({}, ++op_no, {101}).ok());
    Next();
  }
  EXPECT_EQ(ReasonOf(FromProto(batch_.faults(0).status())), v1::ERROR_REASON_LANE_RETIRED);
  ASSERT_TRUE(Reset({}, ++op_no).ok());
  EXPECT_EQ(Next()[0].flags, v1::LANE_FLAG_FAULT);
}

TEST_F(PoolTest, ABadFrameIsRefusedWholeAndNothingRuns) {
  Make(3);
  EXPECT_EQ(ReasonOf(Step({}, 1, {0, 0, 0})), v1::ERROR_REASON_NEEDS_RESET);
  ASSERT_TRUE(Reset({}, 1).ok());
  Next();
  const float nan = std::nanf("");
  EXPECT_EQ(ReasonOf(Step({}, 2, {0, nan, 0})), v1::ERROR_REASON_BAD_ACTION);
  EXPECT_EQ(ReasonOf(Step({}, 2, {0, INFINITY, 0})), v1::ERROR_REASON_BAD_ACTION);
  EXPECT_EQ(ReasonOf(Step({}, 2, {0, 0})), v1::ERROR_REASON_BAD_SHAPE);
  EXPECT_EQ(ReasonOf(Step({0, 3}, 2, {0, 0})), v1::ERROR_REASON_BAD_ENV_ID);
  EXPECT_EQ(ReasonOf(Step({1, 1}, 2, {0, 0})), v1::ERROR_REASON_BAD_ENV_ID);
  EXPECT_EQ(ReasonOf(Step({}, 3, {0, 0, 0})), v1::ERROR_REASON_BAD_OP_NO);
  EXPECT_EQ(ReasonOf(Step({}, 0, {0, 0, 0})), v1::ERROR_REASON_BAD_OP_NO);
  EXPECT_EQ(ReasonOf(Reset({}, 2, {1, 2})), v1::ERROR_REASON_BAD_SHAPE);
  v1::StepLanes two_numbers = StepFrame({}, 2, {0, 0, 0});
  two_numbers.add_op_nos(2);
  EXPECT_EQ(ReasonOf(pool_->Step(std::move(two_numbers))), v1::ERROR_REASON_BAD_SHAPE);
  ASSERT_TRUE(Step({}, 2, {1, 1, 1}).ok());
  EXPECT_EQ(Next()[1].steps, 1);
}

TEST_F(PoolTest, TheSameOperationAgainReturnsTheKeptResultAndStepsNothing) {
  Make(2);
  ASSERT_TRUE(Reset({}, 1).ok());
  Next();
  ASSERT_TRUE(Step({}, 2, {3, 4}).ok());
  const auto first = Next();
  ASSERT_TRUE(Step({}, 2, {50, 60}).ok());
  auto again = Next();
  EXPECT_TRUE(batch_.replay());
  EXPECT_EQ(again[0].observation[0], 3);
  EXPECT_EQ(again[1].observation[0], 4);
  // One lane repeats and one goes on: two batches.
  v1::StepLanes mixed = StepFrame({}, 2, {1, 1});
  mixed.add_op_nos(3);
  ASSERT_TRUE(pool_->Step(std::move(mixed)).ok());
  std::map<uint32_t, Row> rows = Next();
  rows.merge(Next());
  EXPECT_EQ(rows[0].observation[0], 3);
  EXPECT_EQ(rows[1].observation[0], 5);
}

TEST_F(PoolTest, ABusyLaneRefusesTheNextOperationUntilItsResultWasTaken) {
  Make(1);
  ASSERT_TRUE(Reset({}, 1).ok());
  EXPECT_EQ(ReasonOf(Step({}, 2, {0})), v1::ERROR_REASON_LANE_BUSY);
  Next();
  EXPECT_TRUE(Step({}, 2, {0}).ok());
}

TEST_F(PoolTest, RedeliverSendsWhatWasDeliveredAfterASeq) {
  Make(2);
  ASSERT_TRUE(Reset({}, 1).ok());
  Next();  // seq 1
  ASSERT_TRUE(Step({0}, 2, {3}).ok());
  Next();  // seq 2
  pool_->Redeliver(1);
  auto rows = Next();
  EXPECT_TRUE(batch_.replay());
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].observation[0], 3);
  pool_->Redeliver(0);
  EXPECT_EQ(Next().size(), 2u);
  pool_->Redeliver(seq_);
  EXPECT_TRUE(absl::IsDeadlineExceeded(pool_->Next(absl::InfinitePast(), 9, batch_)));
}

TEST_F(PoolTest, RecvBatchLeavesWhenEnoughLanesAreReadyWhicheverTheyAre) {
  Make(6);
  BatchPolicy policy;
  policy.recv_batch = 4;
  pool_->SetBatchPolicy(policy);
  ASSERT_TRUE(Reset({}, 1).ok());
  std::map<uint32_t, Row> rows = Next();
  EXPECT_EQ(rows.size(), 4u);
  std::map<uint32_t, Row> rest = Next();  // nothing is outstanding
  EXPECT_EQ(rest.size(), 2u);
  rows.merge(rest);
  EXPECT_EQ(rows.size(), 6u);
}

TEST_F(PoolTest, TimingIsToldInBothWaysOfBatching) {
  for (const uint32_t recv_batch : {0u, 4u}) {
    Make(4);
    BatchPolicy policy;
    policy.recv_batch = recv_batch;
    pool_->SetBatchPolicy(policy);
    ASSERT_TRUE(Reset({}, 1).ok());
    Next();
    EXPECT_GT(batch_.timing().step_ns(), 0u);
    EXPECT_GT(batch_.timing().wait_ns(), 0u);
    EXPECT_LT(batch_.timing().queue_ns(), uint64_t{60} * 1000000000);
  }
}

TEST_F(PoolTest, MaxWaitSendsABatchThatIsNotFull) {
  *hang_ = true;
  Make(2, v1::AUTORESET_MODE_NEXT_STEP, 0, /*workers=*/2);
  ASSERT_TRUE(Reset({}, 1).ok());
  Next();
  BatchPolicy policy;
  policy.recv_batch = 2;
  policy.max_wait = absl::Milliseconds(5);
  pool_->SetBatchPolicy(policy);
  ASSERT_TRUE(Step({}, 2, {105, 1}).ok());
  auto rows = Next();  // lane 0 still runs
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[1].observation[0], 1);
  *hang_ = false;
  EXPECT_EQ(Next().size(), 1u);
}

TEST_F(PoolTest, BatchesLargerThanMaxRowsAreSplit) {
  Make(5);
  BatchPolicy policy;
  policy.max_rows = 2;
  pool_->SetBatchPolicy(policy);
  ASSERT_TRUE(Reset({}, 1).ok());
  EXPECT_EQ(Next().size(), 2u);
  EXPECT_EQ(Next().size(), 2u);
  EXPECT_EQ(Next().size(), 1u);
}

TEST_F(PoolTest, MaxRowsKeepsAMessageUnderItsLimit) {
  Make(100, v1::AUTORESET_MODE_SAME_STEP);
  EXPECT_EQ(pool_->MaxRows(100), 0u);
  const size_t rows = pool_->MaxRows(20000);
  EXPECT_GT(rows, 0u);
  EXPECT_LT(rows, 100u);
  EXPECT_EQ(pool_->MaxRows(64 << 20), 100u);
}

TEST_F(PoolTest, ALaneRestoredFromASnapshotContinuesBitForBit) {
  Make(2);
  ASSERT_TRUE(Reset({}, 1, {3, 4}).ok());
  Next();
  ASSERT_TRUE(Step({}, 2, {5, 6}).ok());
  Next();
  const auto snapshots = pool_->Save({});
  ASSERT_TRUE(snapshots.ok()) << snapshots.status();
  const auto run_on = [&](uint64_t op_no) {
    std::vector<Row> rows;
    for (const float action : {7.f, 100.f, 0.f, 2.f}) {
      EXPECT_TRUE(Step({}, op_no++, {action, 1}).ok());
      rows.push_back(Next()[0]);
    }
    return rows;
  };
  const std::vector<Row> expected = run_on(3);

  Make(2);  // another pool
  v1::LoadLanes load;
  load.add_op_nos(1);
  for (const std::string& snapshot : *snapshots) load.add_snapshots(snapshot);
  ASSERT_TRUE(pool_->Load(load).ok());
  EXPECT_EQ(Next()[0].observation[0], 5);
  const std::vector<Row> restored = run_on(2);
  for (size_t k = 0; k < expected.size(); ++k) {
    EXPECT_EQ(restored[k].observation[1], expected[k].observation[1]);
    EXPECT_EQ(restored[k].observation[0], expected[k].observation[0]);
    EXPECT_EQ(restored[k].flags, expected[k].flags);
    EXPECT_EQ(restored[k].episode, expected[k].episode);
  }
}

TEST_F(PoolTest, ADamagedSnapshotIsRefusedAndTheLaneGoesOn) {
  Make(1);
  ASSERT_TRUE(Reset({}, 1).ok());
  Next();
  const std::string good = pool_->Save({})->front();
  for (size_t at = 0; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    v1::LoadLanes load;
    load.add_op_nos(2);
    load.add_snapshots(bad);
    EXPECT_EQ(ReasonOf(pool_->Load(load)), v1::ERROR_REASON_BAD_SNAPSHOT) << at;
  }
  EXPECT_TRUE(Step({}, 2, {1}).ok());
  EXPECT_EQ(Next()[0].observation[0], 1);
}

TEST_F(PoolTest, SameTrajectoriesForOneTwoAndSevenWorkers) {
  const auto run = [&](int workers) {
    Make(33, v1::AUTORESET_MODE_SAME_STEP, /*limit=*/7, workers);
    std::vector<uint64_t> seeds(33);
    std::iota(seeds.begin(), seeds.end(), 100);
    EXPECT_TRUE(Reset({}, 1, seeds).ok());
    Next();
    std::string all;
    for (uint64_t op_no = 2; op_no < 60; ++op_no) {
      std::vector<float> actions(33);
      for (size_t k = 0; k < actions.size(); ++k)
        actions[k] = static_cast<float>((op_no * 7 + k) % 106);
      EXPECT_TRUE(Step({}, op_no, actions).ok());
      Next();
      all += batch_.payload() + batch_.finals().payload();
    }
    return all;
  };
  const std::string one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(7), one);
}

TEST_F(PoolTest, InterruptWakesTheReceiver) {
  Make(1);
  std::thread interrupter([&] { pool_->Interrupt(); });
  EXPECT_TRUE(absl::IsCancelled(pool_->Next(absl::InfiniteFuture(), 1, batch_)));
  interrupter.join();
}

// What a session does: it takes batches when it is told, and never waits.
TEST_F(PoolTest, AListenerIsToldOfEveryBatchOfAReplayAndOfAnInterrupt) {
  Make(8);
  std::mutex mutex;
  std::condition_variable changed;
  int told = 0;
  pool_->SetListener([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    ++told;
    changed.notify_all();
  });
  const auto wait_for_news = [&] {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return told > 0; });
    told = 0;
  };
  const auto take = [&] { return pool_->Next(absl::InfinitePast(), ++seq_, batch_); };
  ASSERT_TRUE(Reset({}, 1).ok());
  wait_for_news();
  ASSERT_TRUE(take().ok());
  EXPECT_EQ(batch_.env_ids_size(), 8);
  EXPECT_TRUE(absl::IsDeadlineExceeded(take()));
  pool_->Redeliver(0);
  wait_for_news();
  ASSERT_TRUE(take().ok());
  EXPECT_TRUE(batch_.replay());
  pool_->Interrupt();
  wait_for_news();
  EXPECT_TRUE(absl::IsCancelled(take()));

  BatchPolicy policy;
  policy.recv_batch = 8;
  policy.max_wait = absl::Hours(1);
  pool_->SetBatchPolicy(policy);
  EXPECT_EQ(pool_->NextLeave(), absl::InfiniteFuture());
  ASSERT_TRUE(Step({}, 2, {1, 1, 1, 1, 1, 1, 1, 1}).ok());
  while (
      !take()
           .ok()) {  // the first ready lane is news too: from then on, the batch may leave in time
    wait_for_news();
    EXPECT_LE(pool_->NextLeave(), absl::Now() + absl::Hours(1));
  }
  EXPECT_EQ(batch_.env_ids_size(), 8);
  pool_->SetListener(nullptr);
}

TEST_F(PoolTest, APoolCanBeFreedWhileItsLanesRun) {
  for (int round = 0; round < 50; ++round) {
    Make(64);
    ASSERT_TRUE(Reset({}, 1).ok());
    pool_.reset();
  }
}

constexpr absl::Duration kShortTimeout = absl::Milliseconds(40);

TEST_F(PoolTest, AStepThatHangsFailsItsLaneAloneAndEveryoneElseGoesOn) {
  *hang_ = true;
  Make(12, v1::AUTORESET_MODE_NEXT_STEP, 0, /*workers=*/1, kShortTimeout);
  ASSERT_TRUE(Reset({}, 1, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}).ok());
  Next();
  std::vector<float> actions(12, 1);
  actions[3] = 105;
  ASSERT_TRUE(Step({}, 2, actions).ok());
  auto rows = Next();
  ASSERT_EQ(rows.size(), 12u);
  ASSERT_EQ(batch_.faults_size(), 1);
  EXPECT_EQ(batch_.faults(0).env_id(), 3u);
  EXPECT_EQ(ReasonOf(FromProto(batch_.faults(0).status())), v1::ERROR_REASON_STEP_TIMEOUT);
  EXPECT_EQ(rows[3].flags, v1::LANE_FLAG_FAULT);
  EXPECT_EQ(rows[3].op_no, 2u);
  for (uint32_t lane = 0; lane < 12; ++lane) {
    if (lane != 3) {
      EXPECT_EQ(rows[lane].observation[0], 1) << lane;
    }
  }
  *hang_ = false;  // the lost step ends now, and meets nobody
  ASSERT_TRUE(Step({}, 3, std::vector<float>(12, 2)).ok());
  rows = Next();
  EXPECT_EQ(rows[3].flags, v1::LANE_FLAG_FIRST);
  EXPECT_EQ(rows[3].seed, 3u);
  EXPECT_EQ(rows[3].episode, 2u);
  EXPECT_EQ(rows[4].observation[0], 3);
}

TEST_F(PoolTest, AWorkerIsReplacedFourTimesAndThenThereIsAClearError) {
  *hang_ = true;
  Make(8, v1::AUTORESET_MODE_NEXT_STEP, 0, /*workers=*/1, kShortTimeout);
  ASSERT_TRUE(Reset({}, 1).ok());
  Next();
  // Five hang, and three wait for a worker that never comes.
  ASSERT_TRUE(Step({}, 2, {105, 105, 105, 105, 105, 1, 1, 1}).ok());
  EXPECT_EQ(Next().size(), 8u);
  EXPECT_EQ(batch_.faults_size(), 8);
  for (const v1::LaneFault& fault : batch_.faults())
    EXPECT_EQ(ReasonOf(FromProto(fault.status())), v1::ERROR_REASON_STEP_TIMEOUT);
  const absl::Status refused = Step({}, 3, std::vector<float>(8, 1));
  EXPECT_EQ(ReasonOf(refused), v1::ERROR_REASON_STEP_TIMEOUT);
  EXPECT_NE(refused.message().find("restart"), absl::string_view::npos) << refused;
  pool_.reset();
  workers_.reset();
}

TEST_F(PoolTest, APoolWhoseStepHangsCanBeFreedAndItsWorkersToo) {
  for (int round = 0; round < 3; ++round) {
    *hang_ = true;
    Make(4, v1::AUTORESET_MODE_NEXT_STEP, 0, /*workers=*/2, kShortTimeout);
    ASSERT_TRUE(Reset({}, 1).ok());
    Next();
    ASSERT_TRUE(Step({}, 2, {105, 1, 105, 1}).ok());
    pool_.reset();
    workers_.reset();
    *hang_ = false;
  }
}

TEST_F(PoolTest, AHangingPoolDoesNotHoldUpAnotherOne) {
  *hang_ = true;
  Make(2, v1::AUTORESET_MODE_NEXT_STEP, 0, /*workers=*/1, kShortTimeout);
  v1::CreatePoolRequest request;
  request.set_num_envs(1);
  auto other = Pool::Create(*PoolSpec::Make(MakeFaultyTask(0), request), *workers_);
  ASSERT_TRUE(Reset({}, 1).ok());
  Next();
  ASSERT_TRUE(Step({}, 2, {105, 105}).ok());
  v1::ResetLanes reset;
  reset.add_op_nos(1);
  ASSERT_TRUE((*other)->Reset(reset).ok());
  v1::Batch batch;
  EXPECT_TRUE((*other)->Next(absl::Now() + kPatience, 1, batch).ok());
  EXPECT_EQ(batch.faults_size(), 0);
  EXPECT_EQ(Next().size(), 2u);
}

TEST(PoolSpec, NamesTheLeavesThatThereAre) {
  v1::CreatePoolRequest request;
  request.set_num_envs(1);
  request.add_observation_leaves("position");
  const auto spec = PoolSpec::Make(MakeFaultyTask(0), request);
  EXPECT_EQ(ReasonOf(spec.status()), v1::ERROR_REASON_BAD_OPTION);
  EXPECT_NE(spec.status().message().find("there are: observation"), absl::string_view::npos)
      << spec.status();
}

TEST(PoolSpec, SendsTheInfoLeavesThatAreChosen) {
  const auto names = [](const v1::CreatePoolRequest& request) {
    std::vector<std::string> names;
    const auto spec = PoolSpec::Make(MakeFaultyTask(0), request);
    for (const v1::LayoutLeaf& leaf : spec->description().result_layout().leaves())
      if (leaf.role() == v1::LEAF_ROLE_INFO) names.push_back(leaf.name());
    return names;
  };
  v1::CreatePoolRequest request;
  request.set_num_envs(1);
  EXPECT_EQ(names(request), (std::vector<std::string>{"counter", "steps"}));
  request.add_info_leaves("steps");
  EXPECT_EQ(names(request), (std::vector<std::string>{"steps"}));
  request.set_no_info(true);
  EXPECT_TRUE(names(request).empty());
}

TEST(PoolSpec, RefusesDtypesModesAndLimitsThatThereAreNot) {
  v1::CreatePoolRequest request;
  EXPECT_EQ(ReasonOf(PoolSpec::Make(MakeFaultyTask(0), request).status()),
            v1::ERROR_REASON_BAD_OPTION);
  request.set_num_envs(1);
  EXPECT_TRUE(PoolSpec::Make(MakeFaultyTask(0), request).ok());
  request.set_observation_dtype(v1::DTYPE_UINT8);
  EXPECT_FALSE(PoolSpec::Make(MakeFaultyTask(0), request).ok());
  request.set_observation_dtype(static_cast<v1::DType>(77));
  EXPECT_FALSE(PoolSpec::Make(MakeFaultyTask(0), request).ok());
  request.clear_observation_dtype();
  request.set_max_episode_steps(-2);
  EXPECT_FALSE(PoolSpec::Make(MakeFaultyTask(0), request).ok());
  request.clear_max_episode_steps();
  request.set_autoreset_mode(static_cast<v1::AutoresetMode>(9));
  EXPECT_FALSE(PoolSpec::Make(MakeFaultyTask(0), request).ok());
}

}  // namespace
}  // namespace hivewire
