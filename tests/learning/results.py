#!/usr/bin/env python3
"""Trains presets through an env server and keeps what they reach: the rows of docs/results.

    tests/learning/results.py cartpole hopper --seeds 1 2 3 [--skip_done] [--runs=FOLDER]

Each run adds a line to docs/results/PRESET.jsonl (in place of that seed's earlier one): the last and
the best policy, evaluated without noise over 50 episodes that training never saw, and the commands
that repeat it. The first seed's whole configuration and curve are kept beside it, where the goal is
a share of solved episodes also a video, and docs/results.md gets its tables anew, with the goals of
goals.json. An interruption leaves the other lines as they are; what was trained so far is not lost
where --runs names a folder: the next call goes on there.
"""

import argparse
import contextlib
import csv
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"
PAGE = ROOT / "docs" / "results.md"
GOALS = {goal["preset"]: goal for goal in json.loads(
    pathlib.Path(__file__).with_name("goals.json").read_text())}
EPISODES = 50
SEEDS = 3
# Where a training's time goes; columns of its progress.csv.
PARTS = ("wait", "observe", "act", "update")
# Where tests find what was built; for builds that are elsewhere.
PROGRAMS = pathlib.Path(os.environ.get("HIVEWIRE_PROGRAMS", ROOT / "bazel-bin"))


def program(label):
    path = PROGRAMS / label
    if not path.exists():
        raise SystemExit(f"{path} is not there; build it: bazel build //server:env_server //policy:learner")
    return str(path)


@contextlib.contextmanager
def serving(folder, *flags):
    """An env server of our own, by its address."""
    address, ready = f"unix:{folder}/env.sock", folder / "ready"
    process = subprocess.Popen([program("server/env_server"), f"--listen={address}",
                                f"--ready_file={ready}", *flags], stderr=subprocess.DEVNULL)
    try:
        while not ready.exists():
            if process.poll() is not None:
                raise SystemExit("the env server did not start")
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


def updates_of(run):
    """The rows of a run's table."""
    path = run / "progress.csv"
    return list(csv.DictReader(path.open(newline=""))) if path.exists() else []


def progress(run):
    """The latest of them: (frames, seconds of training)."""
    rows = updates_of(run)
    return (int(float(rows[-1]["frames"])), float(rows[-1]["seconds"])) if rows else (0, 0.0)


def shares(run):
    """What part of the training each thing took, by name."""
    rows = updates_of(run)
    total = float(rows[-1]["seconds"])
    return {part: round(sum(float(row[f"{part}_seconds"]) for row in rows) / total, 3)
            for part in PARTS}


def finish(command, run, stop_at):
    """Runs the learner to its end, or ends it as a user would once it has seen `stop_at` frames."""
    process = subprocess.Popen(command)
    try:
        while process.poll() is None:
            if stop_at and progress(run)[0] >= stop_at:
                break
            time.sleep(1)
    finally:
        # Where it still runs it writes a checkpoint, which the next call goes on from.
        process.terminate()
        code = process.wait()
    if code != 0:
        raise SystemExit(f"{' '.join(command)} ended with an error")


def train(preset, seed, server, folder, settings):
    """The row of one run, with these assignments over its preset; its folder stays in `folder`."""
    learner, stop_at = program("policy/learner"), GOALS.get(preset, {}).get("stop_at")
    run = folder / f"{preset}-{seed}"
    settings = [f"--set={assignment}" for assignment in settings]
    command = " ".join([f"learner train --preset={preset} --seed={seed}", *settings])
    if any(run.glob("checkpoints/*")):
        start = [f"--resume={run}"]
    else:
        shutil.rmtree(run, ignore_errors=True)
        start = [f"--preset={preset}", f"--seed={seed}", f"--run_folder={run}"]
    if not (stop_at and progress(run)[0] >= stop_at):
        finish([learner, "train", *start, *settings, f"--server={server}"], run, stop_at)
    total = stop_at or int(re.search(r"total_frames: (\d+)", (run / "config.textproto").read_text())[1])
    if progress(run)[0] < total:
        raise SystemExit(f"{run} was stopped at {progress(run)[0]:,} of {total:,} frames")
    subprocess.run([learner, "plot", str(run)], check=True, stdout=subprocess.DEVNULL)
    row = {"preset": preset, "seed": seed}
    for checkpoint in ("last", "best"):
        flags = [f"--checkpoint={checkpoint}", f"--episodes={EPISODES}", "--json"]
        output = subprocess.run([learner, "eval", str(run), f"--server={server}", *flags],
                                check=True, stdout=subprocess.PIPE, text=True).stdout
        evaluation = json.loads(output)
        row["env"] = evaluation["env"]
        row[checkpoint] = {"frames": evaluation["frames"], **evaluation["return"],
                           "length": evaluation["length"]["mean"]}
        if evaluation["success"]["told_by_env"]:
            row[checkpoint]["solved"] = evaluation["success"]["rate"]
    row["episodes"] = EPISODES
    row["seconds"] = round(progress(run)[1], 1)
    row["time"] = shares(run)
    row["commands"] = [
        f"{command} --run_folder=RUN" + (f", ended by SIGTERM at {stop_at:,} frames" if stop_at else ""),
        f"learner eval RUN --checkpoint=last --episodes={EPISODES} --json",
    ]
    if solves(preset):
        subprocess.run([learner, "record", str(run), f"--server={server}", "--checkpoint=last",
                        f"--camera={GOALS[preset]['camera']}"],
                       check=True, stdout=subprocess.DEVNULL)
    return row, run


def rows_of(preset):
    path = RESULTS / f"{preset}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep(row, run):
    """Puts the row into its file, ordered by seed; the first seed's curve, config and video beside it."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{row['preset']}.jsonl"
    rows = [r for r in rows_of(row["preset"]) if r["seed"] != row["seed"]] + [row]
    rows.sort(key=lambda r: r["seed"])
    new = path.with_suffix(".new")
    new.write_text("".join(json.dumps(r) + "\n" for r in rows))
    new.rename(path)
    if row["seed"] == rows[0]["seed"]:
        shutil.copy(run / "learning_curve.svg", RESULTS / f"{row['preset']}.svg")
        config = (run / "config.textproto").read_text()
        # Where its server was is nothing to repeat.
        config = re.sub(r'^ *server: ".*"\n', "", config, flags=re.MULTILINE)
        (RESULTS / f"{row['preset']}.textproto").write_text(config)
        if solves(row["preset"]):
            shutil.copy(run / "episode.gif", RESULTS / f"{row['preset']}.gif")


def solves(preset):
    """Whether the goal is a share of solved episodes, not a return."""
    return "solved" in GOALS.get(preset, {})


def number(value):
    return f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"


def means_of(rows, measure="mean"):
    return {name: statistics.mean(row[name][measure] for row in rows) for name in ("last", "best")}


def verdict(goal, rows):
    """Whether the mean over the seeds reaches the goal: the last policies', or the best ones'."""
    measure, bound = ("solved", goal["solved"]) if "solved" in goal else ("mean", goal["goal"])
    means = means_of(rows, measure)
    better = (lambda mean, bound: mean <= bound) if goal.get("most") else (
        lambda mean, bound: mean >= bound)
    for name, mean in means.items():
        if better(mean, bound):
            return "reached" if name == "last" else "reached by the best"
    floor = goal.get("floor")
    if floor is not None and any(better(mean, floor) for mean in means.values()):
        return "**not reached**, above the floor"
    return "**not reached**"


def outcome_of(goal, rows):
    """The verdict, with what limits it and the seeds that are not there yet."""
    # A curve alone is wanted where no share is named.
    outcome = "as far as it goes" if goal.get("solved") == 0 else verdict(goal, rows)
    if not outcome.startswith("reached") and "limit" in goal:
        outcome += f": {goal['limit']}"
    if len(rows) < goal.get("seeds", SEEDS):
        outcome += "; **seeds missing**"
    return outcome


def summary():
    lines = ["| preset | env | frames | goal (floor) | whose figure | last policy | best policy | seeds | minutes a run | |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for preset, goal in GOALS.items():
        if solves(preset):
            continue
        bound = number(goal["goal"]) + (f" ({number(goal['floor'])})" if "floor" in goal else "")
        bound = ("≤ " if goal.get("most") else "") + bound + f" | {goal['of']}"
        rows, wanted = rows_of(preset), goal.get("seeds", SEEDS)
        if not rows:
            lines.append(f"| {preset} | | | {bound} | | | 0 of {wanted} | | **missing**: not trained yet |")
            continue
        means = means_of(rows)
        outcome = outcome_of(goal, rows)
        minutes = statistics.mean(row["seconds"] for row in rows) / 60
        lines.append(f"| [{preset}](results/{preset}.jsonl) | {rows[0]['env']} "
                     f"| {rows[0]['last']['frames']:,} | {bound} | {number(means['last'])} "
                     f"| {number(means['best'])} | {len(rows)} of {wanted} | {minutes:.1f} | {outcome} |")
    return lines


def robohive():
    lines = ["| preset | env | frames | goal | last policy solves | best policy solves | last return "
             "| seeds | minutes a run | | video |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for preset, goal in GOALS.items():
        if not solves(preset):
            continue
        bound = f"{goal['solved']:.0%}" if goal["solved"] > 0 else "a curve"
        rows, wanted = rows_of(preset), goal.get("seeds", SEEDS)
        if not rows:
            lines.append(f"| {preset} | {goal['env']} | | {bound} | | | | 0 of {wanted} | "
                         "| **missing**: not trained yet | |")
            continue
        solved, returns = means_of(rows, "solved"), means_of(rows)
        minutes = statistics.mean(row["seconds"] for row in rows) / 60
        lines.append(f"| [{preset}](results/{preset}.jsonl) | {rows[0]['env']} "
                     f"| {rows[0]['last']['frames']:,} | {bound} | {solved['last']:.0%} "
                     f"| {solved['best']:.0%} | {number(returns['last'])} | {len(rows)} of {wanted} "
                     f"| {minutes:.1f} | {outcome_of(goal, rows)} "
                     f"| ![{preset}](results/{preset}.gif) |")
    return lines


def times():
    lines = ["| preset | frames/s | env server | transforms | policy acts | policy learns |",
             "|---|---|---|---|---|---|"]
    for preset, goal in GOALS.items():
        rows = [row for row in rows_of(preset) if "time" in row]
        if not solves(preset) or not rows:
            continue
        speed = statistics.mean(row["last"]["frames"] / row["seconds"] for row in rows)
        mean = {part: statistics.mean(row["time"][part] for row in rows) for part in PARTS}
        cells = " | ".join(f"{mean[part]:.0%}" for part in PARTS)
        lines.append(f"| {preset} | {speed:,.0f} | {cells} |")
    return lines


def details():
    lines = ["| preset | seed | last policy: mean ± deviation (worst … best), length | best policy | seconds |",
             "|---|---|---|---|---|"]
    names = [*GOALS, *(path.stem for path in sorted(RESULTS.glob("*.jsonl")) if path.stem not in GOALS)]
    for row in (row for name in names for row in rows_of(name)):
        last, best = row["last"], row["best"]
        length = f", {last['length']:,.0f}" if "length" in last else ""
        lines.append(
            f"| {row['preset']} | {row['seed']} | {last['mean']:,.1f} ± {last['std']:,.1f} "
            f"({last['min']:,.1f} … {last['max']:,.1f}){length} "
            f"| {best['mean']:,.1f} at {best['frames']:,} | {row['seconds']:.0f} |")
    return lines


def curves():
    images = [f"![{rows[0]['env']}](results/{preset}.svg)"
              for preset in GOALS if (rows := rows_of(preset))]
    lines = ["| | | |", "|---|---|---|"]
    for k in range(0, len(images), 3):
        lines.append("| " + " | ".join(images[k:k + 3] + [""] * (3 - len(images[k:k + 3]))) + " |")
    return lines


def write_page():
    page = PAGE.read_text()
    parts = (("summary", summary), ("robohive", robohive), ("times", times), ("rows", details),
             ("curves", curves))
    for name, part in parts:
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
        before, rest = page.split(begin)
        page = before + begin + "\n".join(part()) + "\n" + end + rest.split(end)[1]
    PAGE.write_text(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", help="none: only the page is written anew")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(1, SEEDS + 1)))
    parser.add_argument("--skip_done", action="store_true", help="what has its row is not run again")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE",
                        help="over the presets: threads=1 where the machine is busy changes no figure")
    parser.add_argument("--check", action="store_true", help="fails where a preset misses its goal")
    parser.add_argument("--runs", type=pathlib.Path, help="where run folders stay; otherwise they go")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))

    with tempfile.TemporaryDirectory() as temporary:
        folder = args.runs or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with serving(pathlib.Path(temporary)) if args.presets else contextlib.nullcontext() as server:
            for preset in args.presets:
                for seed in args.seeds:
                    if args.skip_done and any(row["seed"] == seed for row in rows_of(preset)):
                        continue
                    keep(*train(preset, seed, server, folder, args.set))
                    write_page()
    write_page()
    missed = [preset for preset in args.presets if preset in GOALS
              and not verdict(GOALS[preset], rows_of(preset)).startswith("reached")]
    if args.check and missed:
        raise SystemExit(f"the goal of goals.json is missed by {', '.join(missed)}")


if __name__ == "__main__":
    main()
