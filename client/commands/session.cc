#include "client/commands/session.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands/env_options.h"
#include "client/connection_flags.h"

namespace hivewire {
namespace {

absl::StatusOr<std::map<std::string, v1::Value>> OptionsOf(ControlClient& client,
                                                           const std::string& env_id,
                                                           const Arguments& arguments) {
  const std::vector<std::string> assignments = arguments.List("option");
  if (assignments.empty()) return std::map<std::string, v1::Value>();
  v1::DescribeEnvRequest request;
  request.set_env_id(env_id);
  const auto described = client.DescribeEnv(request);
  if (!described.ok()) return described.status();
  return ParseEnvOptions(described->spec().options(), assignments);
}

}  // namespace

std::vector<FlagSpec> EnvFlags() {
  return {{.name = "env", .doc = "The env's id, where it is not given as ENV."},
          {.name = "option",
           .kind = FlagKind::kList,
           .doc = "An option of the env (see hivectl describe); may be given several times."}};
}

FlagSpec PolicyFlag() {
  return {.name = "policy", .default_value = "random", .doc = "What acts: random or zero."};
}

std::vector<FlagSpec> WithEnvFlags(std::vector<FlagSpec> flags) {
  std::vector<FlagSpec> all = EnvFlags();
  for (FlagSpec& flag : flags) all.push_back(std::move(flag));
  return all;
}

absl::StatusOr<std::vector<std::string>> Addresses() { return ParseAddresses(ServerFromFlags()); }

absl::StatusOr<std::unique_ptr<ControlClient>> ConnectToFirst() {
  const auto addresses = Addresses();
  if (!addresses.ok()) return addresses.status();
  return ControlClient::Connect(addresses->front(), ConnectionFromFlags());
}

absl::StatusOr<std::string> EnvId(const Arguments& arguments) {
  const std::string flag = arguments.Text("env");
  const bool operand = !arguments.operands().empty();
  if (operand && !flag.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("two envs are given, ", arguments.operands()[0], " and --env=", flag));
  }
  if (!operand && flag.empty())
    return absl::InvalidArgumentError("no env is given; hivectl list shows those there are");
  return operand ? arguments.operands()[0] : flag;
}

absl::StatusOr<v1::EnvSpec> DescribeEnv(ControlClient& client, const Arguments& arguments) {
  const absl::StatusOr<std::string> env_id = EnvId(arguments);
  if (!env_id.ok()) return env_id.status();
  const auto options = OptionsOf(client, *env_id, arguments);
  if (!options.ok()) return options.status();
  v1::DescribeEnvRequest request;
  request.set_env_id(*env_id);
  request.mutable_options()->insert(options->begin(), options->end());
  auto described = client.DescribeEnv(request);
  if (!described.ok()) return described.status();
  return std::move(*described->mutable_spec());
}

absl::StatusOr<std::unique_ptr<VectorEnv>> MakeEnv(const Arguments& arguments, int num_envs) {
  absl::StatusOr<std::string> env_id = EnvId(arguments);
  if (!env_id.ok()) return env_id.status();
  const auto client = ConnectToFirst();
  if (!client.ok()) return client.status();
  auto env_options = OptionsOf(**client, *env_id, arguments);
  if (!env_options.ok()) return env_options.status();
  VectorEnvOptions options;
  options.server = ServerFromFlags();
  options.connection = ConnectionFromFlags();
  options.env_id = *std::move(env_id);
  options.env_options = *std::move(env_options);
  options.num_envs = num_envs;
  return VectorEnv::Make(options);
}

absl::StatusOr<ActionSampler> MakeSampler(const Arguments& arguments, const VectorEnv& env) {
  const std::string policy = arguments.Text("policy");
  if (policy != "random" && policy != "zero") {
    return absl::InvalidArgumentError(
        absl::StrCat("--policy: \"", policy, "\" is neither random nor zero"));
  }
  const auto kind = policy == "zero" ? ActionSampler::Kind::kZero : ActionSampler::Kind::kRandom;
  return ActionSampler(kind, env.spec(), env.action_leaves(), arguments.Seed("seed"));
}

}  // namespace hivewire
