"""Prints the vectors of classic_control_test.cc from the original (pip install gymnasium==1.4.0).

numpy's own AVX-512 functions differ from the C library's in the last bit, so they are turned off.
"""

import os
import struct

os.environ["NPY_DISABLE_CPU_FEATURES"] = "X86_V4 AVX512_ICL AVX512_SPR"

import gymnasium
import numpy as np


class Trace:
    """FNV-1a (64 bit) over all that an env gave."""

    def __init__(self):
        self.hash = 0xCBF29CE484222325

    def add(self, observation, reward=0.0, terminated=False):
        data = observation.tobytes() + struct.pack("<dB", reward, terminated)
        for byte in data:
            self.hash = ((self.hash ^ byte) * 0x100000001B3) % 2**64


def balance(observation, _):
    """Keeps CartPole's pole up for whole episodes; float32 like the observation."""
    position, _, angle, velocity = observation
    return int(angle + 0.3 * velocity + 0.02 * position > 0)


def wiggle(dtype):
    """Actions that all dtypes hold exactly alike, some of them beyond the box."""
    return lambda _, step: np.array([np.float32((step * 37 % 101 - 50) / 20)], dtype=dtype)


def pump(dtype):
    """Drives the way the car rolls anyway, which takes it out of the valley."""
    if dtype is int:
        return lambda observation, _: 2 if observation[1] >= 0 else 0
    # Forces within the box and beyond it.
    return lambda observation, step: np.array(
        [(1 if observation[1] >= 0 else -1) * (0.7 + step % 5 / 8)], dtype=dtype
    )


def swing(observation, _):
    """Works along with the second link's velocity, which takes the acrobot up."""
    return 2 if observation[5] >= 0 else 0


def run(env_id, seed, policy, steps=200, reset_options=None, **options):
    env = gymnasium.make(env_id, **options).unwrapped
    trace = Trace()
    observation, _ = env.reset(seed=seed, options=reset_options)
    trace.add(observation)
    step = 0
    terminated = False
    while step < steps and not terminated:
        observation, reward, terminated, _, _ = env.step(policy(observation, step))
        trace.add(observation, float(reward), terminated)
        step += 1
    state = ", ".join(float(x).hex() for x in env.state)
    print(f"{env_id} seed {seed} {options} {reset_options}: {step} steps, {trace.hash:#x}, {state}")


for seed in (0, 42, 123456789):
    run("CartPole-v1", seed, balance, 500)
for seed in (0, 42):
    run("CartPole-v1", seed, lambda _, step: 1)
run("CartPole-v1", 42, lambda _, step: 1, sutton_barto_reward=True)
run("CartPole-v1", 123, balance, 0, {"low": -0.1, "high": 0.1})
for seed in (0, 42, 123456789):
    run("Pendulum-v1", seed, wiggle(np.float32))
run("Pendulum-v1", 42, wiggle(np.float64))
run("Pendulum-v1", 42, wiggle(np.float32), g=9.81)
run("Pendulum-v1", 123, wiggle(np.float32), 0, {"x_init": 1.5, "y_init": 0.5})
for seed in (0, 42, 123456789):
    run("MountainCar-v0", seed, pump(int))
run("MountainCar-v0", 42, pump(int), goal_velocity=0.045)
for seed in (0, 42, 123456789):
    run("MountainCarContinuous-v0", seed, pump(np.float32), 999)
run("MountainCarContinuous-v0", 42, pump(np.float64), 999)
run("MountainCarContinuous-v0", 42, pump(np.float32), 0, {"low": -1, "high": 0})
for seed in (0, 42, 123456789):
    run("Acrobot-v1", seed, swing, 500)
run("Acrobot-v1", 42, swing, 0, {"low": -3, "high": 3})
