"""EnvPool in this process: synchronous, and asynchronous with several batch sizes.

Which configuration is the best depends on env and machine. Each is tried first; the two fastest
play, and what all of them reached is told.
"""

import time

import envpool
import numpy as np
import player

TRIAL_SECONDS = 0.4
TRIALS = 2
FINALISTS = 2


def engine():
    """EnvPool links its own MuJoCo and does not say which; its library holds the number."""
    import importlib.util
    import pathlib
    import re

    found = importlib.util.find_spec("envpool.mujoco.mujoco_gym_envpool")
    data = pathlib.Path(found.origin).read_bytes()
    versions = set(re.findall(rb"\x00(3\.\d{1,2}\.\d)\x00", data))
    return "MuJoCo " + (versions.pop().decode() if len(versions) == 1 else "of EnvPool")


class Pool:
    def __init__(self, args, batch_size, num_threads):
        self.num_envs, self.batch_size = args.num_envs, batch_size
        self.pool = envpool.make(
            args.env,
            env_type="gymnasium",
            num_envs=args.num_envs,
            batch_size=batch_size,
            num_threads=num_threads,
            seed=0,
        )
        # The dtype that it takes without a conversion, by its own account.
        dtype = self.pool.spec.action_space.dtype
        self.actions = player.read_actions(args).astype(dtype)

    def play(self, seconds):
        return (
            self.play_sync(seconds)
            if self.batch_size == self.num_envs
            else self.play_async(seconds)
        )

    def play_sync(self, seconds):
        return player.lockstep(self.pool.reset, self.pool.step, self.actions)(seconds)

    def play_async(self, seconds):
        """Each lane takes its own actions in order, whichever lanes come back first."""
        pool, actions = self.pool, self.actions
        pool.async_reset()
        wanted = len(actions) * self.num_envs
        step_of_lane = np.zeros(self.num_envs, dtype=np.int64)
        waiting = 0
        done = -self.num_envs  # the first results are the resets'
        begin = time.perf_counter()
        while done < wanted:
            ids = pool.recv()[4]["env_id"]
            done += len(ids)
            if time.perf_counter() - begin > seconds:
                waiting = self.num_envs - len(ids)
                break
            pool.send(actions[step_of_lane[ids] % len(actions), ids], ids)
            step_of_lane[ids] += 1
        end = time.perf_counter()
        # Empties the queue for the next turn.
        waiting = waiting or self.num_envs
        while waiting >= self.batch_size:
            waiting -= len(pool.recv()[4]["env_id"])
        return {"lane_steps": done, "seconds": end - begin}


def configurations(num_envs):
    """Names with (batch size, threads; 0 leaves them to EnvPool)."""
    import os

    cores = os.cpu_count()
    # Parts without a rest: with one, results are left over between turns, and EnvPool 1.2.5 breaks
    # down when its envs are reset then.
    batches = [num_envs // part for part in (1, 2, 4, 8) if num_envs % part == 0]
    found = {}
    for batch in batches:
        kind = "sync" if batch == num_envs else f"async, batch {batch}"
        for threads in dict.fromkeys((0, cores, cores + 1, 2 * cores)):
            if threads <= num_envs:
                label = f"{threads} threads" if threads else "threads auto"
                found[f"EnvPool {kind}, {label}"] = (batch, threads)
    return found


def main():
    args = player.parse_arguments()
    tried = {}
    for name, (batch, threads) in configurations(args.num_envs).items():
        pool = Pool(args, batch, threads)
        pool.play(TRIAL_SECONDS / 4)
        turns = [pool.play(TRIAL_SECONDS) for _ in range(TRIALS)]
        tried[name] = max(turn["lane_steps"] / turn["seconds"] for turn in turns)
        pool.pool.close()
    best = sorted(tried, key=tried.get, reverse=True)[:FINALISTS]
    pools = {name: Pool(args, *configurations(args.num_envs)[name]) for name in best}
    player.play_turns(
        {name: pool.play for name, pool in pools.items()},
        engine(),
        args.seconds,
        tried={name: round(rate) for name, rate in tried.items()},
    )


if __name__ == "__main__":
    main()
