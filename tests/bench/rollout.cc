// rollout: how fast the env server's workers run a policy by themselves, beside what the same
// policy kernel and the same pool do in one process.
//
//   stepped   a pool in this process; one thread evaluates the policy for all lanes, steps them and
//             waits for the results
//   inproc    a rollout in this process: the workers evaluate the policy, and nothing is sent
//   unix      a rollout in a server of its own, whose fragments come over a Unix socket
// The sides take turns in each round; ratios are medians over the rounds of ratios within a round.
#include "server/rollout/rollout.h"

#include <grpcpp/create_channel.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/exit_status.h"
#include "base/json.h"
#include "base/sha256.h"
#include "client/stepping.h"
#include "hivewire/v1/control.grpc.pb.h"
#include "hivewire/v1/rollout.grpc.pb.h"
#include "server/tasks/registry.h"
#include "tests/bench/bench_policy.h"
#include "tests/bench/server_process.h"

ABSL_FLAG(std::string, env, "InvertedPendulum-v5", "Env id.");
ABSL_FLAG(int, num_envs, 64, "Lanes.");
ABSL_FLAG(int, length, 128, "Steps of a fragment.");
ABSL_FLAG(std::vector<std::string>, hidden, std::vector<std::string>({"64", "64"}),
          "Widths of the hidden layers, of actor and critic alike.");
ABSL_FLAG(double, seconds, 1, "Of each side in each round.");
ABSL_FLAG(int, rounds, 5, "Rounds.");
ABSL_FLAG(bool, json, false, "Print one JSON object.");
ABSL_FLAG(std::string, env_server, "", "The server's program; without it the one built with this.");

namespace hivewire {
namespace {

absl::Status StatusOf(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

struct Work {
  std::string env_id;
  uint32_t lanes = 0;
  uint32_t length = 0;
  std::vector<uint32_t> hidden;
  absl::Duration turn;
  uint64_t seed = 0;

  v1::CreatePoolRequest PoolRequest() const {
    v1::CreatePoolRequest request;
    request.set_env_id(env_id);
    request.set_num_envs(lanes);
    return request;
  }
  v1::CollectRequest CollectRequest() const {
    v1::CollectRequest request;
    request.set_fragment_length(length);
    request.set_policy_seed(seed);
    request.set_max_in_flight(2);
    return request;
  }
};

// One way of collecting: steps/s of a turn.
class Side {
 public:
  virtual ~Side() = default;
  virtual absl::StatusOr<double> Turn() = 0;
};

// Takes whole fragments until the turn is over.
template <typename Take>
absl::StatusOr<double> CollectFor(const Work& work, Take take) {
  // The first comes from a standing start.
  absl::Status status = take();
  const absl::Time begin = absl::Now();
  double steps = 0;
  absl::Time now = begin;
  while (status.ok() && now - begin < work.turn) {
    status = take();
    steps += static_cast<double>(work.lanes) * work.length;
    now = absl::Now();
  }
  if (!status.ok()) return status;
  return steps / absl::ToDoubleSeconds(now - begin);
}

class InprocSide : public Side {
 public:
  static absl::StatusOr<std::unique_ptr<InprocSide>> Make(const Work& work, Workers& workers,
                                                          const Registry& registry) {
    auto task = registry.Make(work.env_id, {});
    if (!task.ok()) return task.status();
    auto spec = PoolSpec::Make(*std::move(task), work.PoolRequest());
    if (!spec.ok()) return spec.status();
    auto proto = BenchPolicy(spec->description().spec(), work.hidden);
    if (!proto.ok()) return proto.status();
    auto policy = PortablePolicy::Create(*proto);
    if (!policy.ok()) return policy.status();
    auto pool = Pool::Create(*std::move(spec), workers);
    if (!pool.ok()) return pool.status();
    std::unique_ptr<InprocSide> side(new InprocSide(work));
    side->pool_ = *std::move(pool);
    auto fitted = RolloutPolicy::Fit(*std::move(policy), side->pool_->spec());
    if (!fitted.ok()) return fitted.status();
    side->policy_ = *fitted;
    const absl::Status status = side->slot_->Publish(*std::move(fitted), "");
    if (!status.ok()) return status;
    return side;
  }

  absl::StatusOr<double> Turn() override {
    auto rollout =
        Rollout::Start(*pool_, slot_, work_.CollectRequest(), {}, absl::Now() + absl::Seconds(10));
    if (!rollout.ok()) return rollout.status();
    return CollectFor(work_, [&] {
      const auto fragment = (*rollout)->Next(absl::InfiniteFuture());
      if (fragment.ok()) (*rollout)->Release();
      return fragment.status();
    });
  }

 protected:
  explicit InprocSide(const Work& work) : work_(work) {}

  const Work work_;
  std::unique_ptr<Pool> pool_;
  std::shared_ptr<const RolloutPolicy> policy_;
  std::shared_ptr<PolicySlot> slot_ = std::make_shared<PolicySlot>();

  friend class SteppedSide;
};

class SteppedSide : public Side {
 public:
  explicit SteppedSide(std::unique_ptr<InprocSide> pool) : side_(std::move(pool)) {}

  absl::StatusOr<double> Turn() override {
    v1::Attached lanes;
    side_->pool_->DescribeLanes(lanes);
    op_no_ = lanes.accepted_op_no(0);
    v1::ResetLanes reset;
    reset.add_op_nos(++op_no_);
    absl::Status status = side_->pool_->Reset(reset);
    if (status.ok()) status = side_->pool_->Next(absl::InfiniteFuture(), ++seq_, batch_);
    if (!status.ok()) return status;
    return CollectFor(side_->work_, [&] {
      absl::Status taken;
      for (uint32_t t = 0; t < side_->work_.length && taken.ok(); ++t) taken = Step();
      return taken;
    });
  }

 private:
  absl::Status Step() {
    const PoolSpec& spec = side_->pool_->spec();
    const PortablePolicy& policy = side_->policy_->policy();
    const size_t rows = spec.num_lanes();
    policy.Reserve(rows, scratch_);
    draws_.resize(rows);
    row_.resize(spec.row_bytes());
    const RowLeaf& seen = spec.observation()[0];
    const size_t bytes = spec.result_layout().row_bytes(0);
    ++op_no_;
    for (size_t row = 0; row < rows; ++row) {
      std::copy_n(batch_.payload().data() + row * bytes, bytes, row_.data() + seen.offset);
      side_->policy_->Observe(row_.data(),
                              scratch_.observations.data() + row * policy.observation_dim());
      draws_[row] = {0, static_cast<uint32_t>(row), op_no_};
    }
    policy.Act(draws_, /*deterministic=*/false, scratch_);
    v1::StepLanes step;
    step.add_op_nos(op_no_);
    const size_t action_bytes = spec.action_layout().row_bytes(0);
    step.mutable_actions()->resize(rows * action_bytes);
    for (size_t row = 0; row < rows; ++row) {
      side_->policy_->WriteAction(scratch_.sent.data() + row * policy.action_dim(),
                                  step.mutable_actions()->data() + row * action_bytes);
    }
    const absl::Status status = side_->pool_->Step(std::move(step));
    if (!status.ok()) return status;
    return side_->pool_->Next(absl::InfiniteFuture(), ++seq_, batch_);
  }

  const std::unique_ptr<InprocSide> side_;
  PolicyScratch scratch_;
  std::vector<Draw> draws_;
  std::vector<char> row_;
  uint64_t op_no_ = 0, seq_ = 0;
  v1::Batch batch_;
};

class UnixSide : public Side {
 public:
  static absl::StatusOr<std::unique_ptr<UnixSide>> Make(const Work& work,
                                                        const std::string& address) {
    std::unique_ptr<UnixSide> side(new UnixSide(work));
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    const auto channel =
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
    side->rollouts_ = v1::Rollouts::NewStub(channel);
    {
      grpc::ClientContext context;
      const absl::Status status = StatusOf(
          v1::EnvControl::NewStub(channel)->CreatePool(&context, work.PoolRequest(), &side->made_));
      if (!status.ok()) return status;
    }
    const auto policy = BenchPolicy(side->made_.pool().spec(), work.hidden);
    if (!policy.ok()) return policy.status();
    grpc::ClientContext context;
    v1::PublishPolicyResponse response;
    const auto writer = side->rollouts_->PublishPolicy(&context, &response);
    v1::PublishPolicyRequest request;
    request.set_pool_id(side->made_.pool().pool_id());
    request.set_lease_token(side->made_.lease_token());
    request.set_chunk(policy->SerializeAsString());
    request.set_total_bytes(request.chunk().size());
    request.set_sha256(Sha256(request.chunk()));
    writer->Write(request);
    writer->WritesDone();
    const absl::Status status = StatusOf(writer->Finish());
    if (!status.ok()) return status;
    return side;
  }

  absl::StatusOr<double> Turn() override {
    v1::CollectRequest request = work_.CollectRequest();
    request.set_pool_id(made_.pool().pool_id());
    request.set_lease_token(made_.lease_token());
    grpc::ClientContext context;
    const auto reader = rollouts_->Collect(&context, request);
    v1::CollectResponse response;
    auto speed = CollectFor(work_, [&] {
      return reader->Read(&response) ? absl::OkStatus() : absl::UnavailableError("no fragment");
    });
    context.TryCancel();
    const absl::Status status = StatusOf(reader->Finish());
    return speed.ok() || absl::IsCancelled(status) ? speed : status;
  }

 private:
  explicit UnixSide(const Work& work) : work_(work) {}

  const Work work_;
  v1::CreatePoolResponse made_;
  std::unique_ptr<v1::Rollouts::Stub> rollouts_;
};

absl::Status Run() {
  Work work;
  work.env_id = absl::GetFlag(FLAGS_env);
  work.lanes = static_cast<uint32_t>(std::max(1, absl::GetFlag(FLAGS_num_envs)));
  work.length = static_cast<uint32_t>(std::max(1, absl::GetFlag(FLAGS_length)));
  work.turn = absl::Seconds(absl::GetFlag(FLAGS_seconds));
  for (const std::string& width : absl::GetFlag(FLAGS_hidden)) {
    uint32_t parsed = 0;
    if (!absl::SimpleAtoi(width, &parsed) || parsed == 0)
      return absl::InvalidArgumentError(absl::StrCat("--hidden: ", width, " is no width"));
    work.hidden.push_back(parsed);
  }
  std::string program = absl::GetFlag(FLAGS_env_server);
  if (program.empty()) {
    std::error_code error;
    program = std::filesystem::read_symlink("/proc/self/exe", error).string() +
              ".runfiles/hivewire/server/env_server";
  }
  const auto server = ServerProcess::Start(program, {"--render=false", "--allow_rollouts"});
  if (!server.ok()) return server.status();
  const auto registry = Registry::Builtin();
  if (!registry.ok()) return registry.status();
  Workers workers(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  auto stepped = InprocSide::Make(work, workers, *registry);
  if (!stepped.ok()) return stepped.status();
  auto inproc = InprocSide::Make(work, workers, *registry);
  if (!inproc.ok()) return inproc.status();
  auto remote = UnixSide::Make(work, (*server)->unix_address());
  if (!remote.ok()) return remote.status();
  SteppedSide stepped_side(*std::move(stepped));
  Side* const sides[] = {&stepped_side, inproc->get(), remote->get()};
  std::vector<double> speeds[3];
  for (int round = 0; round < std::max(1, absl::GetFlag(FLAGS_rounds)); ++round) {
    for (int side = 0; side < 3; ++side) {
      const auto speed = sides[side]->Turn();
      if (!speed.ok()) return speed.status();
      speeds[side].push_back(*speed);
    }
  }
  const auto ratio = [&](int above, int below) {
    std::vector<double> ratios;
    for (size_t k = 0; k < speeds[above].size(); ++k)
      ratios.push_back(speeds[above][k] / speeds[below][k]);
    return Median(ratios);
  };
  if (absl::GetFlag(FLAGS_json)) {
    std::puts(JsonObject()
                  .Add("env", work.env_id)
                  .Add("num_envs", static_cast<int>(work.lanes))
                  .Add("length", static_cast<int>(work.length))
                  .Add("stepped_per_s", Median(speeds[0]))
                  .Add("inproc_per_s", Median(speeds[1]))
                  .Add("unix_per_s", Median(speeds[2]))
                  .Add("unix_to_stepped", ratio(2, 0))
                  .Add("unix_to_inproc", ratio(2, 1))
                  .ToString()
                  .c_str());
    return absl::OkStatus();
  }
  absl::PrintF("%s, %d lanes, fragments of %d steps\n", work.env_id, work.lanes, work.length);
  absl::PrintF("stepped  %9.0f steps/s\n", Median(speeds[0]));
  absl::PrintF("inproc   %9.0f steps/s  %.3f of stepped\n", Median(speeds[1]), ratio(1, 0));
  absl::PrintF("unix     %9.0f steps/s  %.3f of stepped, %.3f of inproc\n", Median(speeds[2]),
               ratio(2, 0), ratio(2, 1));
  return absl::OkStatus();
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return hivewire::ExitStatus("rollout", hivewire::Run());
}
