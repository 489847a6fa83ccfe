#!/usr/bin/env bash
# CartPole-v1 is solved within 100,000 frames: the last policy of the preset, without noise, on
# episodes that training never saw.
source tests/end_to_end/common.sh

start_server --listen="unix:${folder}/env.sock"
server="--server=unix:${folder}/env.sock"
run="${folder}/run"
learner train --preset=cartpole "${server}" --run_folder="${run}"
evaluation="$(learner eval "${run}" "${server}" --checkpoint=last --episodes=20 --json)"
echo "${evaluation}"
python3 - "${evaluation}" <<'PYTHON'
import json, sys
evaluation = json.loads(sys.argv[1])
assert evaluation["frames"] <= 100_000, evaluation["frames"]
assert evaluation["return"]["mean"] >= 475, evaluation["return"]
PYTHON
