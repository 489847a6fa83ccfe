// A learner's door for collectors: listens for them, and is the source of what they bring.
//
// Start waits for the first collector, since only its env says what there is to learn. One thread
// at a time; the service's own threads are inside.
#ifndef HIVEWIRE_POLICY_RPC_TRAINING_SERVER_H_
#define HIVEWIRE_POLICY_RPC_TRAINING_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hivewire/v1/learner.pb.h"
#include "policy/fragment_source.h"
#include "policy/rpc/collector_table.h"
#include "server/rpc/credentials.h"

namespace hivewire {

struct ListenOptions {
  // Comma-separated, as an env server's.
  std::string listen;
  SecurityOptions security;
  // Gets the real addresses, one a line, once the learner listens; empty for none.
  std::string ready_file;
  // Asked while it waits for collectors.
  std::function<bool()> stop;
  // As an env server's.
  absl::Duration keepalive_time = absl::Seconds(10);
  absl::Duration keepalive_timeout = absl::Seconds(20);
};

class TrainingServer : public FragmentSource {
 public:
  // ALREADY_EXISTS for an address in use; other errors name the option. `frames`: of the run until
  // now, where it is resumed.
  static absl::StatusOr<std::unique_ptr<FragmentSource>> Start(const v1::LearnerConfig& config,
                                                               int64_t frames,
                                                               const ListenOptions& options);
  ~TrainingServer() override;

  const Problem& problem() const override { return problem_; }
  const v1::LeafSpec& action_leaf() const override { return action_leaf_; }
  absl::Status Start(uint64_t) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<Experience>> Gather(const v1::Policy& policy, int steps) override;
  int64_t losses() const override { return table_.losses(); }
  std::vector<Statistic> statistics() const override;
  void Finish() override { table_.Finish(); }
  // Lanes are the collectors': they start new episodes, and nothing of them is kept.
  absl::Status Save(bool, TensorMap&) override { return absl::OkStatus(); }
  absl::Status Load(const TensorMap&, uint64_t, absl::Status& env_state_lost) override;

 private:
  struct Listener;

  TrainingServer(const v1::LearnerConfig& config, int64_t frames, const ListenOptions& options);

  const ListenOptions options_;
  Problem problem_;
  v1::LeafSpec action_leaf_;
  CollectorTable table_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_RPC_TRAINING_SERVER_H_
