"""Measures RoboHive's envs here and in RoboHive's own Python, turn by turn; prints and writes JSON.

In each round every side of a row has one turn. Ratios are medians over the rounds of ratios within
a round.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile

from compare import HERE, Player, machine

STATE_ENVS = ["FrankaReachFixed-v0", "FK1_Knob1OnFixed-v4", "door-v1"]
PIXEL_ENVS = ["FrankaReachRandom_v2d-v0", "FK1_Knob1OnRandom_v2d-v4"]
KITCHEN = "FK1_Knob1OnRandom_v2d-v4"
KITCHEN_CAMERAS = ["top_cam", "left_cam", "right_cam", "Franka_wrist_cam"]
ROWS = ["state", "pixels", "batch", "memory"]

# What MuJoCo 3.17 does not take of RoboHive's model files: (file, pattern, replacement).
EDITS = [
    ("simhive/Adroit/resources/assets.xml", r'apirate="\d+"', ""),
    ("envs/hands/assets/DAPG_assets.xml", r'apirate="\d+"', ""),
    ("simhive/furniture_sim/kettle/kettle_asset.xml", '<default class="kettle">', "<default>"),
]


def simhive():
    """RoboHive's model files, where the server looks for them; None without."""
    beside = HERE.parent.parent.parent / "shared" / "simhive"
    for folder in (os.environ.get("HIVEWIRE_SIMHIVE"), beside, pathlib.Path.home() / ".robohive"):
        for inner in ("", "simhive", "robohive/simhive"):
            if folder and (pathlib.Path(folder) / inner / "franka_sim").is_dir():
                return pathlib.Path(folder) / inner
    return None


def original(options, folder):
    """The folder of a RoboHive that runs, a copy with its model files; None without one."""
    if options.peers_folder is None or simhive() is None:
        print("NOT COMPARED: there is no RoboHive, or no SimHive", file=sys.stderr)
        return None
    package = folder / "robohive"
    shutil.copytree(options.peers_folder / "robohive", package)
    shutil.copytree(simhive(), package / "simhive")
    for name, pattern, replacement in EDITS:
        path = package / name
        path.write_text(re.sub(pattern, replacement, path.read_text()))
    return folder


class Row:
    """An env's sides, some in our program and some in RoboHive's; those in `played`, or all.

    A turn lasts `turns` times as long as asked for.
    """

    def __init__(
        self, options, package, env, mode, lanes, peer_lanes=None, flags=(), played=None, turns=1
    ):
        self.players = [
            Player([
                options.bin / "robohive_player",
                f"--env_server={options.env_server}",
                f"--env={env}",
                f"--mode={mode}",
                f"--lanes={lanes}",
                f"--seconds={turns * options.turn}",
                *flags,
            ])
        ]
        if package is not None and peer_lanes is not None:
            path = os.pathsep.join(str(folder) for folder in (package, options.peers_folder))
            command = [sys.executable, HERE / "peers" / "robohive_player.py"]
            command += ["--env", env, "--mode", mode, "--lanes", peer_lanes]
            self.players.append(
                Player(
                    command + ["--seconds", turns * options.turn],
                    {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
                )
            )
        try:
            self.ready = [player.ready() for player in self.players]
        except BaseException:
            self.close()
            raise
        self.sides = [
            (player, side["side"])
            for player, ready in zip(self.players, self.ready)
            for side in ready["sides"]
            if played is None or side["side"] in played
        ]
        self.rates = {side: [] for _, side in self.sides}

    def play(self, rounds):
        for number in range(-1, rounds):  # the first warms up
            for k in range(len(self.sides)):
                player, side = self.sides[(number + k) % len(self.sides)]
                turn = player.play(side)
                if number >= 0:
                    self.rates[side].append(turn["lane_steps"] / turn["seconds"])
        self.close()

    def close(self):
        for player in self.players:
            player.close()

    def rate(self, side):
        return statistics.median(self.rates[side])

    def ratio(self, side, base):
        if base not in self.rates:
            return None
        return statistics.median(a / b for a, b in zip(self.rates[side], self.rates[base]))


def say(text):
    print(text, file=sys.stderr, flush=True)


def shown(value):
    return "–" if value is None else f"{value:.2f}"


def state(options, package):
    """One lane in this process, and 64 of a server, by env."""
    rows = []
    for env in STATE_ENVS:
        one = Row(options, package, env, "state", 1, 1, played=("inproc", "bare", "Python"))
        one.play(options.rounds)
        many = Row(
            options, package, env, "state", 64, 1, played=("unix", "Python, 2 processes")
        )
        many.play(options.rounds)
        rows.append({
            "env": env,
            "one_lane_steps_per_s": one.rate("inproc"),
            "bare_steps_per_s": one.rate("bare"),
            "python_steps_per_s": one.rate("Python") if "Python" in one.rates else None,
            "one_lane_to_python": one.ratio("inproc", "Python"),
            "one_lane_to_bare": one.ratio("inproc", "bare"),
            "many_lanes_steps_per_s": many.rate("unix"),
            "many_lanes_to_python": many.ratio("unix", "Python, 2 processes"),
        })
        say(
            f"{env}: one lane {rows[-1]['one_lane_steps_per_s']:,.0f} steps/s,"
            f" {shown(rows[-1]['one_lane_to_python'])} of Python's,"
            f" {shown(rows[-1]['one_lane_to_bare'])} of bare mj_step; 64 lanes over UDS"
            f" {rows[-1]['many_lanes_steps_per_s']:,.0f},"
            f" {shown(rows[-1]['many_lanes_to_python'])} of two Python processes'"
        )
    return {"state": rows}


def pixels(options, package):
    rows = []
    for env in PIXEL_ENVS:
        row = Row(options, package, env, "pixels", 4, 4)
        row.play(options.pixel_rounds)
        rows.append({
            "env": env,
            "exact_steps_per_s": row.rate("exact"),
            "fast_steps_per_s": row.rate("fast"),
            "python_steps_per_s": row.rate("Python") if "Python" in row.rates else None,
            "exact_to_python": row.ratio("exact", "Python"),
            "fast_to_python": row.ratio("fast", "Python"),
        })
        say(
            f"{env}, 4 lanes: exact {rows[-1]['exact_steps_per_s']:.2f} steps/s"
            f" ({shown(rows[-1]['exact_to_python'])} of Python's), fast"
            f" {rows[-1]['fast_steps_per_s']:.1f} ({shown(rows[-1]['fast_to_python'])})"
        )
    return {"pixels": rows}


def batch(options, _package):
    row = Row(
        options,
        None,
        "FrankaReachRandom-v0",
        "batch",
        64,
        flags=["--visual_keys=rgb:left_cam:84x84:2d"],
        turns=3,  # a turn's last batch counts whole, and a batch takes a good part of a second
    )
    row.play(options.rounds)
    result = {"batch_steps_per_s": row.rate("unix"), "batch_to_inproc": row.ratio("unix", "inproc")}
    say(
        f"64 lanes of 84x84x3, fast: {result['batch_steps_per_s']:.0f} steps/s over UDS,"
        f" {result['batch_to_inproc']:.2f} of in process"
    )
    return result


def memory(options, _package):
    keys = ",".join(f"rgb:{camera}:256x256:2d" for camera in KITCHEN_CAMERAS)
    result = {}
    for name, lanes, flags in (
        ("memory_state_lane_bytes", 1024, []),
        ("memory_pixel_lane_bytes", 64, [f"--visual_keys={keys}"]),
    ):
        row = Row(options, None, KITCHEN, "memory", lanes, flags=flags)
        result[name] = row.ready[0]["bytes_per_lane"]
        row.close()
        say(f"{name}: {result[name]:,.0f}")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--bin", type=pathlib.Path, required=True, help="folder of the built programs"
    )
    parser.add_argument("--env_server", type=pathlib.Path, required=True)
    parser.add_argument("--peers_folder", type=pathlib.Path, help="where pip put RoboHive")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pixel_rounds", type=int, default=3)
    parser.add_argument("--turn", type=float, default=3, help="seconds of a side's turn, about")
    parser.add_argument("--rows", nargs="+", default=ROWS, choices=ROWS)
    parser.add_argument("--json", type=pathlib.Path, required=True, help="the file to write")
    options = parser.parse_args()
    os.environ.setdefault("MUJOCO_GL", "egl")
    results = json.loads(options.json.read_text()) if options.json.exists() else {}
    results.update(machine("tests/bench/robohive.sh"))
    measures = {"state": state, "pixels": pixels, "batch": batch, "memory": memory}
    with tempfile.TemporaryDirectory() as folder:
        package = original(options, pathlib.Path(folder))
        for row in options.rows:
            results.update(measures[row](options, package))
    options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
