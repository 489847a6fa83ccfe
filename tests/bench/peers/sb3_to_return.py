"""Stable-Baselines3's PPO until its training episodes reach a return: a line of JSON an update.

The hyperparameters are those of a configuration of ours, named as our fields are.
"""

import argparse
import collections
import json
import statistics
import sys
import time

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

EPISODES = 100


class Reached(BaseCallback):
    """Tells of the latest episodes after each rollout, and stops at the return."""

    def __init__(self, wanted, out):
        super().__init__()
        self.wanted, self.out, self.begin = wanted, out, time.monotonic()
        self.latest = collections.deque(maxlen=EPISODES)

    def _on_step(self):
        for info in self.locals["infos"]:
            if "episode" in info:
                self.latest.append(info["episode"]["r"])
        return not (len(self.latest) == EPISODES and statistics.mean(self.latest) >= self.wanted)

    def _on_rollout_end(self):
        self.tell()

    def tell(self):
        mean = statistics.mean(self.latest) if self.latest else None
        line = {
            "frames": self.num_timesteps,
            "seconds": time.monotonic() - self.begin,
            "mean_return": mean,
        }
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True)
    parser.add_argument("--wanted", type=float, required=True, help="mean return")
    parser.add_argument("--frames", type=int, required=True, help="at most")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--config", required=True, help="JSON")
    args = parser.parse_args()
    out, sys.stdout = sys.stdout, sys.stderr
    config = json.loads(args.config)
    torch.set_num_threads(args.threads)
    env = make_vec_env(
        args.env,
        n_envs=config["num_envs"],
        seed=config["seed"],
        env_kwargs=config["env_options"],
    )
    env = VecNormalize(env, gamma=config["gamma"])
    linear = config["learning_rate_schedule"] == "linear"
    rate = config["learning_rate"]
    model = PPO(
        "MlpPolicy",
        env,
        learning_rate=(lambda left: rate * left) if linear else rate,
        n_steps=config["rollout_steps"],
        batch_size=config["minibatch_size"],
        n_epochs=config["epochs"],
        gamma=config["gamma"],
        gae_lambda=config["gae_lambda"],
        clip_range=config["clip"],
        ent_coef=config["entropy_coefficient"],
        # Ours is of half the squared error.
        vf_coef=config["value_coefficient"] / 2,
        max_grad_norm=config["max_grad_norm"],
        policy_kwargs={"log_std_init": config["initial_log_std"]},
        device="cpu",
        seed=config["seed"],
    )
    reached = Reached(args.wanted, out)
    model.learn(args.frames, callback=reached)
    reached.tell()


if __name__ == "__main__":
    main()
