"""A learner of others as a side of learner.py: a turn collects one update's steps and learns from
them, with the same hyperparameters and as many threads as ours."""

import argparse
import sys
import time

import numpy as np
import player
import torch
from torch import nn

GAMMA, LAMBDA, CLIP, VALUE_COEFFICIENT, MAX_NORM = 0.99, 0.95, 0.2, 0.5, 0.5
LEARNING_RATE, EPSILON = 3e-4, 1e-5
HIDDEN = 64
TRIAL_TURNS = 2


class StableBaselines3:
    """PPO of Stable-Baselines3, or RecurrentPPO of sb3-contrib, on one of its vector envs."""

    def __init__(self, args, vec_env):
        import stable_baselines3 as sb3
        from stable_baselines3.common.env_util import make_vec_env
        from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
        from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

        class Dense(BaseFeaturesExtractor):
            """The layer before the recurrent one, as our recurrent models have it."""

            def __init__(self, space):
                super().__init__(space, HIDDEN)
                self.layer = nn.Sequential(nn.Linear(space.shape[0], HIDDEN), nn.Tanh())

            def forward(self, observations):
                return self.layer(observations)

        kinds = {"DummyVecEnv": DummyVecEnv, "SubprocVecEnv": SubprocVecEnv}
        self.env = make_vec_env(args.env, n_envs=args.num_envs, seed=0, vec_env_cls=kinds[vec_env])
        self.steps = args.num_envs * args.steps
        options = {
            "n_steps": args.steps,
            "batch_size": args.minibatch,
            "n_epochs": args.epochs,
            "gamma": GAMMA,
            "gae_lambda": LAMBDA,
            "clip_range": CLIP,
            "vf_coef": VALUE_COEFFICIENT,
            "max_grad_norm": MAX_NORM,
            "learning_rate": LEARNING_RATE,
            "device": "cpu",
            "seed": 0,
        }
        if args.learner == "recurrent":
            import sb3_contrib

            self.model = sb3_contrib.RecurrentPPO(
                "MlpLstmPolicy",
                self.env,
                policy_kwargs={
                    "features_extractor_class": Dense,
                    "share_features_extractor": False,
                    "lstm_hidden_size": HIDDEN,
                    "net_arch": [],
                },
                **options,
            )
        else:
            self.model = sb3.PPO("MlpPolicy", self.env, **options)

    def play(self, _):
        begin = time.perf_counter()
        self.model.learn(self.steps, reset_num_timesteps=False)
        return {"lane_steps": self.steps, "seconds": time.perf_counter() - begin}

    def close(self):
        self.env.close()


def dense(inputs, outputs, gain):
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def network(inputs, outputs, gain):
    root2 = 2**0.5
    return nn.Sequential(
        dense(inputs, HIDDEN, root2),
        nn.Tanh(),
        dense(HIDDEN, HIDDEN, root2),
        nn.Tanh(),
        dense(HIDDEN, outputs, gain),
    )


class PlainTorch:
    """One file's worth of PPO, as scripts for it are written: tensors for the whole rollout, a loop
    over the steps, a loop over minibatches."""

    def __init__(self, args):
        import envpool

        self.args = args
        self.env = envpool.make(
            args.env,
            env_type="gymnasium",
            num_envs=args.num_envs,
            num_threads=args.threads,
            seed=0,
        )
        observation = self.env.observation_space.shape[0]
        action = self.env.action_space.shape[0]
        self.low, self.high = self.env.action_space.low, self.env.action_space.high
        self.actor = network(observation, action, 0.01)
        self.critic = network(observation, 1, 1.0)
        self.log_std = nn.Parameter(torch.zeros(action))
        self.parameters = [*self.actor.parameters(), *self.critic.parameters(), self.log_std]
        self.optimizer = torch.optim.Adam(self.parameters, lr=LEARNING_RATE, eps=EPSILON)
        shape = (args.steps, args.num_envs)
        self.observations = torch.zeros(*shape, observation)
        self.actions = torch.zeros(*shape, action)
        self.log_probs, self.rewards, self.ends, self.values = torch.zeros(4, *shape)
        self.now = torch.as_tensor(self.env.reset()[0], dtype=torch.float32)
        self.ended = torch.zeros(args.num_envs)

    def distribution(self, observations):
        return torch.distributions.Normal(self.actor(observations), self.log_std.exp())

    def play(self, _):
        begin = time.perf_counter()
        self.collect()
        collected = time.perf_counter()
        self.update()
        end = time.perf_counter()
        return {
            "lane_steps": self.args.steps * self.args.num_envs,
            "seconds": end - begin,
            "update_seconds": end - collected,
        }

    @torch.no_grad()
    def collect(self):
        for t in range(self.args.steps):
            distribution = self.distribution(self.now)
            action = distribution.sample()
            self.observations[t], self.actions[t], self.ends[t] = self.now, action, self.ended
            self.log_probs[t] = distribution.log_prob(action).sum(-1)
            self.values[t] = self.critic(self.now).squeeze(-1)
            clipped = np.clip(action.numpy(), self.low, self.high).astype(np.float64)
            observation, reward, terminated, truncated, _ = self.env.step(clipped)
            self.now = torch.as_tensor(observation, dtype=torch.float32)
            self.rewards[t] = torch.as_tensor(reward)
            self.ended = torch.as_tensor(np.logical_or(terminated, truncated), dtype=torch.float32)

    @torch.no_grad()
    def advantages(self):
        advantages = torch.zeros_like(self.rewards)
        last, value, ended = 0, self.critic(self.now).squeeze(-1), self.ended
        for t in reversed(range(self.args.steps)):
            alive = 1 - ended
            delta = self.rewards[t] + GAMMA * value * alive - self.values[t]
            advantages[t] = last = delta + GAMMA * LAMBDA * alive * last
            value, ended = self.values[t], self.ends[t]
        return advantages

    def update(self):
        advantages = self.advantages()
        flat = lambda x: x.reshape(-1, *x.shape[2:])
        observations, actions, old = map(flat, (self.observations, self.actions, self.log_probs))
        returns, advantages = flat(advantages + self.values), flat(advantages)
        for _ in range(self.args.epochs):
            for rows in torch.randperm(len(old)).split(self.args.minibatch):
                distribution = self.distribution(observations[rows])
                ratio = (distribution.log_prob(actions[rows]).sum(-1) - old[rows]).exp()
                gain = advantages[rows]
                gain = (gain - gain.mean()) / (gain.std() + 1e-8)
                policy_loss = -torch.min(gain * ratio, gain * ratio.clamp(1 - CLIP, 1 + CLIP)).mean()
                value_loss = (self.critic(observations[rows]).squeeze(-1) - returns[rows]).pow(2).mean()
                self.optimizer.zero_grad()
                (policy_loss + VALUE_COEFFICIENT * value_loss).backward()
                nn.utils.clip_grad_norm_(self.parameters, MAX_NORM)
                self.optimizer.step()

    def close(self):
        self.env.close()


def quickest(candidates):
    """The name and learner of the fastest of `candidates`, functions by name, and what each did."""
    tried, best = {}, None
    for name, make in candidates.items():
        learner = make()
        learner.play(None)
        turns = [learner.play(None) for _ in range(TRIAL_TURNS)]
        tried[name] = max(turn["lane_steps"] / turn["seconds"] for turn in turns)
        if best is None or tried[name] > tried[best[0]]:
            if best is not None:
                best[1].close()
            best = (name, learner)
        else:
            learner.close()
    return *best, tried


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learner", choices=["sb3", "recurrent", "torch"], required=True)
    parser.add_argument("--env", required=True)
    for name in ("num_envs", "steps", "minibatch", "epochs", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.learner == "torch":
        name, learner, tried = "plain PyTorch on EnvPool", PlainTorch(args), {}
        engine = "EnvPool"
    else:
        label = "Stable-Baselines3" if args.learner == "sb3" else "sb3-contrib RecurrentPPO"
        kinds = ("DummyVecEnv", "SubprocVecEnv")
        name, learner, tried = quickest(
            {
                f"{label}, {kind}": lambda kind=kind: StableBaselines3(args, kind)
                for kind in kinds
            }
        )
        engine = "Gymnasium"
    player.play_turns({name: learner.play}, engine, 0, tried=tried, torch=torch.__version__)
    learner.close()


if __name__ == "__main__":
    sys.exit(main())
