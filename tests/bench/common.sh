# shellcheck shell=bash
# Sourced by the benches' scripts: the peers, the built programs, and where results go.

source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/common.sh"

readonly BENCH="${HIVEWIRE_ROOT}/tests/bench"
# shellcheck disable=SC2034 # for the scripts that source this
readonly RESULTS="${HIVEWIRE_ROOT}/docs/performance"
readonly CACHE="${XDG_CACHE_HOME:-${HOME}/.cache}/hivewire"

export PYTHONDONTWRITEBYTECODE=1

# peers [FILE]: installs the pinned peers, once for each content of peers/FILE (requirements.txt).
# Prints --peers_folder and their folder, a word a line; nothing, and NOT COMPARED to the user, where
# pip cannot fetch them. A plain folder: Debian's Python has no virtual environments without another
# package.
peers() {
  local list="${BENCH}/peers/${1:-requirements.txt}" key folder partial
  key="$({ cat "${list}"; python3 --version; } | sha256sum | cut -c1-16)"
  folder="${CACHE}/peers-${key}"
  if [[ ! -d "${folder}" ]]; then
    say "bench: installing the peers of ${list#"${HIVEWIRE_ROOT}/"} from PyPI"
    mkdir -p "${CACHE}"
    partial="$(mktemp -d "${CACHE}/partial.XXXXXX")"
    if ! python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-cache-dir \
      --only-binary=:all: --root-user-action=ignore --target "${partial}" -r "${list}" >&2; then
      rm -rf "${partial}"
      say "NOT COMPARED: pip could not fetch the peers (see above)"
      return
    fi
    mv -T "${partial}" "${folder}" 2>/dev/null || rm -rf "${partial}"
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
