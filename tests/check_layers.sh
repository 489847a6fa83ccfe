#!/usr/bin/env bash
# Whether the arrows between folders go one way. Visibility keeps each target to its users; this
# keeps the heavy libraries out of whole folders, through any chain of targets.

source "$(dirname "${BASH_SOURCE[0]}")/../deploy/common.sh"

# refuse FROM TO: fails if a target of FROM reaches one that matches the expression TO.
refuse() {
  local path
  path="$(hw_bazel query --noimplicit_deps --noshow_progress --ui_event_filters=-info "filter('$2', deps($1))")" ||
    die "layers: cannot query $1"
  [[ -z "${path}" ]] || die "layers: $1 must not depend on $2, but reaches" $'\n'"${path}"
}

refuse "//server/... + //client/..." '^@torch//:torch$'
refuse "//policy/..." '^@mujoco//:mujoco$'
refuse "//server/sim/... + //server/tasks/... + //server/pool/..." '^@grpc//:grpc\+\+$'
say "layers: every arrow points the right way"
