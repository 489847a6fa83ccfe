"""Records what the originals do, for replay.cc: a folder of files, three for each case and seed.

  N.textproto  the env: an EnvEntry (proto/hivewire/v1/config.proto) with its options
  N.columns    the case's name, the seed, then one line for each group of columns: its name, the
               number of elements and, for info leaves, whether a reset gives them
  N.rows       rows of float64: first whether the row is a reset (seeded: 2, going on with the
               generator: 1) or a step (0)
"""

import argparse
import concurrent.futures
import os
import pathlib
import warnings

# numpy's own AVX-512 functions differ from the C library's in the last bit.
os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"

import gymnasium
import numpy as np

from cases import CASES


def textproto_value(value):
    """An option's value as a hivewire.v1.Value."""
    if isinstance(value, bool):
        return f"bool_value: {str(value).lower()}"
    if isinstance(value, int):
        return f"int_value: {value}"
    if isinstance(value, float):
        return f"double_value: {value!r}"
    if isinstance(value, str):
        return f'string_value: "{value}"'
    return f"double_list {{ values: [{', '.join(repr(float(x)) for x in value)}] }}"


def write_entry(path, case):
    lines = [f'id: "{case.env_id}"']
    for name, value in case.options.items():
        # A body's number: the only option whose type varies in the original.
        value = str(value) if name == "main_body" else value
        lines.append(f'options {{ key: "{name}" value {{ {textproto_value(value)} }} }}')
    path.write_text("\n".join(lines) + "\n")


def draw_actions(space, rng, dtype):
    if isinstance(space, gymnasium.spaces.Discrete):
        while True:
            yield rng.integers(space.start, space.start + space.n)
    while True:
        # float32 first, so that the values are the same for every dtype.
        yield rng.uniform(space.low, space.high).astype(np.float32).astype(dtype)


def record(folder, index, case, seed, steps):
    warnings.filterwarnings("ignore")
    env = gymnasium.make(case.env_id, **case.options).unwrapped
    actions = draw_actions(env.action_space, np.random.default_rng([seed, 1]), case.dtype)
    action = next(actions)

    # (kind, action, observation, reward, terminated, info)
    observation, reset_info = env.reset(seed=seed)
    history = [(2, np.zeros_like(action), observation, 0.0, False, reset_info)]
    since_reset = 0
    for _ in range(steps):
        observation, reward, terminated, _, info = env.step(action)
        history.append((0, action, observation, reward, terminated, info))
        action = next(actions)
        since_reset += 1
        if terminated or since_reset == case.episode_steps:
            observation, reset_info = env.reset()
            history.append((1, np.zeros_like(action), observation, 0.0, False, reset_info))
            since_reset = 0

    info_sizes = {name: np.size(value) for name, value in history[1][5].items()}
    rows = []
    for kind, action, observation, reward, terminated, info in history:
        row = [kind, *np.ravel(action), *np.ravel(observation), reward, terminated]
        for name, size in info_sizes.items():
            row.extend(np.ravel(info.get(name, np.full(size, np.nan))))
        rows.append(np.array(row, dtype=np.float64))

    write_entry(folder / f"{index}.textproto", case)
    dtype = "int64" if np.issubdtype(np.asarray(action).dtype, np.integer) else case.dtype.__name__
    columns = [
        case.name,
        str(seed),
        "kind 1",
        f"action:{dtype} {np.size(action)}",
        # Observations of float32 are compared as such.
        f"observation:{observation.dtype} {np.size(observation)}",
        "reward 1",
        "terminated 1",
        *(f"info:{name} {size} {int(name in reset_info)}" for name, size in info_sizes.items()),
    ]
    (folder / f"{index}.columns").write_text("\n".join(columns) + "\n")
    np.stack(rows).astype("<f8").tofile(folder / f"{index}.rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=1000)
    args = parser.parse_args()

    runs = [(case, seed) for case in CASES for seed in case.seeds]
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as executor:
        jobs = [
            executor.submit(record, args.folder, index, case, seed, args.steps)
            for index, (case, seed) in enumerate(runs)
        ]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    main()
