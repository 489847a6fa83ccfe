#!/usr/bin/env bash
# The tarballs run where they are unpacked, from an empty environment, and ask the host for nothing
# but the C library. The first one holds server and client; with the second, a learner trains,
# alone and with a collector.
#
# Usage: dist_test.sh DIST [DIST_LEARNER]

set -euo pipefail

# Not below TEST_TMPDIR: a Unix socket's path may be 107 bytes long.
work="$(mktemp -d)"
server=
collector=
cleanup() {
  local child
  for child in ${server} ${collector}; do kill -KILL "${child}" 2>/dev/null || true; done
  rm -rf "${work}"
}
trap cleanup EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}

for tarball in "$@"; do tar -xzf "${tarball}" -C "${work}"; done
cd "${work}/hivewire"

for file in bin/* lib/*; do
  while read -r library; do
    [[ -e "lib/${library}" || "${library}" =~ ^lib(c|m|dl|rt|util|pthread)\.so\.[0-9]+$ ||
      "${library}" == ld-linux-x86-64.so.2 ]] || fail "${file} needs ${library} of the host"
  done < <(readelf -d "${file}" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  newest="$(objdump -T "${file}" | grep -o 'GLIBC_2\.[0-9]*' | sort -uV | tail -1)"
  [[ "$(printf '%s\n' "${newest}" GLIBC_2.36 | sort -V | tail -1)" == GLIBC_2.36 ]] ||
    fail "${file} needs ${newest}"
done
[[ -s LICENSE && -s licenses/mujoco/LICENSE && -s licenses/libgrpc++-dev ]] || fail "no licences"

address="unix:${work}/env.sock"
env -i bin/env_server --listen="${address}" --ready_file="${work}/ready" &
server=$!
for _ in {1..600}; do
  [[ ! -e "${work}/ready" ]] || break
  kill -0 "${server}" || fail "the server ended before it was ready"
  sleep 0.1
done

env -i bin/hivectl list --server="${address}" | tee "${work}/list"
grep -q 'Ant-v5' "${work}/list" || fail "Ant-v5 is not listed"
env -i bin/hivectl rollout Hopper-v5 --server="${address}" || fail "no rollout"

if [[ -e bin/learner ]]; then
  env -i bin/learner train --server="${address}" --preset=cartpole --frames=8192 \
    --run_folder="${work}/run" || fail "the learner did not train"
  [[ -s "${work}/run/checkpoints/000000008192.safetensors" ]] || fail "no checkpoint"
  env -i bin/learner eval "${work}/run" --server="${address}" --episodes=2 || fail "no evaluation"
  env -i bin/collector --learner="unix:${work}/learner.sock" --server="${address}" &
  collector=$!
  env -i bin/learner train --server="${address}" --preset=cartpole --frames=8192 \
    --listen="unix:${work}/learner.sock" --run_folder="${work}/collected" ||
    fail "the learner did not train with a collector"
  wait "${collector}" || fail "the collector ended with status $?"
  cmp "${work}/run/evaluation.json" "${work}/collected/evaluation.json" ||
    fail "with a collector the learner learned something else"
fi

kill -TERM "${server}"
wait "${server}" || fail "the server ended with status $?"
server=
