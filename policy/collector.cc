// Collects for a learner on another machine, or beside it: steps envs by the learner's policy and
// sends it what comes of that.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/exit_status.h"
#include "base/grpc_tuning.h"
#include "client/connection_flags.h"
#include "policy/collecting.h"
#include "policy/stop_signal.h"

ABSL_FLAG(std::string, learner, "",
          "Address of the learner, unix:/path or tcp:host:port, as its --listen has it.");
ABSL_FLAG(int, num_envs, 0, "Lanes to drive; 0 for all of the run that are free.");
ABSL_FLAG(std::string, device, "cpu",
          "Where transforms and the policy are computed: cpu, cuda or cuda:1.");
ABSL_FLAG(std::string, name, "",
          "By which the learner knows this collector again; one of its own where none is given.");
ABSL_FLAG(absl::Duration, patience, absl::Minutes(10),
          "How long to wait for a learner or env servers that are away.");
ABSL_FLAG(bool, learner_tls, false, "--tls for the learner alone.");
ABSL_FLAG(std::string, learner_tls_ca, "", "--tls_ca for the learner alone.");
ABSL_FLAG(std::string, learner_tls_cert, "", "--tls_cert for the learner alone.");
ABSL_FLAG(std::string, learner_tls_key, "", "--tls_key for the learner alone.");
ABSL_FLAG(std::string, learner_tls_server_name, "", "--tls_server_name for the learner alone.");
ABSL_FLAG(std::string, learner_token_file, "", "--token_file for the learner alone.");

ABSL_DECLARE_FLAG(std::string, server);
ABSL_DECLARE_FLAG(absl::Duration, reconnect_timeout);

namespace hivewire {
namespace {

constexpr absl::Duration kLearnerReconnectTimeout = absl::Seconds(30);

// What is not said of the learner is as for the env servers.
ConnectionOptions LearnerConnection() {
  ConnectionOptions options = ConnectionFromFlags();
  options.reconnect_timeout = std::max(options.reconnect_timeout, kLearnerReconnectTimeout);
  const auto lay_over = [](const std::string& given, std::string& option) {
    if (!given.empty()) option = given;
  };
  options.tls = options.tls || absl::GetFlag(FLAGS_learner_tls);
  lay_over(absl::GetFlag(FLAGS_learner_tls_ca), options.tls_ca);
  lay_over(absl::GetFlag(FLAGS_learner_tls_cert), options.tls_cert);
  lay_over(absl::GetFlag(FLAGS_learner_tls_key), options.tls_key);
  lay_over(absl::GetFlag(FLAGS_learner_tls_server_name), options.tls_server_name);
  lay_over(absl::GetFlag(FLAGS_learner_token_file), options.token_file);
  return options;
}

absl::Status Main(const StopSignal& stop_signal) {
  CollectorOptions options;
  options.learner = absl::GetFlag(FLAGS_learner);
  const auto addresses = ParseAddresses(options.learner);
  if (options.learner.empty() || !addresses.ok() || addresses->size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--learner is \"", options.learner,
                     "\"; give one address, unix:/path or tcp:host:port, where a learner listens"));
  }
  options.learner_connection = LearnerConnection();
  options.reach.connection = ConnectionFromFlags();
  options.server = ServerFromFlags();
  options.num_envs = absl::GetFlag(FLAGS_num_envs);
  options.device = absl::GetFlag(FLAGS_device);
  options.name = absl::GetFlag(FLAGS_name);
  options.patience = absl::GetFlag(FLAGS_patience);
  return RunCollector(options, [&stop_signal] { return stop_signal.requested(); });
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  hivewire::TuneGrpcClient();
  spdlog::set_default_logger(spdlog::stderr_color_mt("collector"));
  absl::SetProgramUsageMessage(
      "steps envs by a learner's policy, and sends it what comes of that.\n\n"
      "  collector --learner=ADDRESS --server=ADDRESS [--num_envs=N]\n");
  // A learner in step with its collectors waits for each of them: one that has lost its envs for
  // longer than this leaves, and joins again when they are back.
  absl::SetFlag(&FLAGS_reconnect_timeout, absl::Seconds(2));
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  const hivewire::StopSignal stop_signal;
  absl::Status status;
  if (words.size() > 1) {
    status = absl::InvalidArgumentError(absl::StrCat("unexpected argument \"", words[1], "\""));
  } else {
    status = hivewire::Main(stop_signal);
  }
  return hivewire::ExitStatus("collector", status);
}
