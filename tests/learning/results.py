"""Trains presets through an env server and keeps what they reach: the rows of docs/results.

    tests/learning/results.py cartpole inverted_double_pendulum --seeds 1 2 3

Each run adds a line to docs/results/PRESET.jsonl (in place of that seed's earlier one): the last and
the best policy, evaluated without noise over 50 episodes that training never saw, and the commands
that repeat it. The curve of the first seed is kept beside it, and docs/results.md gets its table
anew. A run that is interrupted leaves the other lines as they are.
"""

import argparse
import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"
PAGE = ROOT / "docs" / "results.md"
BEGIN, END = "<!-- rows: begin -->\n", "<!-- rows: end -->\n"
EPISODES = 50


def program(label):
    path = ROOT / "bazel-bin" / label
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


def train(preset, seed, server, folder):
    """The row of one run; its run folder stays in `folder`."""
    learner = program("policy/learner")
    run = folder / f"{preset}-{seed}"
    command = [learner, "train", f"--preset={preset}", f"--seed={seed}", f"--server={server}"]
    start = time.monotonic()
    subprocess.run([*command, f"--run_folder={run}"], check=True)
    seconds = time.monotonic() - start
    row = {"preset": preset, "seed": seed}
    for checkpoint in ("last", "best"):
        flags = [f"--checkpoint={checkpoint}", f"--episodes={EPISODES}", "--json"]
        output = subprocess.run([learner, "eval", str(run), f"--server={server}", *flags],
                                check=True, stdout=subprocess.PIPE, text=True).stdout
        evaluation = json.loads(output)
        row["env"] = evaluation["env"]
        row[checkpoint] = {"frames": evaluation["frames"], **evaluation["return"]}
    row["seconds"] = round(seconds, 1)
    row["commands"] = [
        f"learner train --preset={preset} --seed={seed} --run_folder=RUN",
        f"learner eval RUN --checkpoint=last --episodes={EPISODES} --json",
    ]
    return row, run


def keep(row, run):
    """Puts the row into its file, ordered by seed, and the first seed's curve beside it."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{row['preset']}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    rows = sorted([r for r in rows if r["seed"] != row["seed"]] + [row], key=lambda r: r["seed"])
    new = path.with_suffix(".new")
    new.write_text("".join(json.dumps(r) + "\n" for r in rows))
    new.rename(path)
    if row["seed"] == rows[0]["seed"]:
        shutil.copy(run / "learning_curve.svg", RESULTS / f"{row['preset']}.svg")


def write_table():
    lines = ["| env | preset | seed | frames | last policy: mean ± deviation (worst) | best policy | seconds |",
             "|---|---|---|---|---|---|---|"]
    for path in sorted(RESULTS.glob("*.jsonl")):
        for row in map(json.loads, path.read_text().splitlines()):
            last, best = row["last"], row["best"]
            lines.append(
                f"| {row['env']} | {row['preset']} | {row['seed']} | {last['frames']:,} "
                f"| {last['mean']:,.1f} ± {last['std']:,.1f} ({last['min']:,.1f}) "
                f"| {best['mean']:,.1f} at {best['frames']:,} | {row['seconds']:.0f} |")
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", help="none: only the table is written anew")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        with serving(folder) as server:
            for preset in args.presets:
                for seed in args.seeds:
                    keep(*train(preset, seed, server, folder))
                    write_table()
    write_table()


if __name__ == "__main__":
    main()
