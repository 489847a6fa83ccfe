#!/usr/bin/env bash
# The commands of a page do what it says: collectors in docs/migration.md, ranks in docs/training.md.
#
# Usage: documented_test.sh LEARNER COLLECTOR ENV_SERVER MIGRATION TRAINING

set -euo pipefail

folder="$(mktemp -d /tmp/hw.XXXXXX)"
server=""
trap 'kill ${server} 2>/dev/null; wait; rm -rf "${folder}"' EXIT
for program in "$1" "$2"; do ln -s "$(realpath "${program}")" "${folder}/$(basename "${program}")"; done
env_server="$(realpath "$3")" migration="$(realpath "$4")" training="$(realpath "$5")"
fail() { echo "$*"; exit 1; }

"${env_server}" --listen="unix:${folder}/env.sock" --render=false --ready_file="${folder}/ready" &
server=$!
until [[ -e "${folder}/ready" ]]; do kill -0 "${server}" || fail "no server"; sleep 0.05; done

# block PAGE HEADING: the first commands under it, their files in our folder and their port a free one.
block() {
  awk -v heading="$2" '$0 == heading {under = 1} under && /^```$/ && inside {exit}
    inside {print} under && /^```sh$/ {inside = 1}' "$1" |
    sed "s,/tmp/,${folder}/,g; s,:29400,:${port},g"
}
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"

# run NAME BLOCK: runs it in a folder of its own, within its time.
run() {
  mkdir "${folder}/$1"
  [[ -n "$2" ]] || fail "$1: no commands"
  (cd "${folder}/$1" && PATH="${folder}:${PATH}" timeout 240 bash -euc "$2"$'\n''wait' >"${folder}/$1.log" 2>&1) ||
    fail "$1: $(cat "${folder}/$1.log")"
}

run collectors "$(block "${migration}" '## AgentHive: run')"
grep -q '20,010 / 20,010 frames .*frames/s' "${folder}/collectors.log" || fail "$(cat "${folder}/collectors.log")"
tail -n 1 "${folder}"/collectors/runs/*/progress.csv | grep -q '^20010,' || fail "another number of frames"
# Three batches of random actions come before the first that is learned from.
[[ "$(sed -n '2,3p' "${folder}"/collectors/runs/*/progress.csv | cut -d, -f1 | xargs)" == '1600 2000' ]] ||
  fail "batches of another size: $(cat "${folder}"/collectors/runs/*/progress.csv)"

run ranks "$(block "${training}" '### Several learners')"
grep -q '20,000 / 20,000 frames' "${folder}/ranks.log" || fail "$(cat "${folder}/ranks.log")"
[[ "$(find "${folder}/ranks/runs" -name '*.safetensors' | wc -l)" -ge 1 ]] || fail "no checkpoint"
