"""Gymnasium's own pipeline for pixels: one Ant, stepped and drawn at 84x84 after each step."""

import sys
import time

import gymnasium
import mujoco
import player

SIZE = 84


def main():
    seconds = float(sys.argv[1])
    env = gymnasium.make("Ant-v5", render_mode="rgb_array", width=SIZE, height=SIZE)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(64)]

    def play(deadline):
        env.reset(seed=0)
        env.render()
        frames = 0
        begin = time.perf_counter()
        while time.perf_counter() - begin < deadline:
            _, _, terminated, truncated, _ = env.step(actions[frames % len(actions)])
            assert env.render().shape == (SIZE, SIZE, 3)
            frames += 1
            if terminated or truncated:
                env.reset()
        return {"lane_steps": frames, "seconds": time.perf_counter() - begin}

    play(0.1)  # an env without a renderer fails here
    player.play_turns({"Gymnasium": play}, f"MuJoCo {mujoco.__version__}", seconds)


if __name__ == "__main__":
    main()
