#!/usr/bin/env bash
# The rollout bench runs every side, and refuses an env that there is not.
#
# Usage: rollout_test.sh ROLLOUT ENV_SERVER

set -euo pipefail

output="$("$1" --env_server="$2" --env=CartPole-v1 --num_envs=3 --length=10 --seconds=0.1 --rounds=1 --json)"
echo "${output}"
for figure in stepped_per_s inproc_per_s unix_per_s unix_to_stepped unix_to_inproc; do
  grep -Eq "\"${figure}\": [0-9.e+]*[1-9]" <<<"${output}" || { echo "no ${figure}"; exit 1; }
done
if message="$("$1" --env_server="$2" --env=CartPole-v9 2>&1)"; then
  echo "an unknown env is taken"
  exit 1
fi
grep -q 'unknown env "CartPole-v9"; nearest: .*CartPole-v1' <<<"${message}" || { echo "${message}"; exit 1; }
