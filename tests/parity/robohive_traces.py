"""Records episodes of robohive 0.7.0 for robohive_test: one .npz an id, in the form of its others.

Needs robohive 0.7.0 (installed with --no-deps), mujoco 3.17.0, dm-control 1.0.50, numpy 1.26.4,
gymnasium 0.29.1, and the environment's NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR", since
numpy's AVX-512 functions differ from the C library's. SimHive is found as the server finds it.

  robohive_traces.py FOLDER ID... [--seed N] [--steps N] [--dtype float32] [--outside]
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

import numpy as np

MODEL_FIELDS = ["site_pos", "site_quat", "body_pos", "body_quat", "geom_type", "geom_size"]
MODEL_FIELDS += ["geom_pos", "geom_quat", "actuator_gainprm", "actuator_biasprm"]

# What MuJoCo 3.17 refuses, as in server/tasks/robohive/model_text.cc.
EDITS = {
    "envs/hands/assets/DAPG_assets.xml": ('apirate="200"', ""),
    "simhive/Adroit/resources/assets.xml": ('apirate="200"', ""),
    "simhive/furniture_sim/kettle/kettle_asset.xml": ('<default class="kettle">', "<default>"),
    "simhive/robel_sim/dkitty/assets/dependenciesA_xh-v2.1.xml": (
        '<mesh file="../robel_sim/dkitty/meshes/screws.stl" name="screws"/>',
        "",
    ),
    "simhive/robel_sim/dkitty/assets/chainA_xh-v2.1.xml": (
        '<geom class="viz_metal_grey" mesh="screws"/>',
        "",
    ),
}


def simhive():
    candidates = [os.environ.get("HIVEWIRE_SIMHIVE"), "../shared/simhive", "~/.robohive"]
    for candidate in filter(None, candidates):
        for below in ("", "simhive", "robohive/simhive"):
            folder = pathlib.Path(candidate).expanduser() / below
            if (folder / "franka_sim").is_dir():
                return folder.resolve()
    raise SystemExit("no SimHive; get it with deploy/fetch_simhive.sh")


def install(folder):
    """A copy of robohive beside a copy of SimHive, with the edits, that Python imports."""
    import importlib.util

    package = pathlib.Path(importlib.util.find_spec("robohive").origin).parent
    shutil.copytree(package, folder / "robohive")
    shutil.copytree(simhive(), folder / "robohive" / "simhive")
    for path, (old, new) in EDITS.items():
        file = folder / "robohive" / path
        file.chmod(0o644)
        file.write_text(file.read_text().replace(old, new))
    sys.path.insert(0, str(folder))


def make(env_id, seed):
    """The env itself; what visual variants add needs encoders, and changes no number."""
    from gymnasium.envs.registration import registry

    spec = registry[env_id]
    module, name = spec.entry_point.split(":")
    kwargs = {key: value for key, value in spec.kwargs.items() if key != "visual_keys"}
    cls = getattr(__import__(module, fromlist=[name]), name)
    return cls(seed=seed, **kwargs)


def engine_state(env):
    import mujoco

    model, data = env.sim.model.ptr, env.sim.data.ptr
    state = np.zeros(mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_INTEGRATION))
    mujoco.mj_getState(model, data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
    return state


def generator_state(env):
    state = env.np_random.bit_generator.state["state"]
    low = (1 << 64) - 1
    return {
        f"pcg64_{name}_hi_lo": np.array([state[name] >> 64, state[name] & low], np.uint64)
        for name in ("state", "inc")
    }


def record_reset(env, prefix, arrays):
    result = env.reset()
    obs = result[0] if isinstance(result, tuple) else result
    arrays[f"{prefix}_state"] = engine_state(env)
    arrays[f"{prefix}_obs"] = obs
    arrays[f"{prefix}_last_ctrl"] = np.asarray(env.last_ctrl, float)
    for field in MODEL_FIELDS:
        arrays[f"{prefix}_model/{field}"] = getattr(env.sim.model.ptr, field).copy()
    for key, value in env.obs_dict.items():
        arrays[f"{prefix}_obs_dict/{key}"] = np.array(np.ravel(value))
    for name, value in generator_state(env).items():
        arrays[f"after_{prefix}_{name}"] = value


def record(env_id, seed, steps, dtype, outside, path):
    env = make(env_id, seed)
    arrays = {}
    record_reset(env, "reset1", arrays)
    bound = 1.2 if outside else 1.0
    actions = np.random.default_rng(seed + 1).uniform(-bound, bound, (steps, env.sim.model.nu))
    actions = actions.astype(dtype)
    columns = {}
    for action in actions:
        obs, reward, done, _, info = env.step(action.copy())
        row = {"state": engine_state(env), "ctrl": np.asarray(env.last_ctrl, float), "obs": obs}
        row.update(reward=reward, done=info["done"], solved=info["solved"])
        row["model/site_pos"] = env.sim.model.ptr.site_pos.copy()
        for name in ("obs_dict", "rwd_dict", "proprio_dict"):
            for key, value in (info[name] or {}).items():
                row[f"{name}/{key}"] = np.array(value, float)
        for name, value in row.items():
            columns.setdefault(name, []).append(np.array(value, float))
    arrays.update({name: np.array(values) for name, values in columns.items()})
    record_reset(env, "reset2", arrays)
    meta = json.dumps({"env_id": env_id, "seed": seed, "steps": steps})
    np.savez_compressed(path, actions=actions, meta=meta, **arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("ids", nargs="+", help="ids, or regular expressions for them")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64")
    parser.add_argument("--outside", action="store_true", help="actions beyond the bounds, too")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as copy:
        install(pathlib.Path(copy))
        import robohive  # registers the ids
        from gymnasium.envs.registration import registry

        for pattern in args.ids:
            for env_id in sorted(name for name in registry if re.fullmatch(pattern, name)):
                path = args.folder / f"{env_id}-{args.seed}-{args.dtype}.npz"
                record(env_id, args.seed, args.steps, args.dtype, args.outside, path)
                print(path)


if __name__ == "__main__":
    main()
