"""Measures what one server does for many lanes and clients (service_bench), and pixels beside
Gymnasium's; prints it and writes it as JSON."""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from compare import HERE, Player, machine

FAST = "Hivewire, without shadows, reflections and multisampling"
GYMNASIUM = "Gymnasium"


def pixels(options):
    """Frames per second by side, interleaved; empty without the peers."""
    if options.peers_folder is None:
        print("NOT COMPARED: pixels, there is no Gymnasium", file=sys.stderr)
        return {}
    environment = {
        **os.environ,
        "PYTHONPATH": str(options.peers_folder),
        "PYTHONWARNINGS": "ignore",
    }
    for backend in ("egl", "osmesa"):
        environment["MUJOCO_GL"] = backend
        players = [
            Player(
                [
                    options.bin / "pixel_player",
                    f"--env_server={options.env_server}",
                    f"--seconds={options.turn}",
                ],
                environment,
            ),
            Player([sys.executable, HERE / "peers" / "pixel_player.py", options.turn], environment),
        ]
        try:
            sides = [
                (player, side["side"]) for player in players for side in player.ready()["sides"]
            ]
            rates = {name: [] for _, name in sides}
            for number in range(options.rounds):
                for k in range(len(sides)):
                    player, name = sides[(number + k) % len(sides)]
                    turn = player.play(name)
                    rates[name].append(turn["lane_steps"] / turn["seconds"])
        except RuntimeError as error:
            print(f"NOT COMPARED: pixels with {backend}: {error}", file=sys.stderr)
            continue
        finally:
            for player in players:
                player.close()
        ratio = lambda name: statistics.median(a / b for a, b in zip(rates[name], rates[GYMNASIUM]))
        for name in rates:
            print(
                f"pixels 84x84, {backend}: {name} {statistics.median(rates[name]):.0f} frames/s, "
                f"{ratio(name):.2f} of Gymnasium's",
                file=sys.stderr,
            )
        return {
            "pixels_backend": backend,
            "pixels_frames_per_s": {name: statistics.median(rates[name]) for name in rates},
            "pixels_to_gymnasium": ratio(FAST),
        }
    return {}


def mesh_flags(options, folder):
    """service_bench's flags for the row of a model with meshes; none without the peers."""
    rows = ["fan_out", "memory", "clients", "neighbour"]
    if options.peers_folder is None:
        print(
            "NOT MEASURED: lanes of a model with meshes, there is no gymnasium-robotics",
            file=sys.stderr,
        )
        return [f"--rows={','.join(rows)}"]
    assets = options.peers_folder / "gymnasium_robotics" / "envs" / "assets"
    for part in ("fetch", "stls/fetch", "textures"):
        shutil.copytree(assets / part, folder / part)
    shutil.copy(HERE / "meshes" / "fetch.textproto", folder)
    return [f"--rows={','.join(rows + ['meshes'])}", f"--asset_root={folder}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--bin", type=pathlib.Path, required=True, help="folder of the built programs"
    )
    parser.add_argument("--env_server", type=pathlib.Path, required=True)
    parser.add_argument("--peers_folder", type=pathlib.Path, help="where pip put the peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--turn", type=float, default=2, help="seconds")
    parser.add_argument("--json", type=pathlib.Path, required=True, help="the file to write")
    options = parser.parse_args()
    here = machine("tests/bench/service.sh")
    with tempfile.TemporaryDirectory() as folder:
        measured = subprocess.run(
            [
                options.bin / "service_bench",
                f"--env_server={options.env_server}",
                f"--sleeping_server={options.bin / 'sleeping_server'}",
                f"--rounds={options.rounds}",
                f"--seconds={options.turn}",
                "--json",
                *mesh_flags(options, pathlib.Path(folder)),
            ],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    floor = subprocess.run(
        [options.bin / "grpc_floor", f"--rounds={options.rounds}"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    results = {
        **here,
        **json.loads(measured),
        **pixels(options),
        "grpc_floor": json.loads(floor),
    }
    options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
