#!/usr/bin/env bash
# From a fresh machine to a trained policy: sets up what is missing, builds, starts an env server on
# a Unix socket of its own, trains PPO on it through gRPC, draws the learning curve, evaluates and
# records a video of an episode. Ctrl-C at any time stops everything and keeps the run folder.
#
#   deploy/quickstart.sh [--run_folder=FOLDER] [flags of `learner train`, such as --env=Hopper-v5]

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

run_folder="${HIVEWIRE_ROOT}/runs/quickstart-$(date +%Y%m%d-%H%M%S)"
learner_flags=()
for argument in "$@"; do
  case "${argument}" in
    --run_folder=*) run_folder="${argument#*=}" ;;
    -h | --help)
      sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --*) learner_flags+=("${argument}") ;;
    *) die "unexpected argument ${argument}; accepted: --run_folder=FOLDER and flags of the learner" ;;
  esac
done

private_folder=
server=
child=
launched=

# A Bazel server that we started ends with us; one that was there stays.
keep_bazel=false
if grep -qsz -- "^--workspace_directory=${HIVEWIRE_ROOT}$" /proc/[0-9]*/cmdline; then
  keep_bazel=true
fi

# launch COMMAND...: starts it in a process group of its own, in ${launched}: a Ctrl-C then comes to us
# alone, and we can end all that the command has started.
launch() {
  set -m
  "$@" &
  launched=$!
  set +m
}

# finish GROUP SECONDS: asks the group to end, and kills what is left after so long.
finish() {
  local _
  kill -TERM -- "-$1" 2>/dev/null || return 0
  for ((_ = 0; _ < $2 * 10; ++_)); do
    sleep 0.1
    kill -0 -- "-$1" 2>/dev/null || return 0
  done
  kill -KILL -- "-$1" 2>/dev/null || true
}

stop() {
  [[ -z "${child}" ]] || finish "${child}" 30  # Of the learner, the last act is a checkpoint.
  [[ -z "${server}" ]] || finish "${server}" 5
  [[ -z "${private_folder}" ]] || rm -rf "${private_folder}"
  if ! "${keep_bazel}" && command -v bazel >/dev/null; then
    (cd "${HIVEWIRE_ROOT}" && bazel shutdown >/dev/null 2>&1) || true
  fi
}
trap stop EXIT

interrupted() {
  trap '' INT TERM HUP
  say ""
  say "quickstart: stopping"
  stop
  trap - EXIT
  [[ ! -e "${run_folder}" ]] || say "quickstart: what there is so far is in ${run_folder}"
  exit 130
}
trap interrupted INT TERM HUP

# attend COMMAND...: runs it to its end.
attend() {
  local status=0
  launch "$@"
  child="${launched}"
  wait "${child}" || status=$?
  child=
  return "${status}"
}

step=0
begin() {
  step=$((step + 1))
  say ""
  say "[${step}/6] $*"
}

begin "Debian packages"
attend "${HIVEWIRE_ROOT}/deploy/setup.sh"

begin "building the env server and the learner (the first time this fetches 570 MB, mostly LibTorch)"
start=${SECONDS}
attend hw_bazel build //server:env_server //policy:learner
bin="$(cd "${HIVEWIRE_ROOT}" && bazel info bazel-bin 2>/dev/null)"
say "built in $(duration $((SECONDS - start)))"

begin "starting the env server"
private_folder="$(mktemp -d)"
address="unix:${private_folder}/env.sock"
launch "${bin}/server/env_server" --listen="${address}" --ready_file="${private_folder}/ready" \
  >"${private_folder}/server.log" 2>&1
server="${launched}"
until [[ -e "${private_folder}/ready" ]]; do
  if ! kill -0 "${server}" 2>/dev/null; then
    cat "${private_folder}/server.log" >&2
    die "the env server did not start"
  fi
  sleep 0.05
done
say "process ${server} serves ${address}"

begin "training with PPO over gRPC; Ctrl-C stops it and keeps what it has learned"
attend "${bin}/policy/learner" train --preset=quickstart --server="${address}" \
  --run_folder="${run_folder}" "${learner_flags[@]}"

begin "evaluating the best policy, without noise, and recording an episode of it"
attend "${bin}/policy/learner" eval "${run_folder}" --server="${address}"
attend "${bin}/policy/learner" record "${run_folder}" --server="${address}" --max_frames=200 \
  --size=320 || say "quickstart: there is no video; everything else is as it should be"

begin "building hivectl, to look at env servers"
attend hw_bazel build //client:hivectl

say ""
say "${run_folder} has the configuration, checkpoints, TensorBoard events, curve and video."
say "Next: ${bin}/client/hivectl --help"
