#!/usr/bin/env bash
# Runs the originals (gymnasium, from PyPI) and our suites on the same seeds and actions, and
# compares them. The last line is "parity: N passed, M failed", counted in recordings; the exit status
# is 0 only if some were compared and all were equal.

source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/common.sh"

readonly HERE="${HIVEWIRE_ROOT}/tests/parity"
readonly CACHE="${XDG_CACHE_HOME:-${HOME}/.cache}/hivewire"

# Installs the pinned originals, once for each content of requirements.txt. Prints their folder.
originals() {
  local key folder partial
  key="$({ cat "${HERE}/requirements.txt"; python3 --version; } | sha256sum | cut -c1-16)"
  folder="${CACHE}/parity-${key}"
  if [[ ! -d "${folder}" ]]; then
    say "parity: installing gymnasium and mujoco from PyPI"
    mkdir -p "${CACHE}"
    partial="$(mktemp -d "${CACHE}/partial.XXXXXX")"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
      --target "${partial}" -r "${HERE}/requirements.txt" >&2 || die "pip failed (see above)"
    mv -T "${partial}" "${folder}" 2>/dev/null || rm -rf "${partial}"
  fi
  echo "${folder}"
}

packages="$(originals)"
recordings="$(mktemp -d)"
trap 'rm -rf "${recordings}"' EXIT

say "parity: recording the originals"
# What it prints are notes of the engine on old models.
PYTHONPATH="${packages}" PYTHONDONTWRITEBYTECODE=1 \
  python3 "${HERE}/reference.py" "${recordings}" 2>"${recordings}/log" >&2 ||
  { cat "${recordings}/log" >&2; die "reference.py failed (see above)"; }
hw_bazel run //tests/parity:replay -- "${recordings}"
