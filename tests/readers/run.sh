#!/usr/bin/env bash
# Trains for a moment and reads everything that it leaves with the programs that people read it with:
# TensorBoard, wandb, numpy, safetensors, and torch where Python has it. The last line is
# "readers: N passed, M failed".

source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/common.sh"
source "${HIVEWIRE_ROOT}/tests/python_packages.sh"

readonly HERE="${HIVEWIRE_ROOT}/tests/readers"

if ! packages="$(python_packages readers "${HERE}/requirements.txt")"; then
  say "NOT READ: pip could not fetch tensorboard and wandb (see above)"
  echo "readers: 0 passed, 0 failed"
  exit 0
fi
# A torch that the benches have installed.
torch="$(compgen -G "${CACHE}/peers-*/torch/__init__.py" | head -n 1 || true)"

work="$(mktemp -d)"
server_pid=""
finish() {
  if [[ -n "${server_pid}" ]]; then
    kill "${server_pid}" 2>/dev/null || true
    wait "${server_pid}" 2>/dev/null || true
  fi
  rm -rf "${work}"
}
trap finish EXIT
hw_bazel build --show_result=0 //server:env_server //policy:learner >&2
bin="$(hw_bazel info bazel-bin 2>/dev/null)"

server="--server=unix:${work}/env.sock"
"${bin}/server/env_server" --listen="unix:${work}/env.sock" --ready_file="${work}/ready" \
  2>"${work}/server.log" &
server_pid=$!
for _ in $(seq 200); do
  [[ -e "${work}/ready" ]] && break
  kill -0 "${server_pid}" 2>/dev/null || { cat "${work}/server.log" >&2; die "the server did not start"; }
  sleep 0.1
done

run="${work}/run-1"
{
  "${bin}/policy/learner" train "${server}" --env=InvertedPendulum-v5 --frames=8192 --seed=3 \
    --run_folder="${run}" --set "output.trackers=[csv,tensorboard,wandb]" \
    --set output.video_interval=4096 --set evaluation.episodes=5
  "${bin}/policy/learner" eval "${run}" "${server}" --episodes=5 --save_traj="${work}/episodes.npz"
  "${bin}/policy/learner" export "${run}" "${server}" --file="${work}/policy.pt"
} >"${work}/log" 2>&1 || { cat "${work}/log" >&2; die "training failed (see above)"; }

status=0
# wandb reports its own errors home unless it is told not to.
output="$(cd "${work}" && WANDB_MODE=offline WANDB_ERROR_REPORTING=false PYTHONDONTWRITEBYTECODE=1 \
  PYTHONPATH="${packages}${torch:+:${torch%/torch/__init__.py}}" \
  python3 "${HERE}/read.py" "${run}" "${work}/episodes.npz" "${work}/policy.pt")" || status=$?
echo "${output}"
[[ "${output##*$'\n'}" == readers:*", 0 failed" ]] && ((status == 0))
