#!/usr/bin/env bash
# What takes too long for continuous integration: whole versions of tests that run short there.
# Prints their tables; the exit status is 0 only if all held.
#
#   tests/full.sh            everything
#   tests/full.sh kills      one part of it

source "$(dirname "${BASH_SOURCE[0]}")/../deploy/common.sh"

readonly PARTS=(kills)

# 100 SIGKILLs of the client, 50 cut connections, 50 SIGKILLs of the server under a collector and
# under a learner, 50 SIGKILLs of the learner.
kills() {
  hw_bazel build //tests/faults:kill_matrix //server:env_server //policy:learner || return 1
  "${HIVEWIRE_ROOT}/bazel-bin/tests/faults/kill_matrix" \
    --env_server="${HIVEWIRE_ROOT}/bazel-bin/server/env_server" \
    --learner="${HIVEWIRE_ROOT}/bazel-bin/policy/learner" \
    --clients=100 --cuts=50 --servers=50 --learners=50
}

parts=("$@")
((${#parts[@]})) || parts=("${PARTS[@]}")
failed=0
for part in "${parts[@]}"; do
  [[ " ${PARTS[*]} " == *" ${part} "* ]] || die "no part \"${part}\"; there are: ${PARTS[*]}"
  say "== ${part}"
  start=${SECONDS}
  "${part}" || failed=$((failed + 1))
  say "${part}: $(duration $((SECONDS - start)))"
done
((failed == 0))
