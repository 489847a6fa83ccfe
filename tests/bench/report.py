"""Writes docs/performance.md and its pictures from docs/performance/*.json, the benches' results.

report.py            writes them
report.py --check    exit status 1 where they are not what would be written
"""

import argparse
import json
import pathlib
import sys

import chart
import goals

# Of an Ant step's observation, reward and flags, and of its action.
ANT_STEP_BYTES = 980

NETWORK_ADVICE = """\
**Which to choose.** On one machine or one switch (up to about 0.2 ms) step with two groups in \
flight: `SendStep` one half of the lanes while the other half's results are on their way. It \
costs nothing, and hides the delay as long as a group's step takes longer than a round trip. \
Over a slower network no lane can be stepped more often than once in a round trip, so lanes \
are what buys throughput: N lanes make at most N ÷ round trip steps a second, in lockstep and \
in groups alike. If the algorithm can use them, take as many lanes as the server makes steps \
in a round trip, twice over, in two groups: lanes are small. If it cannot, because more lanes \
make each one's share of a batch shorter, or because the policy is a plain network anyway, let \
the policy travel to the env server (`learner --collect=remote-policy`, `RolloutClient`): no step \
waits for the network, whatever its delay, as long as the fragments fit through it. It pays on \
one machine too where steps are short."""

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
        measured_by(stepping) + f" Python {stepping['python']}.",
        (
            "All sides take the same random actions from a reset. In each round every side has one"
            " turn, so that whatever else the machine does slows all of them alike: a column of"
            " ratios is a median over rounds of ratios within a round. A step is one `step()` of"
            " one lane: five engine steps in Ant, Humanoid and HalfCheetah, four in Hopper. *Bare*"
            " is `mj_step` in a loop over the very states, actions and resets of the pool's run,"
            " one `mjData` a thread on all cores: no observation, no reward, no batch; at one lane"
            " one thread. EnvPool counts in the best of the configurations tried (their figures are"
            " in `docs/performance/stepping.json`). Gymnasium's AsyncVectorEnv needs a process a"
            " lane and is left out at 256."
        ),
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
                side["side"],
                side["engine"].removeprefix("MuJoCo "),
                number(side["lane_steps_per_s"]),
                f"{low:,.0f} – {high:,.0f}",
                number(side["to_envpool"], ".2f"),
                number(side["to_raw"], ".2f"),
            ]
            if one:
                row += [
                    number(side.get("round_trip_us"), ".0f"),
                    number(side.get("round_trip_net_us"), ".0f"),
                ]
            rows.append(row)
        head = ["side", "MuJoCo", "steps/s", "range", "÷ EnvPool", "÷ bare"]
        if one:
            head += ["round trip, µs", "less the step, µs"]
        parts.append(table(head, rows))
        for peer, why in cell["missing"].items():
            parts.append(f"Not compared here: {peer} ({why}).")
    return parts


def measured_by(results):
    busy = results.get("busy_cores", 0)
    words = (
        f"Measured {results['date']} by `{results['command']}` on {results['processor']},"
        f" {results['cores']} cores, {results['system']}."
    )
    if busy > results["cores"] / 10:
        words += (
            f" **Other programs kept {busy:g} of the cores busy: absolute figures are low, and"
            " ratios are uncertain by a fifth and more.**"
        )
    return words


def on_paper(cpu_us_per_lane, stepping):
    """What one client machine can feed, from its CPU time a lane step and a server core's speed."""
    fed = 1e6 / cpu_us_per_lane
    figures = goals.Stepping(stepping)
    made = {
        env: figures.best(env, 64, "bare mj_step", "lane_steps_per_s")
        for env in ("Ant-v5", "HalfCheetah-v5")
    }
    words = [
        f"{fed * stepping['cores'] / rate:,.0f} server cores of {goals.SHORT[env]}"
        for env, rate in made.items()
        if rate
    ]
    return (
        f"On paper: at {cpu_us_per_lane:.1f} µs of CPU a lane step, a core of the client takes in"
        f" {fed:,.0f} lane steps/s. "
        + (
            f"By what a core makes here, that feeds {' or '.join(words)}, before the policy costs"
            " anything. "
            if words
            else ""
        )
        + f"Ant's {ANT_STEP_BYTES} bytes a step make that {fed * ANT_STEP_BYTES * 8 / 1e9:.1f}"
        " Gbit/s a client core: on 1 Gbit/s the network is the bound, and on 10 Gbit/s a few"
        " cores are. More than 16 servers, and servers on machines of their own, were not at"
        " hand."
    )


def service_section(service, stepping):
    parts = ["## Many lanes, clients and servers", measured_by(service)]
    pixels = service.get("pixels_frames_per_s")
    rows = [
        [
            "10,000 Humanoid lanes, stepped: resident memory",
            (
                f"{service['many_lanes_resident_bytes'] / 1e6:,.0f} MB,"
                f" {service['memory_per_lane_bytes']:,.0f} B a lane"
            ),
        ],
        [
            "64 clients of one Ant lane each, together",
            (
                f"{service['clients_steps_per_s']:,.0f} steps/s,"
                f" {service['clients_to_one_client']:.2f} of one client with 64 lanes; the slowest"
                f" had {service['clients_slowest_to_fastest']:.2f} of the fastest"
            ),
        ],
        [
            "one Ant lane, round trip, on an idle server",
            (
                f"p50 {service['neighbour_idle_p50_us']:,.0f} µs, p99"
                f" {service['neighbour_idle_p99_us']:,.0f} µs"
            ),
        ],
        [
            "… beside another client's 1,000 Humanoid lanes",
            (
                f"p50 {service['neighbour_p50_us']:,.0f} µs, p99 {service['neighbour_p99_us']:,.0f}"
                f" µs: {service['neighbour_p99_ratio']:.1f} times the idle server's"
            ),
        ],
    ]
    if pixels:
        rows += [
            [
                (
                    f"84×84 RGB of Ant after each step, {service['pixels_backend']} in software:"
                    f" {name}"
                ),
                f"{rate:,.0f} frames/s",
            ]
            for name, rate in pixels.items()
        ]
    parts.append(table(["what", "measured"], rows, numbers_from=2))
    if "grpc_floor" in service:
        parts.append(
            "What gRPC itself takes, for a server that answers each message of that size at once"
            " and a client that does nothing with the answers (`tests/bench/grpc_floor.cc`): no"
            " round trip is shorter on this machine, and no message cheaper."
        )
        parts.append(
            table(
                ["messages like", "server's API", "in flight", "round trip p50, µs", "CPU a message, µs"],
                [
                    [
                        row["what"],
                        row["api"],
                        row["in_flight"],
                        f"{row['round_trip_p50_us']:.0f}",
                        f"{row['cpu_us_per_message']:.0f}",
                    ]
                    for row in service["grpc_floor"]
                ],
                numbers_from=2,
            )
        )
    fan_out = service["fan_out"]
    parts.append(
        "One `VectorEnv` over several servers, 64 lanes each, whose tasks sleep instead of"
        " computing (observations and actions as large as Ant's): what a batch costs the client,"
        " with all its threads."
    )
    parts.append(
        table(
            ["servers", "client's CPU a batch and server, µs", "steps/s"],
            [
                [row["servers"], f"{row['cpu_us_per_batch']:.0f}", number(row["lane_steps_per_s"])]
                for row in fan_out
            ],
            numbers_from=0,
        )
    )
    if stepping:
        parts.append(on_paper(fan_out[-1]["cpu_us_per_batch"] / 64, stepping))
    return parts


def profile_section(profile):
    parts = [
        "## Where the time goes",
        measured_by(profile),
        (
            f"{profile['env']}, {profile['lanes']} lanes over a Unix socket in two groups in"
            f" flight, so a batch is {profile['batch_lanes']} lanes. "
        ),
    ]
    if "cpu" in profile:
        total = sum(row["server_us"] + row["client_us"] for row in profile["cpu"])
        parts.append(
            f"CPU time for each batch, sampled over a second at {profile['batches_per_s']:,.0f}"
            " batches/s, all threads. *Engine* is MuJoCo; *task* is observing, rewarding and"
            " resetting; *copies* are ours, mostly a lane's row into and out of the worker's"
            " engine; *sockets* is the kernel's share of sending and receiving; *wake-ups* are"
            " futexes and the scheduler, also where a thread of ours gave way to another"
            " program's."
        )
        parts.append(
            table(
                ["part", "server, µs", "client, µs", "share"],
                [
                    [
                        row["part"],
                        f"{row['server_us']:.1f}",
                        f"{row['client_us']:.1f}",
                        f"{(row['server_us'] + row['client_us']) / total:.1%}",
                    ]
                    for row in profile["cpu"]
                ],
            )
        )
    parts.append(
        "The server's heap and its copies of 128 bytes and more, counted by a library preloaded"
        " into it, for each batch in the steady state:"
    )
    parts.append(
        table(
            ["who", "allocations", "their bytes", "copies", "their bytes"],
            [
                [
                    row["who"],
                    f"{row['allocations']:.2f}",
                    number(row["allocated_bytes"]),
                    f"{row['copies']:.2f}",
                    number(row["copied_bytes"]),
                ]
                for row in profile["memory"]
            ],
        )
    )
    ours = next((row for row in profile["memory"] if row["who"] == "Hivewire"), None)
    if ours:
        parts.append(
            f"That is {ours['allocations'] / profile['batch_lanes']:.3g} allocations and"
            f" {ours['copied_bytes'] / profile['batch_lanes']:,.0f} bytes copied for each step by"
            " Hivewire's own code; the kernel copies each message twice more, into the socket and"
            " out of it."
        )
    places = [place for place in profile["places"] if place["a_batch"] >= 0.005]
    parts.append(
        table(
            ["of these, by", "what", "a batch"],
            [[f"`{place['where']}`", place["kind"], f"{place['a_batch']:.2f}"] for place in places],
            numbers_from=2,
        )
    )
    return parts


def share_kept(cells, delays):
    """What the longest of `delays` leaves of the speed without one."""
    if len(delays) < 2 or delays[0] not in cells or delays[-1] not in cells:
        return ""
    rates = [cells[delay]["lane_steps_per_s"] for delay in (delays[0], delays[-1])]
    return f"{rates[1] / rates[0]:.2f}"


def network_section(network):
    rows = network["rows"]
    delays = sorted({row["round_trip_ms"] for row in rows})
    parts = [
        "## A slow network",
        measured_by(network),
        (
            "Server and client on one machine, between them a proxy of ours that delivers each byte"
            " half a round trip later, at 1 Gbit/s. Where steps are sent their actions were drawn"
            " beforehand; in rollouts the server also evaluates a policy (actor and critic with two"
            " layers of 64), so compare each mode with itself. Lane steps per second, and the"
            " slowest link's as a share of those without delay:"
        ),
        "![Throughput against delay](img/network.svg)",
    ]
    body = []
    for env in dict.fromkeys(row["env"] for row in rows):
        for mode in dict.fromkeys(row["mode"] for row in rows):
            cells = {
                row["round_trip_ms"]: row
                for row in rows
                if row["env"] == env and row["mode"] == mode
            }
            if cells:
                lanes = next(iter(cells.values()))["lanes"]
                body.append([
                    env,
                    mode,
                    lanes,
                    *(number(cells[d]["lane_steps_per_s"]) if d in cells else "" for d in delays),
                    share_kept(cells, delays),
                ])
    parts.append(
        table(
            ["env", "mode", "lanes", *(f"{d:g} ms" if d else "none" for d in delays), "share"],
            body,
            numbers_from=2,
        )
    )
    parts.append(NETWORK_ADVICE)
    return parts


def robohive_section(robohive):
    parts = [
        "## RoboHive",
        measured_by(robohive) + f" Python {robohive['python']}.",
        (
            "Beside RoboHive 0.7.0 on the same MuJoCo, random actions, side by side in each round."
            " *Bare* is `mj_step` in a loop over the states and controls of the same episodes:"
            " no robot, no observation, no reward, no batch."
        ),
    ]
    if "state" in robohive:
        head = ["env", "one lane, steps/s", "÷ Python", "÷ bare", "64 lanes over UDS", "÷ 2 Pythons"]
        parts.append(
            table(
                head,
                [
                    [
                        row["env"],
                        number(row["one_lane_steps_per_s"]),
                        number(row["one_lane_to_python"], ".2f"),
                        number(row["one_lane_to_bare"], ".2f"),
                        number(row["many_lanes_steps_per_s"]),
                        number(row["many_lanes_to_python"], ".2f"),
                    ]
                    for row in robohive["state"]
                ],
            )
        )
    if "pixels" in robohive:
        parts += [
            (
                "With all images of the env after each step, 4 lanes over UDS, OpenGL in software;"
                " Python draws its 4 envs in one process. `exact` is what Python draws, to the last"
                " bit; `fast` leaves out shadows, reflections, multisampling and, as small as these"
                " images are, details of large meshes."
            ),
            table(
                ["env", "Python, steps/s", "exact", "÷ Python", "fast", "÷ Python"],
                [
                    [
                        row["env"],
                        number(row["python_steps_per_s"], ".2f"),
                        number(row["exact_steps_per_s"], ".2f"),
                        number(row["exact_to_python"], ".2f"),
                        number(row["fast_steps_per_s"], ".1f"),
                        number(row["fast_to_python"], ".1f"),
                    ]
                    for row in robohive["pixels"]
                ],
            ),
        ]
    return parts


def learner_section(learner):
    parts = ["## Learning"]
    if learner.get("cells"):
        parts += [
            measured_by(learner),
            (
                "PPO end to end: collecting one update's steps and learning from them, sides taking"
                " turns as above. All have the same hyperparameters (actor and critic with two layers"
                " of 64, ten epochs, no normalisers) and two threads for learning. Ours steps its"
                " envs through a server on a Unix socket; Stable-Baselines3 has the faster of its two"
                " vector envs; the plain loop is one file's worth of PyTorch on EnvPool. The"
                " recurrent policies are LSTMs of 64 units behind a layer of 64; sb3-contrib's"
                " gradients run through whole stretches of a minibatch, ours through 16 steps."
            ),
            table(
                ["PPO", "envs × steps", "minibatch", "side", "steps/s", "range", "ours ÷ it", "learning"],
                [
                    [
                        f"{cell['env']}" + (", LSTM" if cell["kind"] == "recurrent" else ""),
                        f"{cell['num_envs']} × {cell['rollout_steps']:,}",
                        f"{cell['minibatch']:,}",
                        side["side"],
                        number(side["steps_per_s"]),
                        "{:,.0f} – {:,.0f}".format(*side["range"]),
                        number(side.get("ours_to_it"), ".2f"),
                        number(side.get("share_of_update"), ".0%"),
                    ]
                    for cell in learner["cells"]
                    for side in cell["sides"]
                ],
                numbers_from=4,
            ),
        ]
        for cell in learner["cells"]:
            for peer, why in cell["missing"].items():
                parts.append(f"Not compared on {cell['env']}: {peer} ({why}).")
    if "time_to_return" in learner:
        part = learner["time_to_return"]
        parts += [
            (
                f"Until the latest hundred training episodes of {part['env']} return"
                f" {part['wanted']:,.0f} on average, by preset `{part['preset']}` and the same"
                " hyperparameters and normalisers in Stable-Baselines3, one run each, one after the"
                f" other. {measured_by(part)}"
            ),
            table(
                ["side", "minutes", "frames", "mean return"],
                [
                    [
                        side + ("" if point["reached"] else " (not reached)"),
                        f"{point['seconds'] / 60:.1f}",
                        number(point["frames"]),
                        number(point["mean_return"]),
                    ]
                    for side, point in part["sides"].items()
                ],
            ),
        ]
    return parts


def page(results):
    parts = [
        "# Performance",
        (
            "Written by `tests/bench/report.py` from the figures in"
            " [docs/performance](performance); do not edit. A ratio says more than a figure, and"
            " only on the same machine in the same run."
        ),
        table(
            ["what", "at least", "measured", "reached"],
            [
                [goal.what, goal.bound, goal.measured, goal.verdict]
                for goal in goals.all_goals(results)
            ],
            numbers_from=4,
        ),
    ]
    if results["stepping"]:
        parts += stepping_section(results["stepping"])
    for name, section in (
        ("service", service_section),
        ("profile", profile_section),
        ("network", network_section),
        ("robohive", robohive_section),
        ("learner", learner_section),
    ):
        if results[name]:
            parts += (
                section(results[name], results["stepping"])
                if name == "service"
                else section(results[name])
            )
    return "\n\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument(
        "--root", type=pathlib.Path, default=ROOT, help="whose docs; this project's"
    )
    options = parser.parse_args()
    check, docs = options.check, options.root / "docs"
    names = ("stepping", "service", "profile", "network", "robohive", "learner")
    results = {name: load(docs, name) for name in names}
    files = {docs / "performance.md": page(results)}
    if results["stepping"]:
        files[docs / "img" / "stepping.svg"] = chart.stepping_bars(results["stepping"])
    if results["network"]:
        files[docs / "img" / "network.svg"] = chart.network_lines(results["network"])
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    if check and stale:
        sys.exit("not what tests/bench/report.py writes: " + ", ".join(map(str, stale)))
    for path in stale:
        path.write_text(files[path])


if __name__ == "__main__":
    main()
