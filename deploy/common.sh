# shellcheck shell=bash
# Sourced by the scripts of this repository: where it is, how they speak, how they time themselves.

set -euo pipefail

HIVEWIRE_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly HIVEWIRE_ROOT

# Bazel keeps its files under the home folder, also where a service starts us without one.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# seconds -> "1 min 05 s"
duration() {
  if (($1 < 60)); then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# bazel_in FOLDER COMMAND [ARGUMENT...]: Bazel in that workspace, with few words.
bazel_in() {
  local folder="$1" command="$2"
  shift 2
  (cd "${folder}" && bazel "${command}" --noshow_loading_progress \
    --show_progress_rate_limit=15 "$@" </dev/null)
}

# The same from the root.
hw_bazel() { bazel_in "${HIVEWIRE_ROOT}" "$@"; }
