#!/usr/bin/env bash
# Measures stepping over a slow network, made by a proxy of ours that delays; prints it and writes
# docs/performance/network.json, docs/img/network.svg and docs/performance.md. Takes what
# network_bench takes (--envs, --round_trips_ms, …).

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t built < <(built //tests/bench:network_bench)
python3 "${BENCH}/network.py" "${built[@]}" --json "${RESULTS}/network.json" "$@"
python3 "${BENCH}/report.py"
