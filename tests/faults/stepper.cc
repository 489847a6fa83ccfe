#include "tests/faults/stepper.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/session_ticket.h"
#include "client/vector_env.h"

namespace hivewire {
namespace {

constexpr uint64_t kSeed = 11;

uint64_t Hash(uint64_t hash, const void* data, size_t size) {  // FNV-1a
  const unsigned char* bytes = static_cast<const unsigned char*>(data);
  for (size_t k = 0; k < size; ++k) hash = (hash ^ bytes[k]) * 0x100000001b3u;
  return hash;
}

class Writer {
 public:
  static absl::StatusOr<Writer> Open(const std::string& path) {
    const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
    return Writer(descriptor);
  }

  // In one piece: a kill leaves all lines of a result or none.
  absl::Status Put(const StepResult& result) {
    std::string lines;
    for (size_t row = 0; row < result.env_ids.size(); ++row) {
      uint64_t hash = 0xcbf29ce484222325u;
      for (const LeafBuffer& leaf : result.observations)
        hash = Hash(hash, leaf.row(row), leaf.row_bytes());
      hash = Hash(hash, &result.rewards[row], sizeof(double));
      hash = Hash(hash, &result.seeds[row], sizeof(uint64_t));
      hash = Hash(hash, &result.episode_numbers[row], sizeof(uint64_t));
      hash = Hash(hash, &result.terminated[row], 1);
      hash = Hash(hash, &result.truncated[row], 1);
      absl::StrAppend(&lines, result.env_ids[row], " ", result.op_nos[row], " ", hash, "\n");
    }
    if (write(descriptor_, lines.data(), lines.size()) == static_cast<ssize_t>(lines.size()))
      return absl::OkStatus();
    return absl::ErrnoToStatus(errno, "cannot write the journal");
  }

 private:
  explicit Writer(int descriptor) : descriptor_(descriptor) {}
  const int descriptor_;  // open until the process ends
};

struct Group {
  std::vector<uint32_t> lanes;
  uint64_t done = 0;  // operations of each of its lanes
  bool in_flight = false;
};

absl::Status Send(VectorEnv& env, Group& group) {
  group.in_flight = true;
  if (group.done == 0) {
    std::vector<uint64_t> seeds;
    for (const uint32_t lane : group.lanes) seeds.push_back(kSeed + lane);
    return env.SendReset(group.lanes, seeds);
  }
  std::vector<float> actions;
  for (const uint32_t lane : group.lanes) {
    actions.push_back(
        static_cast<float>(std::sin(0.61 * static_cast<double>(group.done) + 1.7 * lane)));
  }
  return env.SendStep(
      group.lanes, {reinterpret_cast<const char*>(actions.data()), actions.size() * sizeof(float)});
}

absl::StatusOr<std::unique_ptr<VectorEnv>> Open(const StepperOptions& options, StepResult& result) {
  VectorEnvOptions env_options;
  env_options.server = options.server;
  env_options.env_id = "InvertedDoublePendulum-v5";
  env_options.num_envs = kStepperLanes;
  if (access(options.ticket.c_str(), F_OK) == 0) {
    const auto ticket = LoadTicket(options.ticket);
    if (!ticket.ok()) return ticket.status();
    return VectorEnv::Resume(*ticket, env_options, result);
  }
  auto env = VectorEnv::Make(env_options);
  if (!env.ok()) return env;
  const absl::Status saved = SaveTicket((*env)->ticket(), options.ticket);
  if (!saved.ok()) return saved;
  return env;
}

}  // namespace

absl::Status RunStepper(const StepperOptions& options) {
  auto journal = Writer::Open(options.journal);
  if (!journal.ok()) return journal.status();
  StepResult result;
  const auto env = Open(options, result);
  if (!env.ok()) return env.status();
  (*env)->Leave();
  std::vector<Group> groups = {{{0, 2, 4}}, {{5, 3, 1}}};
  // What the process before was answered last; it may have seen it or not.
  absl::Status status = journal->Put(result);
  for (size_t row = 0; row < result.env_ids.size(); ++row) {
    groups[result.env_ids[row] % 2].done = result.op_nos[row];
  }
  while (status.ok()) {
    for (Group& group : groups) {
      if (status.ok() && !group.in_flight && group.done < options.until)
        status = Send(**env, group);
    }
    if (!status.ok() || (!groups[0].in_flight && !groups[1].in_flight)) break;
    status = (*env)->Receive(result);
    if (!status.ok()) break;
    status = journal->Put(result);
    Group& group = groups[result.env_ids[0] % 2];
    group.in_flight = false;
    group.done = result.op_nos[0];
  }
  return status;
}

absl::StatusOr<Journal> ReadJournal(const std::string& path) {
  std::ifstream file(path);
  Journal journal;
  uint32_t lane = 0;
  uint64_t op_no = 0, hash = 0;
  while (file >> lane >> op_no >> hash) {
    const auto [at, is_new] = journal.insert({{lane, op_no}, hash});
    if (!is_new && at->second != hash) {
      return absl::DataLossError(
          absl::StrCat("lane ", lane, " got two different results of ", "operation ", op_no));
    }
    if (is_new && op_no > 1 && journal.count({lane, op_no - 1}) == 0) {
      return absl::DataLossError(
          absl::StrCat("lane ", lane, " never got the result of operation ", op_no - 1));
    }
  }
  return journal;
}

absl::StatusOr<uint64_t> CheckOperationLog(const std::string& path, const std::string& pool_id) {
  std::ifstream file(path);
  std::map<uint32_t, uint64_t> last;
  uint64_t operations = 0;
  std::string pool, word;
  uint32_t lane = 0;
  uint64_t op_no = 0;
  while (file >> pool >> word >> lane >> word >> op_no) {
    if (pool != pool_id) continue;
    ++operations;
    if (op_no != ++last[lane]) {
      return absl::DataLossError(absl::StrCat("lane ", lane, " ran operation ", op_no,
                                              " where its turn was ", last[lane]));
    }
  }
  return operations;
}

}  // namespace hivewire
