#!/usr/bin/env bash
# A benchmark that is killed goes on where it was, and comes to what it would have come to.
source tests/end_to_end/common.sh

start_server --listen="unix:${folder}/env.sock"
benchmark() {
  exec learner benchmark --server="unix:${folder}/env.sock" --preset=cartpole,cleanrl-continuous \
    --envs=InvertedPendulum-v5 --seeds=1,2 --output="$1" --set collection.total_frames=8192 \
    --set env.num_envs=4 --set ppo.rollout_steps=128 --set ppo.minibatch_size=128 \
    --set checkpoint.interval=1024 --set evaluation.interval=0 --set evaluation.episodes=2
}

(benchmark "${folder}/whole") >"${folder}/log" 2>&1 || { cat "${folder}/log"; fail "the benchmark failed"; }

mkdir "${folder}/parts"
# Killed in its first run, in its third and at moments between.
for kept in 0 1 2 3; do
  (benchmark "${folder}/parts") >"${folder}/log" 2>&1 &
  pid=$!
  for _ in $(seq 600); do
    rows="$(find "${folder}/parts" -path '*/rows/*.json' | wc -l)"
    running="$(find "${folder}/parts" -name '0*.safetensors' | wc -l)"
    ((rows >= kept && running > 0)) && break
    sleep 0.05
  done
  kill -9 "${pid}" 2>/dev/null || true
  wait "${pid}" 2>/dev/null || true
done
(benchmark "${folder}/parts") >"${folder}/log" 2>&1 || { cat "${folder}/log"; fail "it did not go on"; }
grep -q "done before" "${folder}/log" || fail "nothing was kept"
cmp "${folder}/whole/benchmark.json" "${folder}/parts/benchmark.json"

python3 - "${folder}/whole" <<'PYTHON'
import json, pathlib, statistics, sys
folder = pathlib.Path(sys.argv[1])
groups = json.loads((folder / "benchmark.json").read_text())
assert [g["preset"] for g in groups] == ["cartpole", "cleanrl-continuous"], groups
for group in groups:
    assert group["env"] == "InvertedPendulum-v5" and group["seeds"] == ["1", "2"] and group["n"] == 2
    assert len(group["frames"]) == len(group["mean"]) == len(group["variance"]) == 50
    assert group["frames"][-1] == 8192 and group["mean_max"] == max(m for m in group["mean"] if m is not None)
    rows = [json.loads((folder / "rows" / f"{group['preset']}__InvertedPendulum-v5__{seed}.json").read_text())
            for seed in group["seeds"]]
    assert all("evaluation" in row for row in rows)
    last = [row["returns"][-1] for row in rows]
    assert abs(statistics.mean(last) - group["mean"][-1]) < 1e-3 * abs(group["mean"][-1]), (last, group["mean"])
svg = (folder / "InvertedPendulum-v5.svg").read_text()
assert svg.count("<polyline") == 2 and "cleanrl-continuous" in svg
PYTHON
refused "another configuration" learner benchmark --server="unix:${folder}/env.sock" --preset=cartpole \
  --envs=InvertedPendulum-v5 --seeds=1 --output="${folder}/whole"
# So is a run that was begun, though it has no row yet.
rm "${folder}/whole/rows/cartpole__InvertedPendulum-v5__1.json"
refused "another configuration" learner benchmark --server="unix:${folder}/env.sock" --preset=cartpole \
  --envs=InvertedPendulum-v5 --seeds=1 --output="${folder}/whole"
echo "the same rows"
