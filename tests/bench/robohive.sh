#!/usr/bin/env bash
# Measures RoboHive's envs beside RoboHive itself, interleaved in one run on this machine: stepping,
# images, and what a lane costs; prints it and writes docs/performance/robohive.json and
# docs/performance.md.
#
#   tests/bench/robohive.sh               a quarter of an hour
#   tests/bench/robohive.sh ARGUMENT...   and whatever robohive.py takes (--rounds, --turn, --rows)
#
# RoboHive comes from PyPI, pinned, and runs on the engine that Hivewire links. Needs SimHive
# (deploy/fetch_simhive.sh).

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t peers < <(peers robohive.txt)
mapfile -t built < <(built //tests/bench:robohive_player)
python3 "${BENCH}/robohive.py" "${built[@]}" "${peers[@]}" --json "${RESULTS}/robohive.json" "$@"
python3 "${BENCH}/report.py"
