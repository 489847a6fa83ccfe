"""Writes images of Gymnasium's own renderer, for compare_images.cc to compare with ours.

One file a case: lines (key, value), an empty line, then the actions (float32) of all steps and one
image (uint8, RGB, top row first) for each of `moments`, the numbers of steps after which one is
drawn. MUJOCO_GL names the library that draws.
"""

import argparse
import concurrent.futures
import os
import pathlib

import gymnasium
import numpy as np

from cases import CASES
from generate import make_env

SEED = 3
# The default size, and images of one camera that show it move.
DEFAULT_VIEW = {"width": 480, "height": 480, "moments": (0, 4, 12)}
NAMED_CAMERA = {"width": 160, "height": 100, "moments": (5,)}
# Another default view; its keys are an option's here, and options of ours.
CONFIGURED = {
    "distance": 2.5,
    "azimuth": 30.0,
    "elevation": -15.0,
    "lookat": np.array((0.1, -0.2, 0.4)),
}


def cases():
    """(env id, camera, view, default_camera_config) for every env that draws with MuJoCo."""
    for env_id in sorted({case.env_id for case in CASES}):
        if "mujoco" not in gymnasium.spec(env_id).entry_point:
            continue
        yield env_id, "", DEFAULT_VIEW, {}
        if cameras(env_id):
            yield env_id, cameras(env_id)[0], NAMED_CAMERA, {}
    for env_id in ("Ant-v5", "Reacher-v5"):
        yield env_id, "", NAMED_CAMERA, CONFIGURED


def cameras(env_id):
    env = make_env(env_id)
    model = env.unwrapped.model
    return [model.camera(k).name for k in range(model.ncam)]


def draw(env_id, camera, view, config, path):
    size = {key: view[key] for key in ("width", "height")}
    named = {"camera_name": camera} if camera else {}
    if config:
        named["default_camera_config"] = config
    env = make_env(env_id, render_mode="rgb_array", **size, **named)
    space = env.action_space
    actions = np.random.default_rng(SEED).uniform(
        space.low, space.high, (max(view["moments"]), *space.shape)
    )
    actions = actions.astype(np.float32)
    env.reset(seed=SEED)
    images = []
    over = False
    for step in range(len(actions) + 1):
        if step in view["moments"]:
            images.append(env.render().tobytes())
        if step == len(actions):
            break
        if over:  # as a pool does, whose lanes reset at the next step
            env.reset()
            over = False
        else:
            *_, terminated, truncated, _ = env.step(actions[step])
            over = terminated or truncated
    header = {
        "env": env_id,
        "camera": camera,
        "seed": SEED,
        "action_elements": space.shape[0],
        **size,
        "moments": " ".join(map(str, view["moments"])),
    }
    for key, value in config.items():
        header[f"default_camera_config.{key}"] = " ".join(map(str, np.ravel(value)))
    with path.open("wb") as file:
        file.write("".join(f"{key} {value}\n" for key, value in header.items()).encode() + b"\n")
        file.write(actions.tobytes())
        file.writelines(images)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as executor:
        jobs = [
            executor.submit(draw, *case, args.folder / f"{index:03}.images")
            for index, case in enumerate(cases())
        ]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    main()
