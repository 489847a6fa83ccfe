// `--set path=value`: one field of a message, named by its path.
//
//   ppo.gamma=0.99            a scalar
//   model.hidden=[256,256]    a list, replaced as a whole; the brackets may be left out
//   env.options.exclude_current_positions_from_observation=false    an entry of a map
//   env.options.reset_range={double_list {values: [0, 1]}}          any message, as textproto
//
// A value of the type hivewire.v1.Value may be written plainly: true, 3, 0.5, [1, 2.5] or a string.
#ifndef HIVEWIRE_POLICY_CONFIG_OVERRIDES_H_
#define HIVEWIRE_POLICY_CONFIG_OVERRIDES_H_

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hivewire {

// INVALID_ARGUMENT says which part of the path is unknown, with the nearest names, or what the
// field takes; the message is then unchanged.
absl::Status ApplyOverride(absl::string_view assignment, google::protobuf::Message& message);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_CONFIG_OVERRIDES_H_
