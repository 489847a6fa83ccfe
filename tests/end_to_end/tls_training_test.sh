#!/usr/bin/env bash
# A learner trains over mutual TLS with a token; with a wrong certificate, no token or a wrong token it
# gets nothing but a clear refusal.
source tests/end_to_end/common.sh

certify() {  # certify NAME CA
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
    -keyout "${folder}/$1.key" -out "${folder}/$1.csr"
  openssl x509 -req -days 2 -in "${folder}/$1.csr" -CA "${folder}/$2.pem" -CAkey "${folder}/$2.key" -CAcreateserial \
    -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") -out "${folder}/$1.pem"
}
for ca in ca stranger; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=${ca}" \
    -keyout "${folder}/${ca}.key" -out "${folder}/${ca}.pem" 2>/dev/null
done
{ certify server ca; certify me ca; certify intruder stranger; } 2>/dev/null
echo "a long secret" >"${folder}/token"
echo "another secret" >"${folder}/wrong-token"

start_server --listen=tcp:localhost:0 --tls_cert="${folder}/server.pem" --tls_key="${folder}/server.key" \
  --tls_client_ca="${folder}/ca.pem" --token_file="${folder}/token"
address="$(cat "${folder}/ready")"

train() {  # train FLAGS...
  learner train --preset=cartpole --server="${address}" --tls_ca="${folder}/ca.pem" --output="${folder}/runs" \
    --set collection.total_frames=4096 --set evaluation.interval=0 --set evaluation.episodes=2 "$@"
}
me=(--tls_cert="${folder}/me.pem" --tls_key="${folder}/me.key")

refused "token" train "${me[@]}"
refused "token" train "${me[@]}" --token_file="${folder}/wrong-token"
refused "handshake|UNAVAILABLE|no env server|Socket closed|failed to connect" \
  train --tls_cert="${folder}/intruder.pem" --tls_key="${folder}/intruder.key" --token_file="${folder}/token"
refused "handshake|UNAVAILABLE|no env server|Socket closed|failed to connect" train --token_file="${folder}/token"
[[ -z "$(ls "${folder}/runs" 2>/dev/null)" ]] || fail "a refused run left a run folder"

train "${me[@]}" --token_file="${folder}/token" >"${folder}/train.log" 2>&1 || { cat "${folder}/train.log" >&2; fail "training"; }
run="$(echo "${folder}"/runs/*)"
[[ -d "${run}/checkpoints" ]] || fail "no checkpoint in ${run}"
echo "trained over mutual TLS"
