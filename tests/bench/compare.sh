#!/usr/bin/env bash
# Measures stepping beside EnvPool, Gymnasium's vector envs, RLMesh and dm_env_rpc, interleaved in
# one run on this machine, and prints tables.
#
#   tests/bench/compare.sh               four envs, 1, 64 and 256 lanes: 40 minutes; writes
#                                        docs/performance/stepping.json, docs/img/stepping.svg and
#                                        docs/performance.md
#   tests/bench/compare.sh --quick       one small cell in seconds; writes nothing of these
#   tests/bench/compare.sh ARGUMENT...   and whatever else compare.py takes (--envs, --lanes, …)
#
# The peers come from PyPI, pinned. Where they cannot be had it says NOT COMPARED and measures our
# own sides.

source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/common.sh"

readonly HERE="${HIVEWIRE_ROOT}/tests/bench"
readonly CACHE="${XDG_CACHE_HOME:-${HOME}/.cache}/hivewire"
readonly RESULTS="${HIVEWIRE_ROOT}/docs/performance"

# Installs the pinned peers, once for each content of requirements.txt. Prints their folder. A plain
# folder: Debian's Python has no virtual environments without another package.
peers() {
  local key folder partial
  key="$({ cat "${HERE}/peers/requirements.txt"; python3 --version; } | sha256sum | cut -c1-16)"
  folder="${CACHE}/peers-${key}"
  if [[ ! -d "${folder}" ]]; then
    say "compare: installing EnvPool, Gymnasium, RLMesh and dm_env_rpc from PyPI"
    mkdir -p "${CACHE}"
    partial="$(mktemp -d "${CACHE}/partial.XXXXXX")"
    if ! python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
      --root-user-action=ignore --target "${partial}" -r "${HERE}/peers/requirements.txt" >&2; then
      rm -rf "${partial}"
      return 1
    fi
    mv -T "${partial}" "${folder}" 2>/dev/null || rm -rf "${partial}"
  fi
  echo "${folder}"
}

arguments=("$@")
if folder="$(peers)"; then
  arguments+=(--peers_folder "${folder}")
else
  say "NOT COMPARED: pip could not fetch the peers (see above)"
fi
quick=false
for argument in "$@"; do [[ "${argument}" != --quick ]] || quick=true; done
hw_bazel build --show_result=0 //tests/bench:players //server:env_server
bin="$(hw_bazel info bazel-bin 2>/dev/null)"
work="$(mktemp -d)"
trap 'rm -rf "${work}"' EXIT
cd "${work}" || exit # where engines leave notes on old models
export PYTHONDONTWRITEBYTECODE=1
if "${quick}"; then json="${work}/stepping.json"; else json="${RESULTS}/stepping.json"; fi
python3 "${HERE}/compare.py" --bin "${bin}/tests/bench" --env_server "${bin}/server/env_server" \
  --json "${json}" "${arguments[@]}"
"${quick}" || python3 "${HERE}/report.py"
