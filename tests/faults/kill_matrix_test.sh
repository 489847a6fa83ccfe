#!/usr/bin/env bash
# A short kill matrix. (tests/full.sh runs the whole one.)
set -euo pipefail
exec tests/faults/kill_matrix --env_server="${PWD}/server/env_server" --learner="${PWD}/policy/learner" \
  --collector="${PWD}/policy/collector" --clients=6 --cuts=6 --servers=3 --learners=3 --collectors=2
