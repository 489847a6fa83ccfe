"""Writes docs/performance.md and its pictures from docs/performance/*.json, which the benches wrote.

report.py            writes them
report.py --check    exit status 1 where they are not what would be written
"""

import argparse
import json
import pathlib
import sys

import chart
import goals

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load(docs, name):
    path = docs / "performance" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def table(head, rows, numbers_from=1):
    """Markdown; columns from `numbers_from` on are flushed right."""
    rule = ["---" if k < numbers_from else "---:" for k in range(len(head))]
    lines = [head, rule, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def number(value, form=",.0f"):
    return "" if value is None else format(value, form)


def stepping_section(stepping):
    parts = [
        "## Stepping",
        f"Measured {stepping['date']} on {stepping['processor']}, {stepping['cores']} cores, "
        f"{stepping['system']}, Python {stepping['python']}, by",
        f"```sh\n{stepping['command']}\n```",
        "All sides take the same random actions from a reset. In each round every side has one turn, so that whatever "
        "else the machine does slows all of them alike: a column of ratios is a median over rounds of ratios within a "
        "round. A step is one `step()` of one lane: five engine steps in Ant, Humanoid and HalfCheetah, four in Hopper. "
        "*Bare* is `mj_step` in a loop over the very states, actions and resets of the pool's run, one `mjData` a "
        "thread on all cores: no observation, no reward, no batch; at one lane one thread. EnvPool counts in the best "
        "of the configurations tried (their figures are in `docs/performance/stepping.json`). Gymnasium's "
        "AsyncVectorEnv needs a process a lane and is left out at 256.",
        "![Lane steps per second at 64 lanes, as a share of the bare loop](img/stepping.svg)",
    ]
    for cell in stepping["cells"]:
        lanes = "1 lane" if cell["lanes"] == 1 else f"{cell['lanes']} lanes"
        parts.append(f"### {cell['env']}, {lanes}")
        one = cell["lanes"] == 1
        rows = []
        for side in sorted(cell["sides"], key=lambda side: -side["lane_steps_per_s"]):
            low, high = side["range"]
            row = [
                side["side"], side["engine"].removeprefix("MuJoCo "), number(side["lane_steps_per_s"]),
                f"{low:,.0f} – {high:,.0f}", number(side["to_envpool"], ".2f"), number(side["to_raw"], ".2f"),
            ]
            if one:
                row += [number(side.get("round_trip_us"), ".0f"), number(side.get("round_trip_net_us"), ".0f")]
            rows.append(row)
        head = ["side", "MuJoCo", "steps/s", "range", "÷ EnvPool", "÷ bare"]
        if one:
            head += ["round trip, µs", "less the step, µs"]
        parts.append(table(head, rows))
        for peer, why in cell["missing"].items():
            parts.append(f"Not compared here: {peer} ({why}).")
    return parts


def page(results):
    parts = [
        "# Performance",
        "Written by `tests/bench/report.py` from the figures in [docs/performance](performance); "
        "do not edit. A ratio says more than a figure, and only on the same machine in the same run.",
        table(
            ["what", "at least", "measured", "reached"],
            [[goal.what, goal.bound, goal.measured, goal.verdict] for goal in goals.all_goals(results)],
            numbers_from=4,
        ),
    ]
    if results["stepping"]:
        parts += stepping_section(results["stepping"])
    return "\n\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="whose docs; this project's")
    options = parser.parse_args()
    check, docs = options.check, options.root / "docs"
    results = {name: load(docs, name) for name in ("stepping", "service", "profile", "network")}
    files = {docs / "performance.md": page(results)}
    if results["stepping"]:
        files[docs / "img" / "stepping.svg"] = chart.stepping_bars(results["stepping"])
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    if check and stale:
        sys.exit("not what tests/bench/report.py writes: " + ", ".join(map(str, stale)))
    for path in stale:
        path.write_text(files[path])


if __name__ == "__main__":
    main()
