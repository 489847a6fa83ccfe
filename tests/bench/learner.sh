#!/usr/bin/env bash
# Measures PPO, collecting and learning, beside Stable-Baselines3, sb3-contrib and a plain PyTorch
# loop on EnvPool, interleaved in one run on this machine; prints it and writes
# docs/performance/learner.json and docs/performance.md.
#
#   tests/bench/learner.sh                       half an hour; takes what learner.py takes
#   tests/bench/learner.sh --quick               a small cell of each kind; writes neither
#   tests/bench/learner.sh --return [ARGUMENT…]  minutes to a return of 4,000 on Ant instead, in the
#                                                same file; takes what time_to_return.py takes
#
# The peers come from PyPI, pinned: five gigabytes, once. Where they cannot be had it says NOT
# COMPARED and measures ours.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

json="${RESULTS}/learner.json"
for argument in "$@"; do [[ "${argument}" != --quick ]] || json="${work}/learner.json"; done
mapfile -t peers < <(peers learners.txt)
if [[ "${1:-}" == --return ]]; then
  shift
  mapfile -t built < <(built //policy:learner)
  python3 "${BENCH}/time_to_return.py" "${built[@]:2}" "${peers[@]}" \
    --learner "${built[1]%/tests/bench}/policy/learner" --json "${json}" "$@"
else
  mapfile -t built < <(built //tests/bench:learner_player)
  python3 "${BENCH}/learner.py" "${built[@]}" "${peers[@]}" --json "${json}" "$@"
fi
[[ "${json}" == "${work}"/* ]] || python3 "${BENCH}/report.py"
