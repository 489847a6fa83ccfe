#!/usr/bin/env bash
# A learner is shown a RoboHive env's images through AgentHive's chain of transforms, and counts its
# frames exactly; a client that asks for no image needs no renderer.
source tests/end_to_end/common.sh

# As in an ordinary checkout, which a test does not run in.
simhive="$(dirname "$(readlink -f tests/end_to_end/common.sh)")/../../../shared/simhive"
[[ -n "${HIVEWIRE_SIMHIVE:-}" || ! -d "${simhive}" ]] || export HIVEWIRE_SIMHIVE="${simhive}"

readonly ENV=FrankaReachRandom_v2d-v0
start_server --listen="unix:${folder}/blind.sock" --render=false
if ! hivectl describe "${ENV}" --server="unix:${folder}/blind.sock" >"${folder}/spec" 2>&1; then
  grep -q "fetch_simhive.sh" "${folder}/spec" || { cat "${folder}/spec"; fail "hivectl describe"; }
  echo "NOT TESTED: no SimHive on this machine; get it with deploy/fetch_simhive.sh"
  exit 0
fi
cat >"${folder}/config.textproto" <<'CONFIG'
env {
  id: "FrankaReachRandom_v2d-v0"
  num_envs: 2
  options { key: "render_preset" value { string_value: "fast" } }
}
collection { total_frames: 48 groups: 1 }
transforms { type: "to_tensor_image" }
transforms { type: "resize" height: 24 width: 24 }
transforms { type: "grey" }
transforms { type: "frame_stack" frames: 4 }
normalization { init_stats: 16 }
model { hidden: 16 }
evaluation { interval: 0 }
ppo { rollout_steps: 8 minibatch_size: 8 epochs: 1 }
CONFIG
refused "rgb:left_cam:224x224:2d.*is an image" learner train --config="${folder}/config.textproto" \
  --server="unix:${folder}/blind.sock" --run_folder="${folder}/refused"

start_server --listen="unix:${folder}/env.sock"
needs_rendering
learner train --config="${folder}/config.textproto" --server="unix:${folder}/env.sock" \
  --run_folder="${folder}/run" >"${folder}/out" 2>&1 || { cat "${folder}/out"; fail "training"; }
tail -3 "${folder}/out"
frames="$(tail -n 1 "${folder}/run/progress.csv" | cut -d, -f1)"
((frames == 48)) || fail "the run counted ${frames} frames"
