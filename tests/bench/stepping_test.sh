#!/usr/bin/env bash
# The stepping bench runs every side: the bare loop gets where the pool gets, to the last bit, and
# servers answer on both carriers.
#
# Usage: stepping_test.sh STEPPING ENV_SERVER

set -euo pipefail

output="$("$1" --env_server="$2" --env=Ant-v5 --num_envs=3 --seconds=0.2 --rounds=1 --json)"
echo "${output}"
for side in 'raw", "groups": 0' 'inproc", "groups": 1' 'unix", "groups": 2' 'tcp", "groups": 2'; do
  grep -q "\"carrier\": \"${side}" <<<"${output}" || { echo "no side ${side}"; exit 1; }
done
if message="$("$1" --env_server="$2" --env=Ant-v6 2>&1)"; then
  echo "an unknown env is taken"
  exit 1
fi
grep -q 'unknown env "Ant-v6"; nearest: .*Ant-v5' <<<"${message}" || { echo "${message}"; exit 1; }
