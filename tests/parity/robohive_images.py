"""Compares what record_images.cc wrote with what MuJoCo's own renderer draws of the same states.

Every pixel and every distance must be equal: both sides draw with the same OpenGL, which MUJOCO_GL
names. Prints a row an env; the last line counts envs.
"""

import argparse
import json
import pathlib

import mujoco
import numpy as np


def draw(renderer, data, leaf):
    renderer.update_scene(data, camera=leaf["camera"])
    if not leaf["depth"]:
        return renderer.render()
    renderer.enable_depth_rendering()
    depth = renderer.render()
    renderer.disable_depth_rendering()
    return depth


def compare(path):
    """(env, images, largest difference of a colour of 255, largest of a distance in m)."""
    with path.open("rb") as file:
        header = json.loads(file.readline())
        state = np.frombuffer(file.read(8 * header["state"]))
        model = mujoco.MjModel.from_binary_path(str(path.with_suffix(".mjb")))
        data = mujoco.MjData(model)
        mujoco.mj_setState(model, data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_forward(model, data)
        largest = {False: 0, True: 0}
        renderers = {}
        for leaf in header["leaves"]:
            size = leaf["height"], leaf["width"]
            if size not in renderers:
                renderers[size] = mujoco.Renderer(model, *size)
            reference = draw(renderers[size], data, leaf)
            ours = np.frombuffer(file.read(reference.nbytes), reference.dtype)
            difference = np.abs(ours.reshape(reference.shape).astype(float) - reference)
            largest[leaf["depth"]] = max(largest[leaf["depth"]], difference.max())
        for renderer in renderers.values():
            renderer.close()
        assert file.read() == b"" and header["leaves"]
    return header["env"], len(header["leaves"]), largest[False], largest[True]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    args = parser.parse_args()
    passed = failed = 0
    print(f"{'env':34} {'images':>6} {'colour, of 255':>14} {'distance, m':>12}")
    for path in sorted(args.folder.glob("*.images"), key=lambda path: int(path.name.split("-")[0])):
        env, images, colour, distance = compare(path)
        good = colour == 0 and distance == 0
        passed, failed = passed + good, failed + (not good)
        print(f"{env:34} {images:6} {colour:14g} {distance:12g}{'' if good else '  FAILED'}")
    print(f"robohive images: {passed} passed, {failed} failed")


if __name__ == "__main__":
    main()
