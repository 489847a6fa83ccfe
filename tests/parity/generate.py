"""Writes reference trajectories of Gymnasium's envs, for replay.cc to compare with ours.

A case (cases.py) runs in several lanes, each with a seed of its own: the first reset is seeded,
later ones go on with the env's generator. Actions go a little beyond the action box. One file a
case:

  lines    name, env id, options, spaces and leaves; then an empty line
  numbers  float64, little-endian, one record for each operation of each lane in turn:
           kind (the seed of a seeded reset, -1 for a reset that goes on, -2 for a step),
           terminated, reward, action, observation, info (NaN where Gymnasium gives none)

numpy's own AVX-512 functions differ from the C library's in the last bit, so they are turned off.
"""

import argparse
import concurrent.futures
import math
import os
import pathlib

os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"

import gymnasium
import numpy as np

from cases import CASES

RESET = -1.0
STEP = -2.0


def option_line(name, value):
    """How replay.cc reads an option: "option NAME TYPE VALUE..."."""
    if name == "main_body":
        value = str(value)  # Gymnasium takes a name or a number; ours is always a string
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
    """One env that is reset whenever its episode ends."""

    def __init__(self, case, seed):
        self.env = gymnasium.make(case.env_id, disable_env_checker=True, **case.options)
        self.seed = seed
        self.episode_steps = case.episode_steps
        self.steps_left = 0

    def operate(self, action):
        """A step, or where there is no episode a reset: (kind, terminated, reward, obs, info)."""
        if self.steps_left == 0:
            kind = RESET if self.seed is None else float(self.seed)
            observation, info = self.env.reset(seed=self.seed)
            self.seed = None
            self.steps_left = self.episode_steps
            return kind, False, 0.0, observation, info
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.steps_left = 0 if terminated or truncated else self.steps_left - 1
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


def header_lines(case, env, action_dtype, info_sizes, in_reset):
    action, observation = env.action_space, env.observation_space
    yield f"case {case.env_id} {case.name}"
    yield f"env {case.env_id}"
    yield from (option_line(name, value) for name, value in case.options.items())
    yield f"lanes {len(case.seeds)}"
    yield f"max_episode_steps {env.spec.max_episode_steps}"
    yield f"action {action_dtype} {math.prod(action.shape)}"
    if isinstance(action, gymnasium.spaces.Box):
        yield "low " + " ".join(repr(float(bound)) for bound in action.low)
        yield "high " + " ".join(repr(float(bound)) for bound in action.high)
    yield f"observation {observation.dtype} {math.prod(observation.shape)}"
    yield from (f"info {name} {size} {int(name in in_reset)}" for name, size in info_sizes.items())


def run(case, operations, path):
    lanes = [Lane(case, seed) for seed in case.seeds]
    space = lanes[0].env.action_space
    discrete = isinstance(space, gymnasium.spaces.Discrete)
    rng = np.random.default_rng(case.seeds[0] + 1)
    actions = [draw_actions(space, case.dtype, operations, rng) for _ in lanes]

    results = []
    for operation in range(operations):
        for lane, lane_actions in zip(lanes, actions):
            action = lane_actions[operation]
            results.append((action, lane.operate(int(action[0]) if discrete else action)))

    info_sizes = {}
    in_reset = set()
    for _, (kind, *_, info) in results:
        info_sizes.update((name, np.size(value)) for name, value in info.items())
        if kind != STEP:
            in_reset.update(info)
    records = [
        [kind, terminated, reward, *action, *observation.ravel(), *flatten(info, info_sizes)]
        for action, (kind, terminated, reward, observation, info) in results
    ]
    header = header_lines(case, lanes[0].env, actions[0].dtype, info_sizes, in_reset)
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n\n").encode())
        file.write(np.array(records, dtype="<f8").tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--operations", type=int, default=1000, help="steps and resets of a lane")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)

    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as executor:
        jobs = [
            executor.submit(run, case, args.operations, args.folder / f"{index:03}.trajectory")
            for index, case in enumerate(CASES)
        ]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    main()
