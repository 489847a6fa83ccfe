"""Plays the sides of compare.sh in turn, round after round, and writes what they reached as JSON.

A cell is one env with so many lanes. Its sides are played by programs that all run through the same
random actions from a reset (player.h says how); in each round every side has one turn, and each
round begins with another side, so that whatever else the machine does slows all of them alike.
Ratios are medians over the rounds of ratios within a round.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ENVS = ["Ant-v5", "HalfCheetah-v5", "Humanoid-v5", "Hopper-v5"]
LANES = [1, 64, 256]
PEERS = ["envpool", "gymnasium", "rlmesh", "dm_env_rpc"]
OURS = {
    "inproc 1": "Hivewire in process, lockstep",
    "inproc 2": "Hivewire in process, 2 groups",
    "unix 1": "Hivewire over UDS, lockstep",
    "unix 2": "Hivewire over UDS, 2 groups",
}
# A slow side's turn is cut off after so many of a turn's length.
LONGEST_TURN = 1.5


class Player:
    """A program of player.h's protocol, and the sides that it plays."""

    def __init__(self, command, environment=None):
        self.command = command
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if environment is not None else None,
            env=environment,
            text=True,
        )

    def ready(self):
        """What the program says at its start; raises RuntimeError where it fails."""
        line = self.process.stdout.readline()
        if not line:
            errors = self.process.stderr.read() if self.process.stderr else ""
            raise RuntimeError((errors.strip().splitlines() or ["ended without a word"])[-1])
        return json.loads(line)

    def play(self, side):
        self.process.stdin.write(side + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.command[0]} ended while it played {side}")
        turn = json.loads(line)
        if "error" in turn:
            raise RuntimeError(f"{side}: {turn['error']}")
        return turn

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Cell:
    """The sides of one env with so many lanes, and their turns."""

    def __init__(self, options, env, lanes, folder):
        self.env, self.lanes = env, lanes
        self.players, self.sides = [], []  # sides: (player, its name there, our name)
        self.engines, self.tried, self.missing = {}, {}, {}
        self.turns = {}  # by our name
        try:
            self.open_ours(options, folder)
            for peer in options.peers:
                self.open_peer(options, peer, folder)
        except BaseException:
            self.close()
            raise

    def add(self, player, ready, names):
        self.players.append(player)
        for side in ready["sides"]:
            name = names(side)
            self.sides.append((player, side["side"], name))
            self.engines[name] = side["engine"]
            self.turns[name] = []

    def open_ours(self, options, folder):
        ours = Player([
            options.bin / "hivewire_player",
            f"--env={self.env}",
            f"--num_envs={self.lanes}",
            f"--seconds={options.turn}",
            f"--folder={folder}",
            f"--env_server={options.env_server}",
        ])
        self.ready = ours.ready()
        self.add(ours, self.ready, lambda side: OURS[side["side"]])
        for program in ("raw_loop_player", "raw_loop_player_3_6"):
            raw = Player(
                [options.bin / program, folder / "recording", options.models, os.cpu_count()]
            )
            self.add(raw, raw.ready(), lambda side: f"bare mj_step, {side['engine']}")

    def open_peer(self, options, peer, folder):
        environment = {
            **os.environ,
            "PYTHONPATH": f"{options.peers_folder}",
            "PYTHONWARNINGS": "ignore",
        }
        player = Player(
            [
                sys.executable,
                HERE / "peers" / f"{peer}_player.py",
                "--env",
                self.env,
                "--num_envs",
                self.lanes,
                "--actions",
                folder / "actions",
                "--elements",
                self.ready["action_elements"],
                "--seconds",
                options.turn * LONGEST_TURN,
            ],
            environment,
        )
        try:
            ready = player.ready()
        except RuntimeError as error:
            self.missing[peer] = str(error)
            print(
                f"NOT COMPARED: {peer} on {self.env} with {self.lanes} lanes: {error}",
                file=sys.stderr,
            )
            player.close()
            return
        self.add(player, ready, lambda side: side["side"])
        self.tried.update(ready.get("tried", {}))

    def play_round(self, number, keep):
        for k in range(len(self.sides)):
            player, side, name = self.sides[(number + k) % len(self.sides)]
            turn = player.play(side)
            if keep:
                self.turns[name].append(turn)

    def close(self):
        for player in self.players:
            player.close()

    def rates(self, name):
        return [turn["lane_steps"] / turn["seconds"] for turn in self.turns[name]]

    def result(self):
        best_of = lambda names: max(
            names, key=lambda n: statistics.median(self.rates(n)), default=None
        )
        envpool = best_of([name for name in self.turns if name.startswith("EnvPool")])
        raw = next(name for name in self.turns if name.startswith("bare mj_step"))

        def ratio(name, base):
            if base is None:
                return None
            return statistics.median(a / b for a, b in zip(self.rates(name), self.rates(base)))

        sides = []
        for name in self.turns:
            rates = self.rates(name)
            side = {
                "side": name,
                "engine": self.engines[name],
                "lane_steps_per_s": statistics.median(rates),
                "range": [min(rates), max(rates)],
                "to_envpool": ratio(name, envpool),
                "to_raw": ratio(name, raw),
            }
            base = name.replace("over UDS", "in process")
            if base != name:
                side["to_inproc"] = ratio(name, base)
            for what in ("round_trip_us", "round_trip_net_us"):
                values = [turn[what] for turn in self.turns[name] if what in turn]
                if values:
                    side[what] = statistics.median(values)
            sides.append(side)
        return {
            "env": self.env,
            "lanes": self.lanes,
            "rounds": len(self.turns[raw]),
            "steps_a_turn": self.ready["steps"],
            "envpool_tried": self.tried,
            "missing": self.missing,
            "sides": sides,
        }


def print_cell(cell):
    print(
        f"\n{cell['env']}, {cell['lanes']} lanes: {cell['rounds']} rounds of {cell['steps_a_turn']}"
        " steps"
    )
    print(
        f"{'side':<36} {'engine':<14} {'lane steps/s':>12} {'range':>19} {'÷ EnvPool':>9}"
        f" {'÷ bare':>7} {'net µs':>7}"
    )
    show = lambda value, form: "" if value is None else format(value, form)
    for side in sorted(cell["sides"], key=lambda side: -side["lane_steps_per_s"]):
        low, high = side["range"]
        print(
            f"{side['side']:<36} {side['engine']:<14} {side['lane_steps_per_s']:>12,.0f} "
            f"{f'{low:,.0f}–{high:,.0f}':>19} {show(side['to_envpool'], '.2f'):>9} "
            f"{show(side['to_raw'], '.2f'):>7} {show(side.get('round_trip_net_us'), '.0f'):>7}",
            flush=True,
        )


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def busy_cores(seconds=1.0):
    """Cores that this machine's programs keep busy while this one sleeps."""

    def busy_ticks():
        user, nice, system, _, _, irq, softirq = map(
            int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
        )
        return user + nice + system + irq + softirq

    before = busy_ticks()
    time.sleep(seconds)
    return (busy_ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds


def machine(command):
    """What stands above every file of results."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "busy_cores": round(busy_cores(), 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "command": command,
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--bin", type=pathlib.Path, required=True, help="folder of the built players"
    )
    parser.add_argument("--env_server", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=pathlib.Path, help="folder of Gymnasium's MJCF files")
    parser.add_argument(
        "--peers_folder", type=pathlib.Path, help="where pip put the peers; none without"
    )
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS)
    parser.add_argument("--envs", nargs="+", default=ENVS)
    parser.add_argument("--lanes", nargs="+", type=int, default=LANES)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--turn", type=float, default=0.7, help="seconds of a side's turn, about")
    parser.add_argument("--quick", action="store_true", help="one small cell, in seconds")
    parser.add_argument("--json", type=pathlib.Path, required=True, help="the file to write")
    options = parser.parse_args()
    if options.quick:
        options.envs, options.lanes, options.rounds, options.turn = ["HalfCheetah-v5"], [8], 2, 0.1
    if options.models is None:
        runfiles = options.bin / "raw_loop_player.runfiles"
        options.models = runfiles / "gymnasium" / "gymnasium" / "envs" / "mujoco" / "assets"
    if options.peers_folder is None:
        options.peers = []
        print("NOT COMPARED with any peer: there are only our own sides", file=sys.stderr)
    return options


def main():
    options = parse_arguments()
    here = machine("tests/bench/compare.sh" + (" --quick" if options.quick else ""))
    cells = []
    for env in options.envs:
        for lanes in options.lanes:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="hivewire-compare-"))
            cell = None
            try:
                cell = Cell(options, env, lanes, folder)
                for number in range(-1, options.rounds):
                    cell.play_round(number, keep=number >= 0)
                cells.append(cell.result())
                print_cell(cells[-1])
            finally:
                if cell is not None:
                    cell.close()
                shutil.rmtree(folder, ignore_errors=True)
    options.json.write_text(
        json.dumps(
            {
                **here,
                "cells": cells,
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
