"""How long training takes until its episodes reach a return on average: ours over gRPC, and
Stable-Baselines3 with the same hyperparameters and normalisers, one after the other. Adds it to the
file of learner.py's results."""

import argparse
import collections
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from compare import HERE, machine

EPISODES = 100
FIELDS = {
    "env": ["num_envs"],
    "distribution": ["initial_log_std"],
    "ppo": [
        "rollout_steps",
        "minibatch_size",
        "epochs",
        "learning_rate",
        "learning_rate_schedule",
        "gamma",
        "gae_lambda",
        "clip",
        "value_coefficient",
        "entropy_coefficient",
        "max_grad_norm",
    ],
}


def fields_of(text):
    """What Stable-Baselines3 has to be told, out of a run's config.textproto."""
    config = {"seed": int(re.search(r"^seed: (\d+)", text, re.M).group(1))}
    for message, names in FIELDS.items():
        body = re.search(rf"^{message} \{{\n(.*?)^\}}", text, re.M | re.S).group(1)
        for name in names:
            value = re.search(rf"^  {name}: (.*)$", body, re.M).group(1)
            config[name] = json.loads(value)
        if message == "env":
            options = re.findall(r'key: "(.*)"\s+value \{\s+(?:bool|int|double|string)_value: (.*)', body)
            config["env_options"] = {key: json.loads(value) for key, value in options}
    return config


def reached(progress, wanted):
    """Frames, seconds and mean of the latest episodes where they first reach `wanted`, else of the
    last update."""
    latest, before, point = collections.deque(), 0, None
    with open(progress, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            ended, before = int(float(row["episodes"])) - before, int(float(row["episodes"]))
            if ended:  # an update may see none end
                latest += [float(row["episodic_return"])] * ended
            while len(latest) > EPISODES:
                latest.popleft()
            mean = sum(latest) / len(latest) if latest else None
            point = {
                "frames": int(float(row["frames"])),
                "seconds": float(row["seconds"]),
                "mean_return": mean,
            }
            if len(latest) == EPISODES and mean >= wanted:
                return {**point, "reached": True}
    return {**(point or {}), "reached": False}


def ours(options, folder):
    """What our learner reached, and its configuration."""
    address, ready, run = f"unix:{folder}/env.sock", folder / "ready", folder / "run"
    server = subprocess.Popen(
        [options.env_server, f"--listen={address}", f"--ready_file={ready}", "--render=false"],
        stderr=subprocess.DEVNULL,
    )
    learner = None
    try:
        while not ready.exists():
            if server.poll() is not None:
                raise SystemExit("the env server did not start")
            time.sleep(0.05)
        learner = subprocess.Popen(
            [
                options.learner,
                "train",
                f"--preset={options.preset}",
                f"--env={options.env}",
                f"--frames={options.frames}",
                f"--server={address}",
                f"--run_folder={run}",
                "--set=evaluation.episodes=0",
            ],
            stdout=subprocess.DEVNULL,
        )
        point = {"reached": False}
        while learner.poll() is None and not point["reached"]:
            time.sleep(1)
            if (run / "progress.csv").exists():
                point = reached(run / "progress.csv", options.wanted)
        point = reached(run / "progress.csv", options.wanted)
        return point, fields_of((run / "config.textproto").read_text())
    finally:
        for process in (learner, server):
            if process is not None:
                process.terminate()
                process.wait()


def stable_baselines(options, config):
    """What it reached; None without the peers."""
    if options.peers_folder is None:
        print("NOT COMPARED: there is no Stable-Baselines3", file=sys.stderr)
        return None
    environment = {**os.environ, "PYTHONPATH": str(options.peers_folder)}
    command = [sys.executable, HERE / "peers" / "sb3_to_return.py", "--config", json.dumps(config)]
    for name in ("env", "wanted", "frames", "threads"):
        command += [f"--{name}", getattr(options, name)]
    point = {"reached": False}
    with subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        for line in process.stdout:
            point = json.loads(line)
    if process.returncode:
        raise SystemExit("sb3_to_return.py failed (see above)")
    mean = point["mean_return"]
    return {**point, "reached": mean is not None and mean >= options.wanted}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learner", type=pathlib.Path, required=True, help="the program")
    parser.add_argument("--env_server", type=pathlib.Path, required=True)
    parser.add_argument("--peers_folder", type=pathlib.Path, help="where pip put the peers")
    parser.add_argument("--preset", default="ant")
    parser.add_argument("--env", default="Ant-v5")
    parser.add_argument("--wanted", type=float, default=4000, help="mean return of 100 episodes")
    parser.add_argument("--frames", type=int, default=6_000_000, help="at most")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=pathlib.Path, required=True, help="learner.py's file")
    options = parser.parse_args()
    here = machine("tests/bench/learner.sh --return")
    with tempfile.TemporaryDirectory() as folder:
        point, config = ours(options, pathlib.Path(folder))
    sides = {"Hivewire": point}
    peer = stable_baselines(options, config)
    if peer is not None:
        sides["Stable-Baselines3"] = peer
    for side, point in sides.items():
        print(
            f"{options.env}: {side} {'reached' if point['reached'] else 'did not reach'}"
            f" {options.wanted:g}: {point['seconds'] / 60:.1f} minutes, {point['frames']:,} frames,"
            f" mean return {point['mean_return'] or 0:,.0f}"
        )
    results = json.loads(options.json.read_text()) if options.json.exists() else {}
    results["time_to_return"] = {
        **here,
        "env": options.env,
        "wanted": options.wanted,
        "preset": options.preset,
        "config": config,
        "sides": sides,
    }
    options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
