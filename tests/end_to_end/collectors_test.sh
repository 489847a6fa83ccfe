#!/usr/bin/env bash
# The commands under "Collectors" in docs/training.md, as they stand there: the learner learns what it
# would have learned alone. Then over TLS, where a collector needs the learner's token.
source tests/end_to_end/common.sh

start_server --listen="unix:${folder}/env.sock"
short=(--set collection.total_frames=4096)

# Commands that follow one another by "&", each to the end of its line.
commands="$(awk '/^### Collectors$/ { here = 1 } here && /^```$/ { exit } inside { print } here && /^```sh$/ { inside = 1 }' \
  docs/training.md | sed "s|/tmp/|${folder}/|g")"
(($(wc -l <<<"${commands}") == 3)) || fail "docs/training.md has lost its collectors"
pids=()
while IFS= read -r command; do
  command="${command%&}"
  if [[ "${command}" == learner* ]]; then command+=" ${short[*]} --run_folder=${folder}/collected"; fi
  echo "+ ${command}"
  eval "${command}" >>"${folder}/log" 2>&1 &
  pids+=($!)
done <<<"${commands}"
for pid in "${pids[@]}"; do
  wait "${pid}" || { cat "${folder}/log" >&2; fail "a program ended with an error"; }
done

learner train --preset=cartpole --server="unix:${folder}/env.sock" "${short[@]}" --set evaluation.episodes=0 \
  --run_folder="${folder}/alone" >"${folder}/alone.log"
for run in collected alone; do
  learner eval "${folder}/${run}" --server="unix:${folder}/env.sock" --episodes=4 --json |
    sed "s|/${run}/|/|" >"${folder}/${run}.json"
done
cmp "${folder}/collected.json" "${folder}/alone.json" || fail "with collectors something else was learned"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext "subjectAltName=DNS:localhost" -keyout "${folder}/key" -out "${folder}/certificate" 2>/dev/null
echo "a long secret" >"${folder}/token"
learner train --preset=cartpole "${short[@]}" --set evaluation.episodes=0 --run_folder="${folder}/guarded" \
  --listen=tcp:localhost:0 --ready_file="${folder}/learner" --listen_tls_cert="${folder}/certificate" \
  --listen_tls_key="${folder}/key" --listen_token_file="${folder}/token" >"${folder}/log" 2>&1 &
servers+=($!)
for _ in $(seq 200); do [[ -e "${folder}/learner" ]] && break; sleep 0.1; done
collect=(collector "--learner=$(cat "${folder}/learner")" "--server=unix:${folder}/env.sock"
  "--learner_tls_ca=${folder}/certificate")
refused "token" "${collect[@]}"
"${collect[@]}" "--learner_token_file=${folder}/token"
wait "${servers[-1]}" || { cat "${folder}/log" >&2; fail "the learner ended with an error"; }
unset 'servers[-1]'

refused '--learner is ""; give one address' collector
refused 'collection\.mode collectors: give --listen' learner train --preset=cartpole --collect=collectors \
  --server="unix:${folder}/env.sock" --run_folder="${folder}/refused"
echo "collectors fed a learner what it would have had alone"
