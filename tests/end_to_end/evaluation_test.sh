#!/usr/bin/env bash
# What a person does with a run that is over: evaluate it (the newest, one checkpoint, all of them),
# keep episodes, export the policy, begin another run with it. And a run that is cut short.
source tests/end_to_end/common.sh

# An env that says what a success is.
mkdir "${folder}/envs"
cp examples/reach/reach.xml "${folder}/envs"
sed '/^    start {/i\    info { name: "success" value { distance { from { site: "tip" } to { site: "target" } } then { below: 10 } } }' \
  examples/reach/reach.textproto >"${folder}/envs/reach.textproto"
start_server --listen="unix:${folder}/env.sock" --asset_root="${folder}/envs"
server="--server=unix:${folder}/env.sock"
cd "${folder}"

learner train "${server}" --env=InvertedPendulum-v5 --num_envs=4 --frames=4096 --set checkpoint.interval=1024 \
  --set evaluation.episodes=4 --set evaluation.interval=2048 --set output.video_interval=2048 >train.log
grep -q '^run InvertedPendulum-v5__ppo__1__20' train.log || fail "the run id is not printed"
run="$(sed -n 's/^run folder //p' train.log)"

for frames in 2048 4096; do
  [[ "$(head -c 6 "${run}/videos/$(printf %012d "${frames}").gif")" == GIF89a ]] || fail "no video"
done

# Without a run it is the newest; each figure is there, and one checkpoint after the other.
learner eval "${server}" --episodes=5 --json >newest.json
learner eval "${run}" "${server}" --episodes=5 --json --checkpoint=all >all.json
learner eval "${run}/checkpoints" "${server}" --episodes=5 --json >folder.json
last="$(find "${run}/checkpoints" -name '0*' | sort | tail -n 1)"
learner eval "${last}" "${server}" --episodes=5 --json --stochastic --save_traj=episodes.npz >file.json
python3 - <<'PYTHON'
import json, pathlib, zipfile
newest, every, folder, file = (json.loads(pathlib.Path(name + ".json").read_text())
                               for name in ("newest", "all", "folder", "file"))
assert newest["checkpoint"].endswith("/best.safetensors"), newest
assert newest["episodes"] == len(newest["returns"]) == len(newest["successes"]) == 5
assert newest["success"] == {"rate": 1, "told_by_env": False}, newest
assert [e["frames"] for e in every] == sorted(e["frames"] for e in every) and len(every) >= 3, every
assert every == folder
assert file["stochastic"] and file["frames"] == 4096
with zipfile.ZipFile("episodes.npz") as kept:
    assert kept.testzip() is None
    assert "observations/observation.npy" in kept.namelist(), kept.namelist()
PYTHON

learner eval "${last}" "${server}" --episodes=1 --tensorboard --video=film.gif
[[ -s film.gif && "$(find "${run}" -name 'events*' | wc -l)" == 2 ]] || fail "nothing in TensorBoard"
learner export "${server}" --file=policy.pt
learner export "${run}" "${server}" --checkpoint=last --file=policy.binpb
[[ -s policy.pt && -s policy.binpb ]] || fail "no export"
refused "policy.onnx" learner export "${run}" "${server}" --file=policy.onnx
refused "one checkpoint" learner eval "${run}" "${server}" --checkpoint=all --save_traj=x.npz
refused "best, last, " learner eval "${run}" "${server}" --checkpoint=17
refused "no run folder in" learner eval "${server}" --output=nowhere

# The weights of one run begin another: its first evaluation is the first run's last.
learner train "${server}" --env=InvertedPendulum-v5 --num_envs=4 --frames=512 --seed=9 --run_folder=begun \
  --load_from="${last}" --set evaluation.at_start=true --set evaluation.episodes=4 >begun.log
[[ "$(grep -m 1 'evaluation at 0 frames' begun.log | sed 's/.*: //')" == \
  "$(grep 'evaluation at 4096 frames' train.log | sed 's/.*: //')" ]] || fail "other weights"
refused "made for 4 observations" learner train "${server}" --env=Pendulum-v1 --load_from="${last}" \
  --run_folder=refused

# A run that may take so long ends with a checkpoint; what goes on does not mind a damaged one.
learner train "${server}" --env=InvertedPendulum-v5 --num_envs=4 --frames=100000000 --run_folder=short \
  --execution_time=3s --set checkpoint.interval=1024 --set evaluation.episodes=0 >short.log
grep -q '^stopped at' short.log || fail "--execution_time did not stop the run"
newest="$(find short/checkpoints -name '0*' | sort | tail -n 1)"
frames="$((10#$(basename "${newest}" .safetensors)))"
printf 'damaged' | dd of="${newest}" bs=1 seek=4000 conv=notrunc status=none
learner train "${server}" --resume=short --set "collection.total_frames=${frames}" >resumed.log 2>&1
grep -q 'an earlier checkpoint is tried' resumed.log || fail "the damage was not told of"
grep -q "^finished at ${frames} frames" resumed.log || fail "the run did not go on"

# SIGTERM ends a run likewise, at a moment that is no checkpoint's.
learner train "${server}" --env=InvertedPendulum-v5 --num_envs=4 --frames=100000000 --run_folder=told \
  --set checkpoint.interval=0 --set evaluation.episodes=0 --set output.log_interval=0 >told.log &
told=$!
for _ in $(seq 200); do grep -q 'frames/s' told.log && break; sleep 0.1; done
kill -TERM "${told}"
wait "${told}" || fail "SIGTERM is no success"
[[ -n "$(find told/checkpoints -name '0*')" ]] || fail "SIGTERM left no checkpoint"

# An env's own word for success counts.
learner train "${server}" --env=ReachTarget-v0 --num_envs=4 --frames=512 --run_folder=reach \
  --set evaluation.episodes=2 >reach.log
learner eval reach "${server}" --episodes=2 --json | grep -q '"told_by_env": true' ||
  fail "the env's successes were not heard"
echo "evaluated"
