#!/usr/bin/env bash
# Where one second of remote stepping goes: CPU time (needs Linux perf), heap allocations and copies,
# for each batch. Prints it and writes docs/performance/profile.json and docs/performance.md. Takes
# what step_profile.py takes (--env, --num_envs).

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t built < <(built //tests/bench:hivewire_player //tests/bench:libmemory_recorder.so)
python3 "${BENCH}/step_profile.py" "${built[@]}" --json "${RESULTS}/profile.json" "$@"
python3 "${BENCH}/report.py"
