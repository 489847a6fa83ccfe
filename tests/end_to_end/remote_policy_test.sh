#!/usr/bin/env bash
# CartPole-v1 is solved within 100,000 frames by a policy that acts in the env server. A server that
# does not allow it says so.
source tests/end_to_end/common.sh

start_server --listen="unix:${folder}/closed.sock"
refused 'remote-policy.*closed\.sock.*(rollouts|policies)' \
  learner train --preset=cartpole --collect=remote-policy "--server=unix:${folder}/closed.sock" \
  --run_folder="${folder}/refused"
refused 'collection\.mode is "remote"; it can be steps, collectors or remote-policy' \
  learner train --preset=cartpole --collect=remote "--server=unix:${folder}/closed.sock"

start_server --listen="unix:${folder}/env.sock" --allow_rollouts
server="--server=unix:${folder}/env.sock"
run="${folder}/run"
learner train --preset=cartpole --collect=remote-policy "${server}" --run_folder="${run}"
grep -q 'mode: "remote-policy"' "${run}/config.textproto"
evaluation="$(learner eval "${run}" "${server}" --checkpoint=last --episodes=20 --json)"
echo "${evaluation}"
python3 - "${evaluation}" <<'PYTHON'
import json, sys
evaluation = json.loads(sys.argv[1])
assert evaluation["frames"] <= 100_000, evaluation["frames"]
assert evaluation["return"]["mean"] >= 475, evaluation["return"]
PYTHON
