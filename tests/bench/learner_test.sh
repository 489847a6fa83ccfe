#!/usr/bin/env bash
# learner.py measures our side without any peer, says loudly that there are none, and its JSON makes a
# page.
#
# Usage: learner_test.sh LEARNER_PLAYER ENV_SERVER LEARNER_PY REPORT

set -euo pipefail

bin="$(dirname "$(realpath -s "$1")")" env_server="$(realpath -s "$2")"
learner="$(realpath "$3")" report="$(realpath "$4")"
root="${TEST_TMPDIR}/root"
mkdir -p "${root}/docs/performance" "${root}/docs/img"
fail() { echo "$*"; exit 1; }
export PYTHONDONTWRITEBYTECODE=1

output="$(python3 "${learner}" --quick --bin "${bin}" --env_server "${env_server}" \
  --json "${root}/docs/performance/learner.json" 2>"${TEST_TMPDIR}/errors")" || fail "$(cat "${TEST_TMPDIR}/errors")"
echo "${output}"
grep -q 'NOT COMPARED' "${TEST_TMPDIR}/errors" || fail "missing peers are not mentioned"
[[ "$(grep -c '^Hivewire .*[0-9] steps/s .*learning' <<<"${output}")" == 2 ]] || fail "no row of ours a cell"

python3 "${report}" --root "${root}"
python3 "${report}" --root "${root}" --check
grep -q '^| HalfCheetah-v5, LSTM | 8 × 128 |.*| Hivewire |' "${root}/docs/performance.md" ||
  fail "$(cat "${root}/docs/performance.md")"
grep -q 'Not compared on HalfCheetah-v5: sb3' "${root}/docs/performance.md" || fail "the page is silent about peers"
