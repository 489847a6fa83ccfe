"""Reads what a run left behind with programs that have nothing of ours: TensorBoard, Weights &
Biases, numpy, safetensors and, where it is installed, torch.

    read.py RUN TRAJECTORIES.npz POLICY.pt

RUN was trained with every tracker, a video and a last evaluation; TRAJECTORIES.npz are episodes of
its policy without noise, POLICY.pt is that policy. Each case prints a line; the last one is
"readers: N passed, M failed".
"""

import csv
import io
import json
import pathlib
import sys
import traceback

import numpy as np

RUN = pathlib.Path(sys.argv[1])
TRAJECTORIES = pathlib.Path(sys.argv[2])
POLICY = pathlib.Path(sys.argv[3])
CASES = []


def case(function):
    CASES.append(function)
    return function


def progress():
    with open(RUN / "progress.csv") as file:
        return list(csv.DictReader(file))


def events():
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(RUN), size_guidance=dict.fromkeys(
        ("scalars", "tensors", "images", "histograms", "compressedHistograms"), 0))
    accumulator.Reload()
    return accumulator


@case
def tensorboard_reads_scalars():
    accumulator = events()
    rows = progress()
    for tag, column in (("charts/episodic_return", "episodic_return"), ("charts/SPS", "frames_per_second"),
                        ("losses/approx_kl", "approx_kl"), ("charts/learning_rate", "learning_rate")):
        points = accumulator.Scalars(tag)
        assert [point.step for point in points] == [int(row["frames"]) for row in rows], tag
        np.testing.assert_allclose([point.value for point in points],
                                   [float(row[column]) for row in rows], rtol=1e-5, err_msg=tag)
    (evaluation,) = accumulator.Scalars("eval/episodic_return")
    expected = json.loads((RUN / "evaluation.json").read_text())
    assert evaluation.step == expected["frames"]
    np.testing.assert_allclose(evaluation.value, expected["return"]["mean"], rtol=1e-6)


@case
def tensorboard_reads_text():
    (text,) = events().Tensors("hyperparameters/text_summary")
    content = text.tensor_proto.string_val[0].decode()
    assert 'id: "InvertedPendulum-v5"' in content, content


@case
def tensorboard_reads_histograms():
    accumulator = events()
    histogram = accumulator.Histograms("histograms/episodic_return")[-1].histogram_value
    assert sum(histogram.bucket) == histogram.num > 0
    assert histogram.min <= histogram.sum / histogram.num <= histogram.max
    weights = accumulator.Histograms("weights/actor.0.weight")[-1].histogram_value
    assert weights.num == 4 * 64, weights.num


@case
def tensorboard_reads_videos():
    from PIL import Image

    image = events().Images("videos/episode")[-1]
    gif = Image.open(io.BytesIO(image.encoded_image_string))
    assert gif.format == "GIF" and gif.size == (image.width, image.height)
    assert gif.n_frames > 5, gif.n_frames
    assert image.encoded_image_string == (RUN / "videos" / f"{image.step:012}.gif").read_bytes()


def wandb_records():
    import wandb

    wandb._assert_is_internal_process = True
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    (path,) = (RUN / "wandb").glob("offline-run-*/run-*.wandb")
    store = DataStore()
    store.open_for_scan(str(path))
    records = []
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        records.append(record)
    return path.parent, records


@case
def wandb_reads_the_run():
    _, records = wandb_records()
    assert [record.num for record in records] == list(range(1, len(records) + 1))
    kinds = [record.WhichOneof("record_type") for record in records]
    assert kinds[:2] == ["header", "run"] and kinds[-2:] == ["exit", "final"], kinds
    run = records[1].run
    assert run.run_id == RUN.name and run.project == "hivewire", run
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["env"]["id"] == "InvertedPendulum-v5" and config["seed"] == 3, config
    assert config["ppo"]["learning_rate"] > 0


@case
def wandb_reads_history_and_summary():
    _, records = wandb_records()
    rows = progress()
    history = [record.history for record in records if record.HasField("history")]
    by_step = {item.step.num: {entry.key: json.loads(entry.value_json) for entry in item.item}
               for item in history}
    assert [item.step.num for item in history] == sorted(by_step), "one row a step"
    for row in rows:
        values = by_step[int(row["frames"])]
        assert values["_step"] == int(row["frames"])
        np.testing.assert_allclose(values["charts/episodic_return"], float(row["episodic_return"]),
                                   rtol=1e-8)
    last = by_step[int(rows[-1]["frames"])]
    bins = last["histograms/episodic_return"]
    assert bins["_type"] == "histogram" and len(bins["bins"]) == len(bins["values"]) + 1
    summary = {}
    for record in records:
        if record.HasField("summary"):
            summary |= {item.key: json.loads(item.value_json) for item in record.summary.update}
    assert summary["eval/episodic_return"] == last["eval/episodic_return"]


@case
def wandb_reads_videos():
    folder, records = wandb_records()
    videos = [json.loads(entry.value_json) for record in records if record.HasField("history")
              for entry in record.history.item if entry.key == "videos/episode"]
    listed = [file.path for record in records if record.HasField("files") for file in record.files.files]
    assert videos and [video["path"] for video in videos] == listed
    for video in videos:
        content = (folder / "files" / video["path"]).read_bytes()
        assert video["_type"] == "video-file" and len(content) == video["size"]


@case
def numpy_reads_trajectories():
    with np.load(TRAJECTORIES) as file:
        arrays = dict(file)
    lengths = arrays["episode_lengths"]
    steps, episodes = lengths.sum(), len(lengths)
    assert arrays["observations/observation"].shape == (steps + episodes, 4)
    assert arrays["observations/observation"].dtype == np.float32
    assert arrays["actions"].shape == (steps, 1) and arrays["actions"].dtype == np.float32
    ends = lengths.cumsum() - 1
    done = arrays["terminated"] | arrays["truncated"]
    assert done.dtype == bool and list(np.flatnonzero(done)) == list(ends)
    starts = ends - lengths + 1
    np.testing.assert_allclose(np.add.reduceat(arrays["rewards"], starts), arrays["episode_returns"])


@case
def safetensors_reads_checkpoints():
    from safetensors.numpy import load_file

    tensors = load_file(RUN / "checkpoints" / "best.safetensors")
    assert tensors["model.actor.0.weight"].shape == (64, 4), list(tensors)


@case
def torch_runs_the_exported_policy():
    try:
        import torch
    except ImportError as error:
        print(f"NOT CHECKED, Python has no torch ({error}): the exported policy")
        return
    with np.load(TRAJECTORIES) as file:
        observations, lengths = file["observations/observation"], file["episode_lengths"]
        actions = file["actions"]
    # An episode's last observation is not acted on.
    last = lengths.cumsum() + np.arange(len(lengths))
    acted_on = np.delete(observations, last, axis=0)
    module = torch.jit.load(str(POLICY))
    chosen = module(torch.from_numpy(acted_on)).numpy()
    assert np.ptp(actions) > 0.01
    np.testing.assert_allclose(chosen, actions, atol=1e-5)


failed = 0
for function in CASES:
    try:
        function()
        print(f"ok      {function.__name__}")
    except Exception:
        failed += 1
        traceback.print_exc(file=sys.stdout)
        print(f"FAILED  {function.__name__}")
print(f"readers: {len(CASES) - failed} passed, {failed} failed")
