"""Gymnasium's own vector envs, in this process and in a process a lane."""

import gymnasium
import mujoco
import player

# A process with a Python of its own a lane: more of them do not fit a usual machine.
MOST_ASYNC = 64


def make(env, num_envs, vectorization):
    return gymnasium.make_vec(env, num_envs=num_envs, vectorization_mode=vectorization)


def main():
    args = player.parse_arguments()
    actions = player.read_actions(args)
    modes = ["sync"] + (["async"] if 1 < args.num_envs <= MOST_ASYNC else [])
    sides = {}
    for mode in modes:
        env = make(args.env, args.num_envs, mode)
        sides[f"Gymnasium {mode.capitalize()}VectorEnv"] = player.lockstep(
            lambda env=env: env.reset(seed=0), env.step, actions
        )
    player.play_turns(sides, f"MuJoCo {mujoco.__version__}", args.seconds)


if __name__ == "__main__":
    main()
