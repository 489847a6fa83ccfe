#!/usr/bin/env bash
# Measures stepping beside EnvPool, Gymnasium's vector envs, RLMesh and dm_env_rpc, interleaved in
# one run on this machine, and prints tables.
#
#   tests/bench/compare.sh               four envs, 1, 64 and 256 lanes: half an hour; writes
#                                        docs/performance/stepping.json and docs/performance.md
#   tests/bench/compare.sh --quick       one small cell in seconds; writes neither
#   tests/bench/compare.sh ARGUMENT...   and whatever else compare.py takes (--envs, --lanes, …)
#
# The peers come from PyPI, pinned. Where they cannot be had it says NOT COMPARED and measures our
# own sides.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

json="${RESULTS}/stepping.json"
for argument in "$@"; do [[ "${argument}" != --quick ]] || json="${work}/stepping.json"; done
mapfile -t peers < <(peers)
mapfile -t built < <(built //tests/bench:players)
python3 "${BENCH}/compare.py" "${built[@]}" "${peers[@]}" --json "${json}" "$@"
[[ "${json}" == "${work}"/* ]] || python3 "${BENCH}/report.py"
