// What most commands begin with: the server, the env that they are about, and lanes of it.
#ifndef HIVEWIRE_CLIENT_COMMANDS_SESSION_H_
#define HIVEWIRE_CLIENT_COMMANDS_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/action_sampler.h"
#include "client/commands/arguments.h"
#include "client/control_client.h"
#include "client/vector_env.h"

namespace hivewire {

// --env, --option and --seed, for commands about an env; and --policy.
std::vector<FlagSpec> EnvFlags();
FlagSpec PolicyFlag();
// `flags` after EnvFlags.
std::vector<FlagSpec> WithEnvFlags(std::vector<FlagSpec> flags);

// The addresses of --server.
absl::StatusOr<std::vector<std::string>> Addresses();
// The first of them, which answers for all of them where envs are concerned.
absl::StatusOr<std::unique_ptr<ControlClient>> ConnectToFirst();

// The env's id, from the operand or --env.
absl::StatusOr<std::string> EnvId(const Arguments& arguments);
// With --option applied.
absl::StatusOr<v1::EnvSpec> DescribeEnv(ControlClient& client, const Arguments& arguments);

// Lanes of the env on the servers.
absl::StatusOr<std::unique_ptr<VectorEnv>> MakeEnv(const Arguments& arguments, int num_envs);

// INVALID_ARGUMENT for another --policy than random and zero.
absl::StatusOr<ActionSampler> MakeSampler(const Arguments& arguments, const VectorEnv& env);

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_COMMANDS_SESSION_H_
