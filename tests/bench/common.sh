# shellcheck shell=bash
# Sourced by the benches' scripts: the peers, the built programs, and where results go.

source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/common.sh"
source "${HIVEWIRE_ROOT}/tests/python_packages.sh"

readonly BENCH="${HIVEWIRE_ROOT}/tests/bench"
# shellcheck disable=SC2034 # for the scripts that source this
readonly RESULTS="${HIVEWIRE_ROOT}/docs/performance"

export PYTHONDONTWRITEBYTECODE=1

# peers [FILE]: installs the pinned peers of peers/FILE (requirements.txt). Prints --peers_folder and
# their folder, a word a line; nothing, and NOT COMPARED to the user, where pip cannot fetch them.
peers() {
  local folder
  if ! folder="$(python_packages peers "${BENCH}/peers/${1:-requirements.txt}")"; then
    say "NOT COMPARED: pip could not fetch the peers (see above)"
    return
  fi
  printf '%s\n' --peers_folder "${folder}"
}

# built TARGET...: builds them, and prints --bin and --env_server with their values, a word a line.
built() {
  hw_bazel build --show_result=0 "$@" //server:env_server >&2 || die "the build failed (see above)"
  local bin
  bin="$(hw_bazel info bazel-bin 2>/dev/null)"
  printf '%s\n' --bin "${bin}/tests/bench" --env_server "${bin}/server/env_server"
}

# Engines leave notes on old models where they run.
work="$(mktemp -d)"
trap 'rm -rf "${work}"' EXIT
cd "${work}" || exit
