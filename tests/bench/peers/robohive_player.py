"""RoboHive itself, in its Python.

  --mode state    "Python", one env; "Python, 2 processes", gymnasium's AsyncVectorEnv of two
  --mode pixels   "Python", --lanes envs in turn, each with all of its images after each step
"""

import argparse
import sys
import time

# RoboHive asks for torch where an env has images.
sys.path.append(str(__import__("pathlib").Path(__file__).parent / "robohive_torch"))

import gymnasium
import mujoco
import player

ACTIONS = 100


class WithInfo(gymnasium.Wrapper):
    """Some envs' reset gives no info, which gymnasium's vector envs ask for."""

    def reset(self, **kwargs):
        result = self.env.reset(**kwargs)
        return result if isinstance(result, tuple) else (result, {})


class WithImages(gymnasium.Wrapper):
    """After a step the env's images are made, and thrown away."""

    def step(self, action):
        result = self.env.step(action)
        assert self.env.unwrapped.get_visuals()
        return result


def make(env_id, with_images):
    import robohive  # registers its envs; in the process that runs them

    env = WithInfo(gymnasium.make(env_id))
    return WithImages(env) if with_images else env


def one_process(envs):
    env = envs[0]
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(ACTIONS)]

    def play(deadline):
        for env in envs:
            env.reset()
        steps = 0
        begin = time.perf_counter()
        while time.perf_counter() - begin < deadline:
            for env in envs:
                *_, terminated, truncated, _ = env.step(actions[steps // len(envs) % ACTIONS])
                if terminated or truncated:
                    env.reset()
                steps += 1
        return {"lane_steps": steps, "seconds": time.perf_counter() - begin}

    return play


def two_processes(env_id):
    env = gymnasium.vector.AsyncVectorEnv([lambda: make(env_id, with_images=False)] * 2)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(ACTIONS)]

    def play(deadline):
        env.reset()
        steps = 0
        begin = time.perf_counter()
        while time.perf_counter() - begin < deadline:
            env.step(actions[steps % ACTIONS])
            steps += 1
        return {"lane_steps": 2 * steps, "seconds": time.perf_counter() - begin}

    return play


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--env", required=True)
    parser.add_argument("--mode", choices=("state", "pixels"), required=True)
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--seconds", type=float, required=True, help="a turn")
    args = parser.parse_args()
    out, sys.stdout = sys.stdout, sys.stderr  # RoboHive prints
    with_images = args.mode == "pixels"
    sides = {} if with_images else {"Python, 2 processes": two_processes(args.env)}
    sides["Python"] = one_process([make(args.env, with_images) for _ in range(args.lanes)])
    sides["Python"](0.1)  # an env without a renderer fails here
    sys.stdout = out
    player.play_turns(sides, f"MuJoCo {mujoco.__version__}", args.seconds)


if __name__ == "__main__":
    main()
