"""Where one second of remote stepping goes: the CPU time of server and client, and the server's
heap allocations and copies, for each batch. Prints tables and writes JSON.

CPU time is sampled by Linux perf. Allocations and copies are counted in a second run of the server
with memory_recorder.cc preloaded."""

import argparse
import bisect
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from compare import Player, machine

SIDE = "unix 2"
SAMPLES_PER_SECOND = 1999
WORKER = "env-worker"
# Parts in the order in which they are asked: (name, does it hold for a sample?). A sample has the
# thread's name and its frames, innermost first, each (symbol, file).
COPY = re.compile(r"^_?_?(mem(cpy|move|set)|.*copy_(to|from)_|copy_user|rep_movs|clear_page)")
WAKE_UP = re.compile(
    r"futex|schedule|wake_up|try_to_wake|pthread_(cond|mutex)|eventfd|nanosleep|epoll_wait"
    r"|finish_task"
)
GRPC = re.compile(r"grpc|google::protobuf|absl::|hivewire::v1::")
SOCKET = re.compile(r"sock_|unix_|skb|sendmsg|recvmsg|tcp_|sys_poll|epoll")


def part_of(sample):
    thread, frames = sample
    symbols = [symbol for symbol, _ in frames]
    files = [file for _, file in frames]
    ours = next(
        (symbol for symbol in symbols if "hivewire::" in symbol and "hivewire::v1" not in symbol),
        "",
    )
    if any("libmujoco" in file for file in files[:3]) or (
        thread == WORKER and files and "libm.so" in files[0]
    ):
        return "engine"
    if any(WAKE_UP.search(symbol) for symbol in symbols[:6]):
        return "wake-ups"
    if thread == WORKER and not ours:
        return "engine"  # which keeps no frame pointers: the C library's functions that it called
    if symbols and COPY.search(symbols[0]):
        return "copies"
    if any(SOCKET.search(symbol) for symbol in symbols[:8]):
        return "sockets"
    if thread == WORKER:
        return "pool" if re.search(r"Pool|Workers|Lane::", ours) else "task"
    inner = next(
        (symbol for symbol in symbols if GRPC.search(symbol) or "hivewire::" in symbol), ""
    )
    return "gRPC" if not ours or GRPC.search(inner) else "session and client code"


def perf_samples(pid, seconds, folder):
    """Samples of a process, as part_of takes them."""
    data = folder / f"perf.{pid}"
    return data, subprocess.Popen(
        [
            "perf",
            "record",
            "-q",
            "-F",
            str(SAMPLES_PER_SECOND),
            "-e",
            "cpu-clock",
            "-g",
            "-o",
            data,
            "-p",
            str(pid),
            "--",
            "sleep",
            str(seconds),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def read_samples(data):
    text = subprocess.run(
        ["perf", "script", "-i", data, "-F", "comm,ip,sym,dso", "--demangle"],
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
    ).stdout
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.strip()]
        if not lines:
            continue
        frames = []
        for line in lines[1:]:
            match = re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line)
            if match:
                frames.append((match.group(1), match.group(2)))
        yield lines[0].strip(), frames


def child_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


class Stepping:
    """Our player, stepping over a Unix socket with two groups in flight."""

    def __init__(self, options, seconds, folder, environment=None):
        self.groups_lanes = options.num_envs // 2
        self.player = Player(
            [
                options.bin / "hivewire_player",
                f"--env={options.env}",
                f"--num_envs={options.num_envs}",
                f"--seconds={seconds}",
                f"--folder={folder}",
                f"--env_server={options.env_server}",
            ],
            environment,
        )
        self.player.ready()
        self.client = self.player.process.pid
        self.server = child_of(self.client)

    def during(self, what):
        """Calls `what` while a turn is played, and gives its result with the batches a second."""
        self.player.process.stdin.write(SIDE + "\n")
        self.player.process.stdin.flush()
        time.sleep(0.5)
        result = what()
        turn = json.loads(self.player.process.stdout.readline())
        return result, turn["lane_steps"] / turn["seconds"] / self.groups_lanes

    def close(self):
        self.player.close()


def cpu_profile(options, folder):
    stepping = Stepping(options, options.seconds + 2, folder)

    def record():
        recorders = [
            perf_samples(pid, options.seconds, folder) for pid in (stepping.server, stepping.client)
        ]
        for _, process in recorders:
            process.wait()
        return [data for data, _ in recorders]

    try:
        data, batches = stepping.during(record)
    finally:
        stepping.close()
    parts = collections.defaultdict(lambda: [0.0, 0.0])
    for who, file in enumerate(data):
        for sample in read_samples(file):
            parts[part_of(sample)][who] += 1e6 / SAMPLES_PER_SECOND / (batches * options.seconds)
    return batches, [
        {"part": part, "server_us": server, "client_us": client}
        for part, (server, client) in sorted(parts.items(), key=lambda item: -sum(item[1]))
    ]


class Symbols:
    """Names of a process's addresses."""

    def __init__(self, pid):
        self.maps, self.tables = [], {}
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            fields = line.split()
            if len(fields) >= 6 and fields[5].startswith("/"):
                begin, end = (int(x, 16) for x in fields[0].split("-"))
                self.maps.append((begin, end, int(fields[2], 16), fields[5]))

    def table(self, file):
        if file not in self.tables:
            found = []
            for dynamic in ([], ["-D"]):
                output = subprocess.run(
                    ["nm", "-C", "--defined-only", *dynamic, file],
                    capture_output=True,
                    text=True,
                    errors="replace",
                ).stdout
                for line in output.splitlines():
                    match = re.match(r"([0-9a-f]+) [tTwWiuV] (.*)", line)
                    if match:
                        found.append((int(match.group(1), 16), match.group(2)))
            # Where the file's code lies: its program headers tell offset from address.
            headers = subprocess.run(
                ["readelf", "-lW", file], capture_output=True, text=True
            ).stdout
            loads = [
                tuple(int(x, 16) for x in line.split()[1:6:1][:2]) + (int(line.split()[4], 16),)
                for line in headers.splitlines()
                if line.strip().startswith("LOAD")
            ]
            self.tables[file] = (sorted(found), loads)
        return self.tables[file]

    def name(self, address):
        for begin, end, offset, file in self.maps:
            if begin <= address < end:
                symbols, loads = self.table(file)
                in_file = address - begin + offset
                for load_offset, virtual, size in loads:
                    if load_offset <= in_file < load_offset + size:
                        at = in_file - load_offset + virtual
                        k = bisect.bisect(symbols, (at, "\uffff")) - 1
                        return symbols[k][1] if k >= 0 else file
                return file
        return "?"


def owner_of(names):
    """Who asked: "gRPC and protobuf" for their threads and for what they do in our calls, else
    "Hivewire"; by the innermost function that is anybody's, whatever types it takes."""
    for name in names:
        function = name.replace("(anonymous namespace)::", "").split("(")[0]
        if function.startswith("hivewire::v1::"):
            return "gRPC and protobuf"  # generated code
        if function.startswith("hivewire::"):
            return "Hivewire"
        if re.search(r"grpc|google::protobuf::", function):
            return "gRPC and protobuf"
        if re.match(r"mj[_u]?_", function):
            return "engine"
    return "gRPC and protobuf"


def memory_profile(options, folder):
    record = folder / "memory"
    environment = {
        **os.environ,
        "LD_PRELOAD": str(options.bin / "libmemory_recorder.so"),
        "HIVEWIRE_MEMORY_RECORD": str(record),
    }
    stepping = Stepping(options, options.seconds, folder, environment)

    try:
        stepping.player.play(SIDE)  # what only the first steps allocate is behind us then
        symbols = Symbols(stepping.server)
        os.kill(stepping.server, signal.SIGUSR1)
        turn = stepping.player.play(SIDE)
        os.kill(stepping.server, signal.SIGUSR1)
        batches = turn["lane_steps"] / stepping.groups_lanes
        deadline = time.monotonic() + 30
        while not (record.exists() and record.read_text().endswith("end\n")):
            if time.monotonic() > deadline:
                raise RuntimeError("the server's memory was not recorded")
            time.sleep(0.05)
        totals, places = collections.Counter(), collections.Counter()
        for line in record.read_text().splitlines()[:-1]:
            kind, times, size, *addresses = line.split()
            names = [symbols.name(int(address, 16)) for address in addresses]
            owner = owner_of(names)
            totals[owner, kind, "count"] += int(times) / batches
            totals[owner, kind, "bytes"] += int(size) / batches
            if owner == "Hivewire":
                ours = next(name for name in names if name.startswith("hivewire::"))
                ours = ours.replace("(anonymous namespace)::", "")
                places[kind, ours.split("(")[0]] += int(times) / batches
    finally:
        stepping.close()
    owners = sorted({owner for owner, _, _ in totals})
    return [
        {
            "who": owner,
            "allocations": totals[owner, "allocation", "count"],
            "allocated_bytes": totals[owner, "allocation", "bytes"],
            "copies": totals[owner, "copy", "count"],
            "copied_bytes": totals[owner, "copy", "bytes"],
        }
        for owner in owners
    ], [
        {"kind": kind, "where": where, "a_batch": times}
        for (kind, where), times in places.most_common(24)
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--bin", type=pathlib.Path, required=True, help="folder of the built programs"
    )
    parser.add_argument("--env_server", type=pathlib.Path, required=True)
    parser.add_argument("--env", default="Ant-v5")
    parser.add_argument("--num_envs", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--json", type=pathlib.Path, required=True, help="the file to write")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hivewire-profile-"))
    results = {
        **machine("tests/bench/profile.sh"),
        "env": options.env,
        "lanes": options.num_envs,
        "batch_lanes": options.num_envs // 2,
    }
    try:
        if shutil.which("perf"):
            batches, results["cpu"] = cpu_profile(options, folder)
            results["batches_per_s"] = batches
            print(
                f"{options.env}, {options.num_envs} lanes in two groups: {batches:.0f} batches/s;"
                " CPU us a batch:"
            )
            for row in results["cpu"]:
                print(
                    f"  {row['part']:<24} server {row['server_us']:8.1f}   client"
                    f" {row['client_us']:8.1f}"
                )
        else:
            print("NOT PROFILED: CPU time; there is no perf (Debian: linux-perf)", file=sys.stderr)
        results["memory"], results["places"] = memory_profile(options, folder)
        print("the server's memory, a batch (copies of 128 bytes and more):")
        for row in results["memory"]:
            print(
                f"  {row['who']:<18} {row['allocations']:7.2f} allocations of"
                f" {row['allocated_bytes']:9.0f} bytes, {row['copies']:7.2f} copies of"
                f" {row['copied_bytes']:9.0f} bytes"
            )
        for place in results["places"]:
            print(f"    {place['a_batch']:7.2f} {place['kind']} by {place['where']}")
        ours = next(
            (row for row in results["memory"] if row["who"] == "Hivewire"), {"allocations": 0}
        )
        results["allocations_per_step"] = round(ours["allocations"] / results["batch_lanes"], 4)
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
