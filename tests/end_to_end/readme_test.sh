#!/usr/bin/env bash
# The recipes of README.md, as they stand there. (The ones on other machines are tls_training_test's.)
source tests/end_to_end/common.sh

commands="$(awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md |
  grep -E '^(env_server|hivectl|learner) ' | grep -vE 'sim-machine|0\.0\.0\.0')"
(($(wc -l <<<"${commands}") >= 6)) || fail "README.md has lost its recipes"

diff <(awk '/^```textproto$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md) \
  <(grep -v '^#' examples/reach/reach.textproto) || fail "README.md's env is not examples/reach"

mkdir "${folder}/runs"
while IFS= read -r command; do
  run="$(find "${folder}/runs" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)"
  command="${command//\/tmp\/hw\/runs\/RUN/${run:-no-run-yet}}"
  command="${command//\/tmp\/hw/${folder}}"
  echo "+ ${command}"
  if [[ "${command}" == *"&" ]]; then
    eval "exec ${command%&}" 2>"${folder}/server.log" &
    servers+=($!)
    for _ in $(seq 200); do [[ -e "${folder}/ready" ]] && break; sleep 0.1; done
    [[ -e "${folder}/ready" ]] || fail "the server did not become ready"
  else
    eval "${command}" >"${folder}/log" 2>&1 </dev/null || { cat "${folder}/log" >&2; fail "${command}"; }
  fi
done <<<"${commands}"
[[ -s "${folder}/ant.gif" ]] || fail "no video"
echo "every recipe ran"
