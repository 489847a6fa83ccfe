#!/usr/bin/env bash
# A policy learns from a camera's pixels by convolutions: its losses are finite, a run that is resumed
# ends with the same bits, and where it cannot act it says so.
source tests/end_to_end/common.sh

mkdir "${folder}/envs"
cp examples/reach/reach.xml "${folder}/envs"
sed 's/^    start {/    visual_key: "rgb:above:40x40:2d" fast_images: true\n    start {/' \
  examples/reach/reach.textproto >"${folder}/envs/reach.textproto"
start_server --listen="unix:${folder}/env.sock" --asset_root="${folder}/envs"
needs_rendering
server="--server=unix:${folder}/env.sock"
cd "${folder}"
cat >pixels.textproto <<'CONFIG'
env { id: "ReachTarget-v0" num_envs: 4 }
transforms { type: "to_tensor_image" }
transforms { type: "grey" }
transforms { type: "frame_stack" frames: 3 leaves: "rgb:above:40x40:2d" }
normalization { observation: false }
collection { total_frames: 256 }
checkpoint { interval: 128 }
evaluation { episodes: 2 }
model { convolution { architecture: "small" features: 32 } hidden: 32 shared_trunk: true }
ppo { rollout_steps: 16 minibatch_size: 32 epochs: 2 }
CONFIG

learner train --config=pixels.textproto "${server}" --run_folder=whole >whole.log
learner eval whole "${server}" --episodes=2 --json >eval.json
cp -r whole cut
rm cut/checkpoints/000000000256.safetensors
rm -f cut/checkpoints/best.safetensors
learner train --resume=cut "${server}" >cut.log
python3 - <<'PYTHON'
import csv, json, math, struct

def tensors(path):
    data = open(path, "rb").read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]] for name, t in header.items()}

whole, cut = (tensors(run + "/checkpoints/000000000256.safetensors") for run in ("whole", "cut"))
begun = tensors("whole/checkpoints/000000000128.safetensors")
assert whole.keys() == cut.keys()
# A snapshot of an env also numbers the operations of its pool.
different = [name for name in whole if not name.startswith("env_state.") and whole[name] != cut[name]]
assert not different, different
vision = [name for name in whole if name.startswith("model.trunk.vision.")]
assert len(vision) == 6, vision
assert all(whole[name] != begun[name] for name in vision), "no gradient reached the convolutions"
rows = list(csv.DictReader(open("whole/progress.csv")))
losses = [float(row[name]) for row in rows for name in ("policy_loss", "value_loss", "entropy")]
assert len(losses) == 3 * 4 and all(map(math.isfinite, losses)), losses
print(len(whole), "tensors are the same after a resume;", len(losses), "losses are finite")
PYTHON

refused "acts in the learner only" learner export whole "${server}" --file=policy.pt
refused "acts in the learner only" learner train --config=pixels.textproto "${server}" --run_folder=refused \
  --set collection.init_random_frames=64
sed '/^transforms/d' pixels.textproto >raw.textproto
refused "model.convolution.*\(40, 40, 3\)" learner train --config=raw.textproto "${server}" --run_folder=refused
refused "ppo.max_rollout_bytes is 100" learner train --config=pixels.textproto "${server}" --run_folder=refused \
  --set ppo.max_rollout_bytes=100
