"""Writes reference trajectories of Gymnasium's envs, for replay.cc to compare with ours.

A case (cases.py) runs in several lanes, each with a seed of its own: the first reset is seeded,
later ones go on with the env's generator. Actions go a little beyond the action box. One file a
case:

  lines    name, env id, options, spaces and leaves; then an empty line
  numbers  float64, little-endian, one record for each operation of each lane in turn:
           kind (the seed of a seeded reset, -1 for a reset that goes on, -2 for a step),
           terminated, truncated, reward, action, observation, info (NaN where Gymnasium gives
           none)

numpy's own AVX-512 functions differ from the C library's in the last bit, so they are turned off.
"""

import argparse
import concurrent.futures
import math
import os
import pathlib
import unittest.mock

os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"

import gymnasium
import gymnasium.envs.mujoco  # before make_env() hides MuJoCo's version
import mujoco
import numpy as np

from cases import CASES

RESET = -1.0
STEP = -2.0


def make_env(env_id, **arguments):
    """The env. Pusher-v4 refuses MuJoCo 3; what it computes there is compared anyway."""
    version = "2.3.7" if env_id == "Pusher-v4" else mujoco.__version__
    with unittest.mock.patch.object(mujoco, "__version__", version):
        return gymnasium.make(env_id, disable_env_checker=True, **arguments)


def option_line(key, name, value):
    """How replay.cc reads an option: "KEY NAME TYPE VALUE..."."""
    if name == "main_body":
        value = str(value)  # Gymnasium takes a name or a number; ours is always a string
    if isinstance(value, bool):
        return f"{key} {name} bool {int(value)}"
    if isinstance(value, int):
        return f"{key} {name} int {value}"
    if isinstance(value, float):
        return f"{key} {name} double {value!r}"
    if isinstance(value, str):
        return f"{key} {name} string {value}"
    return f"{key} {name} list " + " ".join(repr(float(number)) for number in value)


class Lane:
    """One env that is reset whenever its episode ends."""

    def __init__(self, case, seed):
        self.env = make_env(
            case.env_id, max_episode_steps=case.max_episode_steps, **case.options
        )
        self.seed = seed
        self.reset_options = case.reset_options or None
        self.episode_steps = case.episode_steps
        self.steps_left = 0
        self.steps = 0

    def operate(self, action):
        """A step, or a reset where there is no episode.

        Gives (kind, terminated, truncated, reward, observation, info).
        """
        if self.steps_left == 0:
            kind = RESET if self.seed is None else float(self.seed)
            observation, info = self.env.reset(seed=self.seed, options=self.reset_options)
            self.seed = None
            self.steps_left = self.episode_steps
            return kind, False, False, 0.0, observation, info
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.steps_left = 0 if terminated or truncated else self.steps_left - 1
        self.steps += 1
        return STEP, terminated, truncated, float(reward), observation, info


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


def header_lines(case, env, action_dtype, info_sizes, in_reset):
    action, observation = env.action_space, env.observation_space
    yield f"case {case.env_id} {case.name}"
    yield f"env {case.env_id}"
    yield from (option_line("option", *option) for option in case.options.items())
    yield from (option_line("reset_option", *option) for option in case.reset_options.items())
    yield f"time_limit {case.max_episode_steps or 0}"
    yield f"lanes {len(case.seeds)}"
    yield f"max_episode_steps {env.spec.max_episode_steps}"
    yield f"action {action_dtype} {math.prod(action.shape)}"
    if isinstance(action, gymnasium.spaces.Box):
        yield "low " + " ".join(repr(float(bound)) for bound in action.low)
        yield "high " + " ".join(repr(float(bound)) for bound in action.high)
    yield "observation_low " + " ".join(repr(float(bound)) for bound in observation.low.ravel())
    yield "observation_high " + " ".join(repr(float(bound)) for bound in observation.high.ravel())
    yield f"observation {observation.dtype} {math.prod(observation.shape)}"
    yield from (f"info {name} {size} {int(name in in_reset)}" for name, size in info_sizes.items())


def run(case, steps, path):
    lanes = [Lane(case, seed) for seed in case.seeds]
    space = lanes[0].env.action_space
    discrete = isinstance(space, gymnasium.spaces.Discrete)
    rng = np.random.default_rng(case.seeds[0] + 1)

    results = []
    while min(lane.steps for lane in lanes) < steps:
        for lane, action in zip(lanes, draw_actions(space, case.dtype, len(lanes), rng)):
            results.append((action, lane.operate(int(action[0]) if discrete else action)))

    info_sizes = {}
    in_reset = set()
    for _, (kind, *_, info) in results:
        info_sizes.update((name, np.size(value)) for name, value in info.items())
        if kind != STEP:
            in_reset.update(info)
    records = [
        [kind, *outcome, *action, *observation.ravel(), *flatten(info, info_sizes)]
        for action, (kind, *outcome, observation, info) in results
    ]
    header = header_lines(case, lanes[0].env, results[0][0].dtype, info_sizes, in_reset)
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n\n").encode())
        file.write(np.array(records, dtype="<f8").tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=1000, help="of each lane, at least")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)

    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as executor:
        jobs = [
            executor.submit(run, case, args.steps, args.folder / f"{index:03}.trajectory")
            for index, case in enumerate(CASES)
        ]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    main()
