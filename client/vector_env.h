// Many envs stepped as one, wherever they run: Gymnasium's VectorEnv over env servers.
//
//   VectorEnvOptions options;
//   options.server = "unix:/run/hivewire/env.sock";  // or "tcp:host:port", or several with commas
//   options.env_id = "Ant-v5";
//   options.num_envs = 64;
//   auto env = VectorEnv::Make(options);  // absl::StatusOr<std::unique_ptr<VectorEnv>>
//   StepResult result;
//   absl::Status status = (*env)->Reset(/*seed=*/1, result);
//   while (status.ok()) {
//     // result.observations[0].as<double>() is (64, 105) row-major; write (64, 8) float32 actions
//     status = (*env)->Step(actions, result);
//   }
//
// Lanes are numbered 0 … num_envs − 1 over all servers, in the order of the addresses; seeds, order
// and results are those of one server with all the lanes. Autoreset is what Gymnasium 1.x means by
// it (see AutoresetMode); a lane that failed comes back as a row with `fault` set, to be dropped.
//
// A broken connection is mended without a word: the caller sees a delay, and no step is lost or
// done twice. Where the server is not back within reconnect_timeout, the call fails with
// UNAVAILABLE. A server that came back without its pools (it was restarted) is NOT_FOUND: see
// PoolsAreGone and Renew. Pools of a server that drains move to another server of the list, or to
// connection.standby, and go on there bit for bit.
//
// Failure: a Status that names the server's address and what cures it. After UNAVAILABLE, NOT_FOUND
// or ABORTED the VectorEnv steps no more, unless Renew succeeds.
//
// One thread at a time. Not to be used in a forked child (FAILED_PRECONDITION).
#ifndef HIVEWIRE_CLIENT_VECTOR_ENV_H_
#define HIVEWIRE_CLIENT_VECTOR_ENV_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "client/carrier.h"
#include "client/connection.h"
#include "client/leaf_buffer.h"
#include "hivewire/v1/control.pb.h"
#include "hivewire/v1/spec.pb.h"
#include "hivewire/v1/ticket.pb.h"

namespace hivewire {

struct VectorEnvOptions {
  // Comma-separated addresses. Lanes are split over them as evenly as can be.
  std::string server;
  ConnectionOptions connection;
  std::string env_id;
  std::map<std::string, v1::Value> env_options;
  int num_envs = 1;
  v1::AutoresetMode autoreset_mode = v1::AUTORESET_MODE_NEXT_STEP;
  // FLOAT32 or FLOAT64 for the floating-point observation leaves; unset for the env's own.
  v1::DType observation_dtype = v1::DTYPE_UNSPECIFIED;
  v1::DType action_dtype = v1::DTYPE_UNSPECIFIED;
  // Observation leaves to receive, by name; empty for all.
  std::vector<std::string> observation_leaves;
  bool with_info = true;
  // 0: the env's own; −1: no limit.
  int max_episode_steps = 0;
  // How long a synchronous call waits before it fails with DEADLINE_EXCEEDED.
  absl::Duration step_timeout = absl::Seconds(60);
  // How long the pools outlive this client's last sign; zero for the server's default.
  absl::Duration lease_ttl;
};

// Results of some lanes: row k of every array belongs to lane env_ids[k]. Give the same object to
// each call: its buffers are used again.
struct StepResult {
  std::vector<uint32_t> env_ids;
  // One a leaf of spec().observation (those selected), each (N, shape).
  std::vector<LeafBuffer> observations;
  std::vector<double> rewards;
  // 0 or 1 each. A true termination on the last allowed step sets both.
  std::vector<uint8_t> terminated;
  std::vector<uint8_t> truncated;
  // The observation is the first of an episode. Without `autoreset` the row is no transition:
  // nothing was done with its action.
  std::vector<uint8_t> first;
  // SAME_STEP: the episode ended and the observation is the next one's first; the last one is in
  // final_observations.
  std::vector<uint8_t> autoreset;
  // The lane failed and starts anew: no transition.
  std::vector<uint8_t> fault;
  // Numbers of the lane's operations (resets, steps, loads), from 1.
  std::vector<uint64_t> op_nos;
  // The last seed given to the lane, and the number of its episode, from 1.
  std::vector<uint64_t> seeds;
  std::vector<uint64_t> episode_numbers;
  std::vector<LeafBuffer> infos;
  // SAME_STEP: rows (indices into env_ids; over several servers not ascending) whose episode ended,
  // and its last observation and info.
  std::vector<uint32_t> final_rows;
  std::vector<LeafBuffer> final_observations;
  std::vector<LeafBuffer> final_infos;
  // Episodes that ended in this result (env_id counts over all servers), and lanes that failed.
  std::vector<v1::Episode> episodes;
  std::vector<v1::LaneFault> faults;

  int num_rows() const { return static_cast<int>(env_ids.size()); }
};

// Whether a call failed because the servers no longer have the pools, although they may be reached:
// Renew makes new ones.
bool PoolsAreGone(const absl::Status& status);

// What CreatePool is asked for `num_lanes` of these lanes.
v1::CreatePoolRequest PoolRequest(const VectorEnvOptions& options, uint32_t num_lanes);
// FAILED_PRECONDITION for two pools that would not give the results of one, naming the addresses.
absl::Status CheckSamePool(const v1::PoolDescription& first, const std::string& first_address,
                           const v1::PoolDescription& other, const std::string& address);

class VectorEnv {
 public:
  // Connects to every address, makes a pool on each and attaches. Errors name the address;
  // NOT_FOUND names the nearest env ids.
  static absl::StatusOr<std::unique_ptr<VectorEnv>> Make(const VectorEnvOptions& options);
  // The same over carriers of the caller's choice (in-process, fakes).
  static absl::StatusOr<std::unique_ptr<VectorEnv>> Make(const VectorEnvOptions& options,
                                                         const CarrierFactory& factory);

  // Goes on with the pools of a ticket, whichever process made them. Of `options` connection and
  // step_timeout count. `result` has the last result of each lane that has one: the process before
  // may or may not have seen it (op_nos tells). An operation still running is waited for. NOT_FOUND
  // where a pool is gone.
  static absl::StatusOr<std::unique_ptr<VectorEnv>> Resume(const v1::SessionTicket& ticket,
                                                           const VectorEnvOptions& options,
                                                           StepResult& result);

  // Releases the pools, unless Leave was called.
  ~VectorEnv();
  VectorEnv(const VectorEnv&) = delete;
  VectorEnv& operator=(const VectorEnv&) = delete;

  // What Resume takes; see SaveTicket. Good until a pool moves or is renewed.
  v1::SessionTicket ticket() const;
  // Lets the pools live on, until their leases run out, when this object goes.
  void Leave();
  // Makes all pools anew, on the same servers. What was in flight is lost; every lane needs Reset.
  absl::Status Renew();

  const v1::EnvSpec& spec() const { return spec_; }
  int num_envs() const { return num_envs_; }
  // The leaves as they are sent: dtypes after observation_dtype / action_dtype were applied.
  const std::vector<v1::LayoutLeaf>& observation_leaves() const { return observation_leaves_; }
  const std::vector<v1::LayoutLeaf>& action_leaves() const { return action_leaves_; }
  // Bytes of one lane's action.
  size_t action_bytes() const { return action_bytes_; }

  // Starts an episode in every lane: lane i with seed + i, or without a seed by its own generator.
  // `result` has all lanes in order.
  absl::Status Reset(absl::optional<uint64_t> seed, StepResult& result);

  // One step of every lane. `actions`: for each action leaf in turn its (num_envs, shape) slab
  // (with one leaf: just that array). `result` has all lanes in order.
  absl::Status Step(absl::Span<const char> actions, StepResult& result);
  template <typename T>
  absl::Status Step(absl::Span<const T> actions, StepResult& result) {
    return Step(absl::MakeConstSpan(reinterpret_cast<const char*>(actions.data()),
                                    actions.size() * sizeof(T)),
                result);
  }

  // The same in two halves and for any lanes, so that several groups can be in flight. Each group
  // sent comes back as one result from Receive, its rows in the order sent; groups come back in the
  // order in which they are ready.
  absl::Status SendReset(absl::Span<const uint32_t> env_ids, absl::Span<const uint64_t> seeds);
  absl::Status SendStep(absl::Span<const uint32_t> env_ids, absl::Span<const char> actions);
  absl::Status Receive(StepResult& result);

  // Snapshots of all lanes, by lane, while nothing is in flight; and a pool of the same env and
  // options put back to them: it goes on bit for bit (on the same build and CPU). `result` holds
  // each lane's last result.
  absl::StatusOr<std::vector<std::string>> SaveState();
  absl::Status LoadState(const std::vector<std::string>& snapshots, StepResult& result);

  // Properties of lanes, by name (spec().properties says which there are; all of them where `names`
  // is empty), while nothing of these lanes is in flight: what Gymnasium's get_attr and set_attr
  // are used for. `env_ids` empty for all lanes.
  absl::StatusOr<std::vector<v1::LaneProperties>> GetProperties(
      absl::Span<const uint32_t> env_ids, const std::vector<std::string>& names);
  // All or nothing on each server. UNKNOWN_PROPERTY for one that is not declared or cannot be set.
  absl::Status SetProperties(const std::vector<v1::LaneProperties>& lanes);
  // The same value for every lane.
  absl::Status SetProperty(const std::string& name, const v1::Value& value);

  // An image of one lane as it is now, (height, width, 3) uint8 or a PNG file. Empty camera: the
  // env's default view.
  absl::StatusOr<v1::RenderResponse> Render(uint32_t env_id, const std::string& camera,
                                            uint32_t width, uint32_t height,
                                            v1::ImageFormat format = v1::IMAGE_FORMAT_RAW_RGB);
  // With all that a request can say of the image (its pool and env_ids are filled in).
  absl::StatusOr<v1::RenderResponse> Render(uint32_t env_id, v1::RenderRequest request);

 private:
  struct Shard;
  struct Group;

  VectorEnv();

  absl::Status Begin(const VectorEnvOptions& options, const CarrierFactory& factory,
                     const std::vector<std::string>& addresses);
  // Takes the shard in as the next lanes.
  absl::Status Add(std::unique_ptr<Shard> shard);
  // Moves the shard's pool to another server, once nothing of it is in flight. Where none takes it,
  // it stays.
  absl::Status LeaveDrainingServer(Shard& shard);

  absl::Status CheckProcess() const;
  // The lanes exist, stand once and are not in flight; likewise for `env_ids` empty, which is all.
  absl::Status CheckIdle(absl::Span<const uint32_t> env_ids) const;
  absl::Status CheckLanes(absl::Span<const uint32_t> env_ids) const;
  absl::Status CheckActions(size_t rows, absl::Span<const char> actions) const;
  // Opens a group for these lanes and calls `send` for each shard that has some, with the shard's
  // own lane numbers and the rows of the group that they are.
  using SendToShard = absl::FunctionRef<absl::StatusOr<uint64_t>(
      Shard& shard, absl::Span<const uint32_t> lanes, absl::Span<const uint32_t> rows)>;
  absl::Status SendGroup(absl::Span<const uint32_t> env_ids, SendToShard send);
  // What still comes for the group is dropped.
  void GiveUp(std::unique_ptr<Group> group);
  absl::Status ReceiveAnswer(Shard& shard);
  void Scatter(Shard& shard, const v1::Batch& batch);

  v1::EnvSpec spec_;
  int num_envs_ = 0;
  std::vector<v1::LayoutLeaf> observation_leaves_;
  std::vector<v1::LayoutLeaf> action_leaves_;
  std::vector<v1::LayoutLeaf> info_leaves_;
  size_t action_bytes_ = 0;
  VectorEnvOptions options_;
  CarrierFactory factory_;
  std::vector<std::string> addresses_;  // of the servers in use, at first
  std::vector<std::string> standby_;
  int pid_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<uint32_t> all_lanes_;

  // What is in flight. A lane belongs to at most one group.
  struct Place {
    Group* group = nullptr;
    uint32_t row = 0;
  };
  std::vector<Place> places_;                   // by lane
  std::vector<std::unique_ptr<Group>> groups_;  // oldest first
  std::vector<std::unique_ptr<Group>> spare_groups_;
  std::string shard_actions_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_VECTOR_ENV_H_
