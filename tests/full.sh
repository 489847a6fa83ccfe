#!/usr/bin/env bash
# What takes too long for continuous integration: whole versions of tests that run short there.
# Prints what each found; the exit status is 0 only if all held.
#
#   tests/full.sh            everything
#   tests/full.sh NAME...    only these: kills, flat, fuzz, collecting, memory, extension, bench

source "$(dirname "${BASH_SOURCE[0]}")/../deploy/common.sh"

readonly PARTS=(kills flat fuzz collecting memory extension bench)

# 100 SIGKILLs of the client, 50 cut connections, 50 SIGKILLs of the server under a collector and
# under a learner, 50 SIGKILLs of the learner; 20 each of a collector, its server and its learner.
kills() {
  hw_bazel build //tests/faults:kill_matrix //server:env_server //policy:learner //policy:collector || return 1
  "${HIVEWIRE_ROOT}/bazel-bin/tests/faults/kill_matrix" \
    --env_server="${HIVEWIRE_ROOT}/bazel-bin/server/env_server" \
    --learner="${HIVEWIRE_ROOT}/bazel-bin/policy/learner" \
    --collector="${HIVEWIRE_ROOT}/bazel-bin/policy/collector" \
    --clients=100 --cuts=50 --servers=50 --learners=50 --collectors=20
}

# A server that makes 10,000 pools and takes 100,000 connections.
flat() {
  hw_bazel test //tests/conformance:flat_test --nocache_test_results --test_output=all \
    --test_timeout=3600 --test_env=HIVEWIRE_FLAT_POOLS=10000 \
    --test_env=HIVEWIRE_FLAT_CONNECTIONS=100000
}

# Ten CPU-minutes of each fuzz target.
fuzz() { "${HIVEWIRE_ROOT}/tests/fuzz/run.sh" 600; }

# Learning curves and speed with the policy in the learner, in the env server and in collectors;
# rewrites docs/results/collecting.
collecting() {
  hw_bazel build //tests/bench:collecting //server:env_server //policy:learner //policy:collector ||
    return 1
  "${HIVEWIRE_ROOT}/bazel-bin/tests/bench/collecting" \
    --env_server="${HIVEWIRE_ROOT}/bazel-bin/server/env_server" || return 1
  python3 "${HIVEWIRE_ROOT}/tests/learning/collecting.py" cartpole inverted_double_pendulum
}

# A pendulum whose velocities are masked: GRU and LSTM balance it, a feed-forward policy cannot.
# Rewrites those rows of docs/results; their goals must be met.
memory() {
  hw_bazel build //server:env_server //policy:learner || return 1
  python3 "${HIVEWIRE_ROOT}/tests/learning/results.py" --check masked_pendulum \
    masked_pendulum_gru masked_pendulum_lstm
}

# examples/extension, built as a project of its own: what the test of the one inside this workspace
# holds.
extension() {
  local own="${HIVEWIRE_ROOT}/examples/extension"
  bazel_in "${own}" build //:learner || return 1
  (cd "${own}" && bazel shutdown)
  hw_bazel test //tests/end_to_end:extension_test --nocache_test_results --test_output=all \
    --test_env=HIVEWIRE_EXTENSION_LEARNER="${own}/bazel-bin/learner"
}

# Everything that docs/performance.md tells, measured anew.
bench() {
  local name
  for name in compare service profile network robohive learner; do
    "${HIVEWIRE_ROOT}/tests/bench/${name}.sh" || return 1
  done
}

parts=("$@")
((${#parts[@]})) || parts=("${PARTS[@]}")
for part in "${parts[@]}"; do
  [[ " ${PARTS[*]} " == *" ${part} "* ]] || die "no part \"${part}\"; there are: ${PARTS[*]}"
done
failed=0
for part in "${parts[@]}"; do
  say "== ${part}"
  start=${SECONDS} outcome=ok
  "${part}" || outcome=FAILED
  [[ "${outcome}" == ok ]] || failed=$((failed + 1))
  printf '%-10s %-7s %s\n' "${part}" "${outcome}" "$(duration $((SECONDS - start)))"
done
((failed == 0))
