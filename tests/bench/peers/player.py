"""What every peer has in common: it plays turns for compare.py (see ../player.h for the protocol).

A side is a function that steps all lanes through the recorded actions until they are used up or the
time is over, and gives the lane steps done; or a pair of that and a function that gives, for one
lane, the time that the last step itself took in the server.
"""

import argparse
import json
import mmap
import struct
import sys
import time

import numpy as np


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--env", required=True)
    parser.add_argument("--num_envs", type=int, required=True)
    parser.add_argument("--actions", required=True, help="float32, (steps, num_envs, elements)")
    parser.add_argument("--elements", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="a turn takes at most this")
    return parser.parse_args()


def read_actions(args):
    actions = np.fromfile(args.actions, dtype=np.float32)
    return actions.reshape(-1, args.num_envs, args.elements)


class StepCost:
    """Seconds that the last step took where it was computed, shared between two processes."""

    def __init__(self):
        self._memory = mmap.mmap(-1, 8)

    def put(self, seconds):
        self._memory[:] = struct.pack("d", seconds)

    def get(self):
        return struct.unpack("d", self._memory[:])[0]

    def timed(self, step):
        """`step`, timed."""

        def wrapped(*args, **kwargs):
            begin = time.perf_counter()
            result = step(*args, **kwargs)
            self.put(time.perf_counter() - begin)
            return result

        return wrapped


def median(values):
    return float(np.median(values)) if values else 0.0


def lockstep(reset, step, actions, cost=None):
    """A side whose every step waits for all lanes. With `cost` it also times round trips."""

    def play(deadline):
        reset()
        total, net = [], []
        begin = time.perf_counter()
        done = 0
        for action in actions:
            start = time.perf_counter()
            step(action)
            end = time.perf_counter()
            done += 1
            if cost is not None:
                total.append(end - start)
                net.append(end - start - cost.get())
            if end - begin > deadline:
                break
        answer = {"lane_steps": done * actions.shape[1], "seconds": end - begin}
        if cost is not None:
            answer["round_trip_us"] = 1e6 * median(total)
            answer["round_trip_net_us"] = 1e6 * median(net)
        return answer

    return play


def play_turns(sides, engines, seconds, **ready):
    """`sides`: functions of the longest time that a turn may take, by name."""
    # Libraries print; only our own lines may stand on standard output.
    out, sys.stdout = sys.stdout, sys.stderr

    def say(message):
        out.write(json.dumps(message) + "\n")
        out.flush()

    say({"sides": [{"side": side, "engine": engines} for side in sides], **ready})
    for line in sys.stdin:
        try:
            say(sides[line.strip()](seconds))
        except Exception as error:  # reported: the other sides go on
            say({"error": f"{type(error).__name__}: {error}"})
