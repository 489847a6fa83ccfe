"""What was to be reached, and how far it is: the rows of the table that docs/performance.md opens
with. Rows that are not reached stand there like the others."""

import dataclasses

ENVS = ["Ant-v5", "HalfCheetah-v5", "Humanoid-v5", "Hopper-v5"]
SHORT = {
    "Ant-v5": "Ant",
    "HalfCheetah-v5": "HalfCheetah",
    "Humanoid-v5": "Humanoid",
    "Hopper-v5": "Hopper",
}


@dataclasses.dataclass
class Goal:
    what: str
    bound: str
    measured: str
    verdict: str


def verdict(checks):
    """`checks`: whether each part is reached; None for one without a figure."""
    if not checks or None in checks:
        return "not measured"
    return "yes" if all(checks) else "**no**"


def per_env(what, bounds, values, form=".2f"):
    """`values` and `bounds` by env; each value is to be at least its bound."""
    shown, checks = [], []
    for env in ENVS:
        value = values.get(env)
        checks.append(None if value is None else value >= bounds[env])
        shown.append("–" if value is None else format(value, form))
    bound = " / ".join(dict.fromkeys(format(bounds[env], "g") for env in ENVS))
    if len(set(bounds.values())) > 1:
        bound = " / ".join(format(bounds[env], "g") for env in ENVS)
    return Goal(what, f"≥ {bound}", " / ".join(shown), verdict(checks))


def single(what, bound, value, reached, form):
    if value is None:
        return Goal(what, bound, "–", "not measured")
    return Goal(what, bound, form.format(value), verdict([reached(value)]))


class Stepping:
    """Figures of stepping.json by env and lanes."""

    def __init__(self, stepping):
        self.cells = {
            (cell["env"], cell["lanes"]): cell for cell in (stepping or {}).get("cells", [])
        }

    def sides(self, env, lanes, prefix):
        cell = self.cells.get((env, lanes), {"sides": []})
        return [side for side in cell["sides"] if side["side"].startswith(prefix)]

    def best(self, env, lanes, prefix, key):
        """`key` of the fastest side whose name begins so; None without one."""
        sides = self.sides(env, lanes, prefix)
        side = max(sides, key=lambda side: side["lane_steps_per_s"], default={})
        return side.get(key)

    def by_env(self, lanes, prefix, key):
        return {env: self.best(env, lanes, prefix, key) for env in ENVS}

    def quotient(self, lanes, above, below, key="lane_steps_per_s"):
        result = {}
        for env in ENVS:
            a, b = self.best(env, lanes, above, key), self.best(env, lanes, below, key)
            result[env] = a / b if a and b else None
        return result


def stepping_goals(stepping):
    figures = Stepping(stepping)
    same = lambda value: dict.fromkeys(ENVS, value)
    in_process, remote = "Hivewire in process", "Hivewire over UDS, 2 groups"
    goals = []
    for lanes in (64, 256):
        goals.append(
            per_env(
                f"in-process pool ÷ bare `mj_step` loop, {lanes} lanes",
                same(0.95),
                figures.by_env(lanes, in_process, "to_raw"),
            )
        )
    envpool = dict(zip(ENVS, (1.2, 1.4, 1.25, 1.25)))
    for lanes in (64, 256):
        goals.append(
            per_env(
                f"in-process pool ÷ EnvPool's best configuration, {lanes} lanes",
                envpool,
                figures.by_env(lanes, in_process, "to_envpool"),
            )
        )
    goals.append(
        per_env(
            "remote over UDS ÷ in-process pool, 64 lanes, both with two groups in flight",
            dict(zip(ENVS, (0.97, 0.93, 0.97, 0.93))),
            figures.by_env(64, remote, "to_inproc"),
        )
    )
    goals.append(
        per_env(
            "remote over UDS ÷ EnvPool in process, 64 lanes",
            same(1.15),
            figures.by_env(64, remote, "to_envpool"),
        )
    )
    goals.append(
        per_env(
            "remote over UDS ÷ RLMesh over UDS, 64 lanes",
            same(4),
            figures.quotient(64, remote, "RLMesh"),
            ".1f",
        )
    )
    ours = figures.by_env(1, "Hivewire over UDS", "round_trip_net_us")
    worst = max((value for value in ours.values() if value is not None), default=None)
    goals.append(
        single(
            "one lane over UDS, round trip p50 less the step, worst env",
            "≤ 60 µs",
            worst,
            lambda value: value <= 60,
            "{:.0f} µs",
        )
    )
    for peer in ("dm_env_rpc", "RLMesh"):
        ratios = figures.quotient(1, "Hivewire over UDS", peer, "round_trip_net_us")
        worst = max((value for value in ratios.values() if value is not None), default=None)
        goals.append(
            single(f"… ÷ {peer}'s, worst env", "≤ 0.2", worst, lambda value: value <= 0.2, "{:.2f}")
        )
    return goals


def service_goals(service):
    get = (service or {}).get
    kib, gib = 1024, 1 << 30
    return [
        single(
            "memory per extra lane, Humanoid",
            "≤ 16 KiB",
            get("memory_per_lane_bytes"),
            lambda value: value <= 16 * kib,
            "{:,.0f} B",
        ),
        single(
            "… of FetchPickAndPlace's model, with its meshes",
            "≤ 64 KiB",
            get("memory_per_mesh_lane_bytes"),
            lambda value: value <= 64 * kib,
            "{:,.0f} B",
        ),
        single(
            "10,000 Humanoid lanes on one server, stepped, resident memory",
            "≤ 1 GiB",
            get("many_lanes_resident_bytes"),
            lambda value: value <= gib,
            "{:,.0f} B",
        ),
        single(
            "pixels 84×84 RGB on Ant in software, our best setting ÷ gymnasium's default",
            "≥ 8",
            get("pixels_to_gymnasium"),
            lambda value: value >= 8,
            "{:.1f}",
        ),
        single(
            "Ant, 64 clients of one lane at once: slowest ÷ fastest",
            "≥ 0.8",
            get("clients_slowest_to_fastest"),
            lambda value: value >= 0.8,
            "{:.2f}",
        ),
        single(
            "… all of them together ÷ one client with 64 lanes",
            "≥ 0.5",
            get("clients_to_one_client"),
            lambda value: value >= 0.5,
            "{:.2f}",
        ),
        single(
            "p99 of a client of one Ant lane beside 1,000 Humanoid lanes ÷ on an idle server",
            "≤ 5",
            get("neighbour_p99_ratio"),
            lambda value: value <= 5,
            "{:.1f}",
        ),
    ]


def profile_goals(profile):
    value = (profile or {}).get("allocations_per_step")
    return [
        single(
            "server heap allocations per step outside gRPC, steady state",
            "0",
            value,
            lambda value: value == 0,
            "{:g}",
        )
    ]


def network_goals(network):
    rows = [row for row in (network or {}).get("rows", []) if row["mode"] == "rollouts"]
    rates = {(row["env"], row["round_trip_ms"]): row["lane_steps_per_s"] for row in rows}
    return [
        per_env(
            "rollouts at 50 ms round trip ÷ without delay, 64 lanes",
            dict.fromkeys(ENVS, 0.9),
            {env: rates[env, 50] / rates[env, 0] for env in ENVS if (env, 50) in rates},
        )
    ]


def robohive_goals(robohive):
    """Nothing where RoboHive was never measured."""
    if robohive is None:
        return []
    state = {row["env"]: row for row in robohive.get("state", [])}
    pixels = {row["env"]: row for row in robohive.get("pixels", [])}

    def several(what, envs, rows, key, bounds, form=".2f"):
        values = [rows.get(env, {}).get(key) for env in envs]
        checks = [None if v is None else v >= bound for v, bound in zip(values, bounds)]
        shown = " / ".join("–" if v is None else format(v, form) for v in values)
        bound = " / ".join(format(b, "g") for b in dict.fromkeys(bounds))
        return Goal(what, f"≥ {bound}", shown, verdict(checks))

    envs = ["FrankaReachFixed-v0", "FK1_Knob1OnFixed-v4", "door-v1"]
    seen = ["FrankaReachRandom_v2d-v0", "FK1_Knob1OnRandom_v2d-v4"]
    names = "FrankaReach / FK1 / door"
    return [
        several(
            f"one lane in process ÷ RoboHive's Python: {names}",
            envs,
            state,
            "one_lane_to_python",
            [1.1, 1.1, 1.8],
        ),
        several(
            "… ÷ bare `mj_step` loop", envs, state, "one_lane_to_bare", [0.95, 0.95, 0.95]
        ),
        several(
            f"64 lanes over UDS ÷ RoboHive in 2 Python processes: {names}",
            envs,
            state,
            "many_lanes_to_python",
            [1.3, 1.3, 2.5],
        ),
        several(
            "images, 4 lanes, `exact` ÷ RoboHive's Python: FrankaReach 3 × 224×224 / FK1 4 × 256×256",
            seen,
            pixels,
            "exact_to_python",
            [1.5, 1.5],
        ),
        several("… `fast`", seen, pixels, "fast_to_python", [10, 10], ".1f"),
        single(
            "64 lanes of 84×84×3 over UDS ÷ in process",
            "≥ 0.95",
            robohive.get("batch_to_inproc"),
            lambda value: value >= 0.95,
            "{:.2f}",
        ),
        single(
            "memory per extra kitchen lane, state only",
            "≤ 64 KiB",
            robohive.get("memory_state_lane_bytes"),
            lambda value: value <= 64 << 10,
            "{:,.0f} B",
        ),
        single(
            "… with 4 images of 256×256",
            "≤ 2 MiB",
            robohive.get("memory_pixel_lane_bytes"),
            lambda value: value <= 2 << 20,
            "{:,.0f} B",
        ),
    ]
# Sides of learner.json by the beginning of their names, with what ours is to be times theirs.
LEARNERS = [
    ("ppo", "Stable-Baselines3", {"Ant-v5": 2.5, "HalfCheetah-v5": 3}),
    ("ppo", "plain PyTorch", {"Ant-v5": 1.5, "HalfCheetah-v5": 1.5}),
    ("recurrent", "sb3-contrib", {"HalfCheetah-v5": 3}),
]


def learner_goals(learner):
    goals = []
    for kind, peer, bounds in LEARNERS:
        cells = [cell for cell in (learner or {}).get("cells", []) if cell["kind"] == kind]
        for env, bound in bounds.items():
            found = {
                cell["minibatch"]: side["ours_to_it"]
                for cell in cells
                if cell["env"] == env
                for side in cell["sides"]
                if side["side"].startswith(peer)
            }
            of = " and ".join(format(minibatch, ",") for minibatch in found)
            goals.append(
                Goal(
                    f"{'recurrent ' if kind == 'recurrent' else ''}PPO over gRPC ÷ {peer},"
                    f" {SHORT[env]}" + (f", minibatches of {of}" if of else ""),
                    f"≥ {bound:g}",
                    " / ".join(f"{ratio:.1f}" for ratio in found.values()) or "–",
                    verdict([ratio >= bound for ratio in found.values()]),
                )
            )
    return goals


def all_goals(results):
    return (
        stepping_goals(results["stepping"])
        + service_goals(results["service"])
        + profile_goals(results["profile"])
        + network_goals(results["network"])
        + robohive_goals(results["robohive"])
        + learner_goals(results["learner"])
    )
