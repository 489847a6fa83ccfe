"""Writes reference trajectories of Gymnasium's envs, for replay.cc to compare with ours.

Each case is an env with options. It runs in two lanes with seeds of their own: the first reset is
seeded, later ones go on with the env's generator. Actions are drawn from a generator of the case
and go a little beyond the action box. One file a case:

  lines    name, env id, options, actions, leaves; then an empty line
  numbers  float64, little-endian, one record for each operation of each lane in turn:
           seed (a seeded reset), -1 (a reset that goes on) or -2 (a step), terminated, reward,
           action, observation, info (NaN where Gymnasium gives none)

numpy's own AVX-512 functions differ from the C library's in the last bit, so they are turned off.
"""

import argparse
import math
import os
import pathlib

os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"

import gymnasium
import numpy as np

LANES = 2
RESET = -1.0
STEP = -2.0

# (case, env id, options, dtype of the actions)
CASES = [
    ("CartPole-v1", "CartPole-v1", {}, "int64"),
    ("Pendulum-v1", "Pendulum-v1", {}, "float32"),
    ("Pendulum-v1 float64", "Pendulum-v1", {"g": 9.81}, "float64"),
    ("InvertedDoublePendulum-v5", "InvertedDoublePendulum-v5", {}, "float32"),
    (
        "InvertedDoublePendulum-v5 options",
        "InvertedDoublePendulum-v5",
        {"healthy_reward": 3.5, "reset_noise_scale": 0.02, "frame_skip": 2},
        "float32",
    ),
    ("Hopper-v5", "Hopper-v5", {}, "float32"),
    (
        "Hopper-v5 options",
        "Hopper-v5",
        {
            "frame_skip": 2,
            "forward_reward_weight": 1.3,
            "ctrl_cost_weight": 0.07,
            "healthy_reward": 0.3,
            "healthy_state_range": (-8.0, 8.0),
            "healthy_z_range": (0.9, 1.4),
            "healthy_angle_range": (-0.3, 0.1),
            "reset_noise_scale": 0.03,
            "exclude_current_positions_from_observation": False,
        },
        "float32",
    ),
    ("Hopper-v5 never ends", "Hopper-v5", {"terminate_when_unhealthy": False}, "float32"),
    ("HalfCheetah-v5", "HalfCheetah-v5", {}, "float32"),
    (
        "HalfCheetah-v5 options",
        "HalfCheetah-v5",
        {
            "frame_skip": 3,
            "forward_reward_weight": 0.7,
            "ctrl_cost_weight": 0.3,
            "reset_noise_scale": 0.2,
            "exclude_current_positions_from_observation": False,
        },
        "float64",
    ),
    ("Ant-v5", "Ant-v5", {}, "float32"),
    ("Ant-v5 float64", "Ant-v5", {}, "float64"),
    (
        "Ant-v5 options",
        "Ant-v5",
        {
            "frame_skip": 4,
            "forward_reward_weight": 1.1,
            "ctrl_cost_weight": 0.3,
            "contact_cost_weight": 0.002,
            "healthy_reward": 0.9,
            "main_body": "aux_2",
            "healthy_z_range": (0.3, 0.9),
            "contact_force_range": (-0.4, 0.7),
            "reset_noise_scale": 0.2,
            "exclude_current_positions_from_observation": False,
            "include_cfrc_ext_in_observation": False,
        },
        "float32",
    ),
    ("Ant-v5 never ends", "Ant-v5", {"terminate_when_unhealthy": False}, "float32"),
    ("Walker2d-v5", "Walker2d-v5", {}, "float32"),
    (
        "Walker2d-v5 options",
        "Walker2d-v5",
        {
            "xml_file": "walker2d.xml",
            "healthy_z_range": (0.9, 1.8),
            "healthy_angle_range": (-0.5, 0.7),
            "exclude_current_positions_from_observation": False,
        },
        "float32",
    ),
]


def option_line(name, value):
    """How replay.cc reads an option: "option NAME TYPE VALUE..."."""
    if isinstance(value, bool):
        return f"option {name} bool {int(value)}"
    if isinstance(value, int):
        return f"option {name} int {value}"
    if isinstance(value, float):
        return f"option {name} double {value!r}"
    if isinstance(value, str):
        return f"option {name} string {value}"
    return f"option {name} list " + " ".join(repr(float(number)) for number in value)


class Lane:
    """One env that is reset whenever its episode ends, and what it gave."""

    def __init__(self, env_id, options, seed):
        self.env = gymnasium.make(env_id, disable_env_checker=True, **options)
        self.seed = seed
        self.fresh = True
        self.done = True
        self.records = []

    def operate(self, action):
        """A step, or where there is no episode a reset: (kind, terminated, reward, obs, info)."""
        if self.done:
            kind = float(self.seed) if self.fresh else RESET
            observation, info = self.env.reset(seed=self.seed if self.fresh else None)
            self.fresh = self.done = False
            return kind, False, 0.0, observation, info
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.done = terminated or truncated
        return STEP, terminated, float(reward), observation, info


def draw_actions(space, dtype, count, rng):
    """(count, elements), in `dtype`."""
    if isinstance(space, gymnasium.spaces.Discrete):
        return rng.integers(space.n, size=(count, 1))
    low, high = space.low.astype(float), space.high.astype(float)
    margin = 0.1 * (high - low)
    return rng.uniform(low - margin, high + margin, (count, *space.shape)).astype(dtype)


def flatten(info, sizes):
    """The leaves of `sizes` one after the other, NaN where there are none."""
    parts = [
        np.ravel(info[name]).astype(float) if name in info else np.full(size, math.nan)
        for name, size in sizes.items()
    ]
    return np.concatenate(parts) if parts else []


def run(case, env_id, options, dtype, seed, operations, folder):
    lanes = [Lane(env_id, options, seed + lane) for lane in range(LANES)]
    space = lanes[0].env.action_space
    discrete = isinstance(space, gymnasium.spaces.Discrete)
    rng = np.random.default_rng(seed)
    actions = [draw_actions(space, dtype, operations, rng) for _ in lanes]

    results = []
    for operation in range(operations):
        for lane, lane_actions in zip(lanes, actions):
            action = lane_actions[operation]
            results.append((action, lane.operate(int(action[0]) if discrete else action)))

    sizes = {}
    in_reset = set()
    for _, (kind, *_, info) in results:
        for name, value in info.items():
            sizes[name] = np.size(value)
            if kind != STEP:
                in_reset.add(name)
    records = [
        [kind, terminated, reward, *action, *observation.ravel(), *flatten(info, sizes)]
        for action, (kind, terminated, reward, observation, info) in results
    ]
    observation = lanes[0].env.observation_space
    bounds = [] if discrete else [
        "low " + " ".join(repr(float(bound)) for bound in space.low),
        "high " + " ".join(repr(float(bound)) for bound in space.high),
    ]
    header = [
        f"case {case}",
        f"env {env_id}",
        *(option_line(name, value) for name, value in options.items()),
        f"lanes {LANES}",
        f"max_episode_steps {lanes[0].env.spec.max_episode_steps}",
        f"action {dtype} {actions[0].shape[1]}",
        f"observation {observation.dtype} {math.prod(observation.shape)}",
        *bounds,
        *(f"info {name} {size} {int(name in in_reset)}" for name, size in sizes.items()),
    ]
    path = folder / (case.replace(" ", "_") + ".trajectory")
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n\n").encode())
        file.write(np.array(records, dtype="<f8").tobytes())
    for lane in lanes:
        lane.env.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--operations", type=int, default=1000, help="steps and resets a lane")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for case, env_id, options, dtype in CASES:
        run(case, env_id, options, dtype, args.seed, args.operations, args.out)


if __name__ == "__main__":
    main()
