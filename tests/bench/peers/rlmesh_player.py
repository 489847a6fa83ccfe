"""RLMesh over its gRPC on a Unix socket, in front of Gymnasium's envs."""

import multiprocessing
import pathlib
import tempfile
import time

import player

MOST_ASYNC = 64


def serve(args, kind, path, cost):
    import gymnasium
    import rlmesh

    if args.num_envs == 1:
        env = gymnasium.make(args.env)
        env.step = cost.timed(env.step)
    elif kind == "env list":
        env = [gymnasium.make(args.env) for _ in range(args.num_envs)]
    else:
        env = gymnasium.make_vec(args.env, num_envs=args.num_envs, vectorization_mode=kind)
    rlmesh.EnvServer(env, f"unix://{path}").serve()


def connect(args, path):
    from rlmesh.numpy import RemoteEnv, RemoteVectorEnv

    deadline = time.monotonic() + 120
    while True:
        try:
            return (RemoteEnv if args.num_envs == 1 else RemoteVectorEnv)(f"unix://{path}")
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def main():
    args = player.parse_arguments()
    folder = pathlib.Path(tempfile.mkdtemp())
    kinds = ["one env"] if args.num_envs == 1 else ["sync"]
    if 1 < args.num_envs <= MOST_ASYNC:
        kinds.append("async")
    servers, sides = [], {}
    for number, kind in enumerate(kinds):
        cost = player.StepCost()
        path = folder / str(number)
        # Not a daemon: AsyncVectorEnv has children of its own.
        server = multiprocessing.get_context("fork").Process(
            target=serve, args=(args, kind, path, cost)
        )
        server.start()
        servers.append((kind, path, cost, server))
    try:
        actions = player.read_actions(args)
        one = args.num_envs == 1
        for kind, path, cost, _ in servers:
            env = connect(args, path)
            step = (lambda action, env=env: env.step(action[0])) if one else env.step
            if one:
                # The client of one env does not reset by itself.
                step = resetting(env)
            sides[f"RLMesh, {kind}"] = player.lockstep(
                lambda env=env: env.reset(seed=0), step, actions, cost if one else None
            )
        import mujoco

        player.play_turns(sides, f"MuJoCo {mujoco.__version__}", args.seconds)
    finally:
        for *_, server in servers:
            server.kill()


def resetting(env):
    """A step that resets instead where an episode ended, as the vector envs do."""
    over = False

    def step(action):
        nonlocal over
        if over:
            over = False
            return env.reset()
        result = env.step(action[0])
        over = result[2] or result[3]
        return result

    return step


if __name__ == "__main__":
    main()
