#!/usr/bin/env bash
# examples/extension: a distribution, a network and a reward of one's own train for a moment.
source tests/end_to_end/common.sh

own="${PWD}/examples/extension"
# The one of this workspace, or one that was built elsewhere.
own_learner="${HIVEWIRE_EXTENSION_LEARNER:-${own}/learner}"
start_server --listen="unix:${folder}/env.sock" --asset_root="${own}/envs"
server="--server=unix:${folder}/env.sock"
run="${folder}/run"
"${own_learner}" train "${server}" --env=ReachSwiftly-v0 --num_envs=8 --frames=8192 --run_folder="${run}" \
  --set distribution.type=laplace --set model.type=residual --set "model.hidden=[32,32]" \
  --set evaluation.episodes=4 >"${folder}/log" || { cat "${folder}/log"; fail "no training"; }
"${own_learner}" eval "${run}" "${server}" --checkpoint=last --episodes=4 --json >"${folder}/evaluation.json"
grep -q '"told_by_env": true' "${folder}/evaluation.json" || fail "no success in the evaluation"
# The policy is of those parts: the learner without them says what it has.
refused '(model|distribution).type is "(residual|laplace)"' \
  learner eval "${run}" "${server}" --checkpoint=last
echo "trained"
