#!/usr/bin/env bash
# What a tired user types: each a clear error that names what is wrong, and exit status 1.
source tests/end_to_end/common.sh

# env_server
refused "not unix:/path or tcp:host:port" env_server --listen=somewhere
refused "absolute path" env_server --listen=unix:relative.sock
refused "port of 0" env_server --listen=tcp:localhost:99999
refused "--insecure" env_server --listen=tcp:0.0.0.0:0
refused "absent.pem" env_server --listen=tcp:localhost:0 --tls_cert="${folder}/absent.pem" --tls_key="${folder}/absent.pem"
refused "--ready_file" env_server --listen="unix:${folder}/a.sock" --ready_file="${folder}/no/such/folder/ready"
refused "--num_workers" env_server --num_workers=-1
refused "what is \"serve\"" env_server serve
refused "no/such/root" env_server --asset_root="${folder}/no/such/root"
mkdir "${folder}/assets"
printf 'envs {\n  id: "Mine-v0"\n  composed { modell: "x.xml" }\n}\n' >"${folder}/assets/mine.textproto"
refused "mine.textproto:3.*modell" env_server --asset_root="${folder}/assets"

start_server --listen="unix:${folder}/env.sock"
server="unix:${folder}/env.sock"
refused "address in use" env_server --listen="${server}"

# hivectl
refused "no env server" hivectl list --server="unix:${folder}/nobody.sock" --connect_timeout=200ms
refused "unix:/path and tcp:host:port" hivectl list --server=nowhere
refused "nearest: .*Hopper-v5" hivectl describe Hoper-v5 --server="${server}"
refused "reset_noise_scale" hivectl rollout Hopper-v5 --server="${server}" --steps=5 --option reset_noise_scal=1
refused "reset_noise_scale" hivectl rollout Hopper-v5 --server="${server}" --steps=5 --option reset_noise_scale=big
refused "record" hivectl recrod Hopper-v5 --server="${server}"

# learner
quick=(--set collection.total_frames=512 --set evaluation.episodes=0 --output="${folder}/runs")
refused "no env server" learner train --preset=cartpole --server="unix:${folder}/nobody.sock" "${quick[@]}"
refused "CartPole-v1" learner train --preset=cartpole --server="${server}" --env=CartPol-v1 "${quick[@]}"
refused "cartpole" learner train --preset=cartpol --server="${server}" "${quick[@]}"
refused "learning_rate" learner train --preset=cartpole --server="${server}" "${quick[@]}" --set ppo.learning_rat=1
refused "learning_rate" learner train --preset=cartpole --server="${server}" "${quick[@]}" --set ppo.learning_rate=fast
refused "absent.textproto" learner train --config="${folder}/absent.textproto" --server="${server}" "${quick[@]}"
refused "no-run" learner eval "${folder}/no-run" --server="${server}"
printf 'ppo { learning_rate: }\n' >"${folder}/bad.textproto"
refused "bad.textproto" learner train --config="${folder}/bad.textproto" --server="${server}" "${quick[@]}"

# A disk that is full: one line says so, and no part of a file is left.
tiny() {  # tiny COMMAND...: in a mount namespace where ${folder}/tiny holds 24 KB
  # shellcheck disable=SC2016
  unshare -rm bash -c 'mount -t tmpfs -o size=24k none "$0/tiny" && shift 0 && "$@"; status=$?
    find "$0/tiny" -type f -name "image*" | grep -q . && echo "a partial file is left" >&2
    exit "${status}"' "${folder}" "$@"
}
mkdir "${folder}/tiny"
if tiny true 2>/dev/null; then
  refused "No space left" tiny hivectl render Hopper-v5 --server="${server}" --width=480 --height=480 \
    --output="${folder}/tiny/image.png"
  if grep -q "a partial file" "${folder}/err"; then fail "a partial image was left"; fi
  refused "No space left" tiny learner train --preset=cartpole --server="${server}" \
    --set collection.total_frames=4096 --set evaluation.episodes=0 --output="${folder}/tiny/runs"
else
  echo "SKIPPED the full disk: this machine allows no mounts (unshare -rm)" >&2
fi
echo "every mistake was named"
