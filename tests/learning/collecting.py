#!/usr/bin/env python3
"""Compares learning curves: the policy in the learner (steps), in the env server (remote-policy), and
in four asynchronous collectors (collectors).

    tests/learning/collecting.py cartpole inverted_double_pendulum --seeds 1 2 3 4 5

Each run adds a line to docs/results/collecting/PRESET.jsonl, in place of that mode and seed's
earlier one: the mean return of the training episodes over the run in BINS equal parts, and the last
policy, evaluated without noise over episodes that training never saw. Curves are drawn beside it,
and docs/results.md gets its table anew. A run that is interrupted leaves the other lines as they
are.
"""

import argparse
import csv
import json
import math
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

from results import EPISODES, PAGE, RESULTS, program, serving

FOLDER = RESULTS / "collecting"
BEGIN, END = "<!-- collecting: begin -->\n", "<!-- collecting: end -->\n"
MODES = {"steps": "#3b6ea5", "remote-policy": "#c05a2b", "collectors": "#4d8f3a"}
COLLECTORS = 4
BINS = 20


def curve(run, frames):
    """Mean return of the training episodes that ended in each part of the run; None for none."""
    sums, episodes, before = [0.0] * BINS, [0] * BINS, 0
    with open(run / "progress.csv", newline="") as file:
        for row in csv.DictReader(file):
            ended, before = int(float(row["episodes"])) - before, int(float(row["episodes"]))
            if ended == 0 or math.isnan(float(row["episodic_return"])):
                continue
            part = min(BINS - 1, int(float(row["frames"]) * BINS / frames))
            sums[part] += ended * float(row["episodic_return"])
            episodes[part] += ended
    return [round(s / n, 3) if n else None for s, n in zip(sums, episodes)]


def lanes_of(preset):
    text = (pathlib.Path(__file__).parents[2] / "policy/config/presets/hivewire.textproto").read_text()
    return int(re.search(rf'name: "{preset}".*?num_envs: *(\d+)', text, re.S).group(1))


def train(preset, mode, seed, server, folder):
    learner = program("policy/learner")
    run = folder / f"{preset}-{mode}-{seed}"
    command = [learner, "train", f"--preset={preset}", f"--seed={seed}", f"--collect={mode}"]
    collectors = []
    if mode == "collectors":
        listen = f"unix:{folder}/learner-{seed}"
        command += [f"--listen={listen}", "--set=collection.synchronous=false"]
        lanes = lanes_of(preset)
        for k in range(COLLECTORS):
            count = lanes // COLLECTORS + (k < lanes % COLLECTORS)
            collectors.append(subprocess.Popen(
                [program("policy/collector"), f"--learner={listen}", f"--server={server}",
                 f"--num_envs={count}"], stderr=subprocess.DEVNULL))
    start = time.monotonic()
    subprocess.run([*command, f"--server={server}", f"--run_folder={run}",
                    "--set=evaluation.interval=0"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    for collector in collectors:
        assert collector.wait(timeout=60) == 0, "a collector ended with an error"
    output = subprocess.run([learner, "eval", str(run), f"--server={server}", "--checkpoint=last",
                             f"--episodes={EPISODES}", "--json"],
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    evaluation = json.loads(output)
    return {"preset": preset, "mode": mode, "seed": seed, "env": evaluation["env"],
            "frames": evaluation["frames"], "curve": curve(run, evaluation["frames"]),
            "last": evaluation["return"], "seconds": round(seconds, 1),
            "command": f"learner train --preset={preset} --seed={seed} --collect={mode}" + (
                f" --listen=… --set collection.synchronous=false, {COLLECTORS} collectors"
                if collectors else "")}


def rows_of(preset):
    path = FOLDER / f"{preset}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep(row):
    FOLDER.mkdir(parents=True, exist_ok=True)
    place = lambda r: (list(MODES).index(r["mode"]), r["seed"])
    rows = [r for r in rows_of(row["preset"]) if place(r) != place(row)] + [row]
    path = FOLDER / f"{row['preset']}.jsonl"
    new = path.with_suffix(".new")
    new.write_text("".join(json.dumps(r) + "\n" for r in sorted(rows, key=place)))
    new.rename(path)


def bands(rows, mode):
    """(low, median, high) over the seeds for each part of the run; None where none has episodes."""
    curves = [row["curve"] for row in rows if row["mode"] == mode]
    result = []
    for values in zip(*curves):
        values = [value for value in values if value is not None]
        result.append((min(values), statistics.median(values), max(values)) if values else None)
    return result


def overlap(bands_of_modes):
    """Whether no band is wholly above another."""
    return max(band[0] for band in bands_of_modes) <= min(band[-1] for band in bands_of_modes)


def draw(preset, rows):
    width, height, left, bottom, top = 440, 240, 56, 32, 28
    both = {mode: bands(rows, mode) for mode in MODES}
    values = [v for band in both.values() for part in band if part for v in part]
    low, high = min(values), max(values)
    x = lambda i: left + (width - left - 12) * (i + 0.5) / BINS
    y = lambda v: height - bottom - (height - bottom - top) * (v - low) / ((high - low) or 1)
    point = lambda i, v: f"{x(i):.1f},{y(v):.1f}"
    frames = rows[0]["frames"]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" font-size="11">',
             f'<rect width="{width}" height="{height}" fill="white"/>',
             f'<text x="{left}" y="16">{rows[0]["env"]}: training return, median and range of '
             f'{len({row["seed"] for row in rows})} seeds</text>']
    for value in (low, (low + high) / 2, high):
        parts.append(f'<line x1="{left}" x2="{width - 12}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
                     'stroke="#ddd"/>'
                     f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,.0f}</text>')
    for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end")):
        parts.append(f'<text x="{left + (width - left - 12) * share:.1f}" y="{height - 14}" '
                     f'text-anchor="{anchor}">{frames * share:,.0f}{" frames" if share == 1 else ""}'
                     '</text>')
    for k, (mode, color) in enumerate(MODES.items()):
        there = [(i, part) for i, part in enumerate(both[mode]) if part]
        outline = [point(i, p[2]) for i, p in there] + [point(i, p[0]) for i, p in reversed(there)]
        parts.append(f'<polygon points="{" ".join(outline)}" fill="{color}" fill-opacity="0.2"/>')
        parts.append(f'<polyline points="{" ".join(point(i, p[1]) for i, p in there)}" fill="none" '
                     f'stroke="{color}" stroke-width="1.5"/>')
        parts.append(f'<text x="{width - 16}" y="{height - bottom - 10 - 14 * k}" fill="{color}" '
                     f'text-anchor="end">{mode}</text>')
    (FOLDER / f"{preset}.svg").write_text("\n".join([*parts, "</svg>"]) + "\n")


def write_page():
    others = " | ".join(list(MODES)[1:])
    lines = [f"| env | seeds | mean training return: steps | {others} | last policy: steps | {others} "
             "| ranges overlap in |", "|" + "---|" * (3 + 2 * len(MODES))]
    images = []
    for path in sorted(FOLDER.glob("*.jsonl")):
        rows = rows_of(path.stem)
        draw(path.stem, rows)
        images.append(f"![{rows[0]['env']}](results/collecting/{path.stem}.svg)")

        def spread(of):
            cells = []
            for mode in MODES:
                values = [of(row) for row in rows if row["mode"] == mode]
                if not values:
                    cells.append("not run")
                elif len(values) == 1:
                    cells.append(f"{values[0]:,.1f}")
                else:
                    cells.append(f"{min(values):,.1f} … {max(values):,.1f}")
            return cells

        means = spread(lambda row: statistics.mean(v for v in row["curve"] if v is not None))
        last = spread(lambda row: row["last"]["mean"])
        modes = [mode for mode in MODES if any(row["mode"] == mode for row in rows)]
        parts = [part for part in zip(*(bands(rows, mode) for mode in modes)) if all(part)]
        share = f"{sum(overlap(part) for part in parts)} of {len(parts)} parts"
        seeds = [str(row["seed"]) for row in rows if row["mode"] == "steps"]
        lines.append(f"| {rows[0]['env']} | {', '.join(seeds)} | {' | '.join(means)} "
                     f"| {' | '.join(last)} | {share if len(seeds) > 1 else 'one run each'} |")
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    gallery = ["", "| " + " | ".join("" for _ in images) + " |", "|" + "---|" * len(images),
               "| " + " | ".join(images) + " |"] if images else []
    PAGE.write_text(before + BEGIN + "\n".join(lines + gallery) + "\n" + END + rest.split(END)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", help="none: only page and plots are written anew")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if args.presets:
            with serving(folder, "--allow_rollouts") as server:
                for preset in args.presets:
                    for seed in args.seeds:
                        for mode in args.modes:
                            keep(train(preset, mode, seed, server, folder))
                            write_page()
    write_page()


if __name__ == "__main__":
    main()
