#!/usr/bin/env bash
# Measures one server with many lanes and many clients, one client with many servers, and pixels
# beside Gymnasium's; prints it and writes docs/performance/service.json and docs/performance.md.
# Takes what service.py takes (--rounds, --turn).

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t peers < <(peers)
mapfile -t built < <(built //tests/bench:service_bench //tests/bench:sleeping_server //tests/bench:pixel_player //tests/bench:grpc_floor)
python3 "${BENCH}/service.py" "${built[@]}" "${peers[@]}" --json "${RESULTS}/service.json" "$@"
python3 "${BENCH}/report.py"
