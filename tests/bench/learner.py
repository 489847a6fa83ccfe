"""Plays learners in turn, round after round, and writes what they reached as JSON.

A cell is one env with one set of hyperparameters; a turn of a side collects one update's steps and
learns from them. In each round every side has one turn, and each round begins with another side, so
that whatever else the machine does slows all of them alike. Ratios are medians over the rounds of
ratios within a round.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys

from compare import HERE, Player, machine

THREADS = 2
EPOCHS = 10
OURS = "Hivewire"
# What makes our preset the peers' configuration: 64-64 tanh, no normalisation, Adam's epsilon.
COMMON = [
    f"threads={THREADS}",
    f"ppo.epochs={EPOCHS}",
    "ppo.value_coefficient=1",
    "ppo.learning_rate_schedule=constant",
    "collection.groups=2",
]
RECURRENT = ["model.type=lstm", "model.hidden=[64]", "model.recurrent_width=64"]


class Cell:
    """One env and its hyperparameters, the players of its sides, and their turns."""

    def __init__(self, options, kind, env, num_envs, steps, minibatch):
        self.kind, self.env, self.num_envs = kind, env, num_envs
        self.steps, self.minibatch = steps, minibatch
        self.players, self.turns, self.tried, self.missing = [], {}, {}, {}
        self.sides = []  # (player, side)
        try:
            self.open_ours(options)
            for learner in ("sb3", "torch") if kind == "ppo" else ("recurrent",):
                self.open_peer(options, learner)
        except BaseException:
            self.close()
            raise

    def add(self, player, ready):
        self.players.append(player)
        for side in ready["sides"]:
            self.sides.append((player, side["side"]))
            self.turns[side["side"]] = []

    def open_ours(self, options):
        settings = [
            f"env.id={self.env}",
            f"env.num_envs={self.num_envs}",
            f"ppo.rollout_steps={self.steps}",
            f"ppo.minibatch_size={self.minibatch}",
            *COMMON,
            *(RECURRENT if self.kind == "recurrent" else []),
        ]
        player = Player([
            options.bin / "learner_player",
            f"--env_server={options.env_server}",
            f"--set={','.join(settings)}",
        ])
        self.add(player, player.ready())

    def open_peer(self, options, learner):
        if options.peers_folder is None:
            self.missing[learner] = "there are no peers"
            return
        command = [sys.executable, HERE / "peers" / "learner_player.py", "--learner", learner]
        for name, value in {
            "env": self.env,
            "num_envs": self.num_envs,
            "steps": self.steps,
            "minibatch": self.minibatch,
            "epochs": EPOCHS,
            "threads": THREADS,
        }.items():
            command += [f"--{name}", value]
        environment = {
            **os.environ,
            "PYTHONPATH": str(options.peers_folder),
            "PYTHONWARNINGS": "ignore",
        }
        player = Player(command, environment)
        try:
            ready = player.ready()
        except RuntimeError as error:
            self.missing[learner] = str(error)
            print(f"NOT COMPARED: {learner} on {self.env}: {error}", file=sys.stderr)
            player.close()
            return
        self.tried.update(ready["tried"])
        self.add(player, ready)

    def play_round(self, number, keep):
        for k in range(len(self.sides)):
            player, side = self.sides[(number + k) % len(self.sides)]
            turn = player.play(side)
            if keep:
                self.turns[side].append(turn)

    def close(self):
        for player in self.players:
            player.close()

    def rates(self, side):
        return [turn["lane_steps"] / turn["seconds"] for turn in self.turns[side]]

    def result(self):
        ours = self.rates(OURS)
        sides = []
        for side, turns in self.turns.items():
            rates = self.rates(side)
            row = {
                "side": side,
                "steps_per_s": statistics.median(rates),
                "range": [min(rates), max(rates)],
            }
            if side != OURS:
                ratios = [a / b for a, b in zip(ours, rates)]
                row["ours_to_it"] = statistics.median(ratios)
                row["ours_to_it_range"] = [min(ratios), max(ratios)]
            if all("update_seconds" in turn for turn in turns):
                row["share_of_update"] = statistics.median(
                    turn["update_seconds"] / turn["seconds"] for turn in turns
                )
            sides.append(row)
        return {
            "kind": self.kind,
            "env": self.env,
            "num_envs": self.num_envs,
            "rollout_steps": self.steps,
            "minibatch": self.minibatch,
            "epochs": EPOCHS,
            "rounds": len(ours),
            "tried": self.tried,
            "missing": self.missing,
            "sides": sides,
        }


def print_cell(cell):
    print(
        f"\n{cell['kind']}, {cell['env']}, {cell['num_envs']} envs x {cell['rollout_steps']} steps,"
        f" minibatches of {cell['minibatch']}, {cell['rounds']} rounds"
    )
    for side in cell["sides"]:
        low, high = side["range"]
        line = f"{side['side']:<42} {side['steps_per_s']:>9,.0f} steps/s {low:>9,.0f}–{high:,.0f}"
        if "ours_to_it" in side:
            low, high = side["ours_to_it_range"]
            line += f"   ours ÷ it {side['ours_to_it']:.2f} ({low:.2f} … {high:.2f})"
        if "share_of_update" in side:
            line += f"   learning {side['share_of_update']:.0%} of the time"
        print(line, flush=True)


def cells_of(options):
    for env in options.envs:
        for minibatch in options.minibatches:
            yield ("ppo", env, 8, options.steps, minibatch)
    for env in options.recurrent_envs:
        yield ("recurrent", env, 8, options.recurrent_steps, options.minibatches[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="of the built players")
    parser.add_argument("--env_server", type=pathlib.Path, required=True)
    parser.add_argument("--peers_folder", type=pathlib.Path, help="where pip put the peers")
    parser.add_argument("--envs", nargs="*", default=["Ant-v5", "HalfCheetah-v5"])
    parser.add_argument("--recurrent_envs", nargs="*", default=["HalfCheetah-v5"])
    parser.add_argument("--steps", type=int, default=2048, help="of each env between updates")
    parser.add_argument("--recurrent_steps", type=int, default=512)
    parser.add_argument("--minibatches", nargs="+", type=int, default=[4096, 512])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="a small cell of each kind")
    parser.add_argument("--json", type=pathlib.Path, required=True, help="the file to write")
    options = parser.parse_args()
    if options.quick:
        options.envs = options.recurrent_envs = ["HalfCheetah-v5"]
        options.steps = options.recurrent_steps = 128
        options.minibatches, options.rounds = [512], 2
    if options.peers_folder is None:
        print("NOT COMPARED with any peer: there is only our own side", file=sys.stderr)
    here = machine("tests/bench/learner.sh")
    cells = []
    for arguments in cells_of(options):
        cell = Cell(options, *arguments)
        try:
            for number in range(-1, options.rounds):
                cell.play_round(number, keep=number >= 0)
        finally:
            cell.close()
        cells.append(cell.result())
        print_cell(cells[-1])
    before = json.loads(options.json.read_text()) if options.json.exists() else {}
    results = {**before, **here, "cells": cells}
    options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
