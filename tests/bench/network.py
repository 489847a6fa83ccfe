"""Runs network_bench and keeps what it prints as JSON; arguments that it does not know are
network_bench's."""

import argparse
import json
import pathlib
import subprocess

from compare import machine


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--bin", type=pathlib.Path, required=True, help="folder of the built programs"
    )
    parser.add_argument("--env_server", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True, help="the file to write")
    options, rest = parser.parse_known_args()
    here = machine("tests/bench/network.sh")
    rows = []
    with subprocess.Popen(
        [options.bin / "network_bench", f"--env_server={options.env_server}", "--json", *rest],
        stdout=subprocess.PIPE,
        text=True,
    ) as bench:
        for line in bench.stdout:
            rows.append(json.loads(line))
            print(
                "{env:<15} {round_trip_ms:6.1f} ms  {mode:<28} {lanes:5d} lanes "
                "{lane_steps_per_s:10,.0f} steps/s".format(**rows[-1]),
                flush=True,
            )
    if bench.returncode:
        raise SystemExit("network_bench failed (see above)")
    results = {**here, "rows": rows}
    options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
