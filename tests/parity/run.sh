#!/usr/bin/env bash
# Runs the originals (gymnasium, from PyPI) and our suites on the same seeds and actions, and
# compares them. The last line is "parity: N passed, M failed", counted in cases; the exit status is
# 0 only if some were compared and all were equal.

source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/common.sh"

readonly HERE="${HIVEWIRE_ROOT}/tests/parity"
readonly CACHE="${XDG_CACHE_HOME:-${HOME}/.cache}/hivewire"

# Installs the pinned originals, once for each content of requirements.txt. Prints their folder.
# A plain folder: Debian's Python has no virtual environments without another package.
originals() {
  local key folder partial
  key="$({ cat "${HERE}/requirements.txt"; python3 --version; } | sha256sum | cut -c1-16)"
  folder="${CACHE}/parity-${key}"
  if [[ ! -d "${folder}" ]]; then
    say "parity: installing gymnasium and mujoco from PyPI"
    mkdir -p "${CACHE}"
    partial="$(mktemp -d "${CACHE}/partial.XXXXXX")"
    python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
      --root-user-action=ignore --target "${partial}" -r "${HERE}/requirements.txt" >&2 ||
      die "pip failed (see above)"
    mv -T "${partial}" "${folder}" 2>/dev/null || rm -rf "${partial}"
  fi
  echo "${folder}"
}

packages="$(originals)"
work="$(mktemp -d)"
trap 'rm -rf "${work}"' EXIT

say "parity: recording the originals"
(
  cd "${work}" # where the engine leaves notes on old models
  PYTHONPATH="${packages}" PYTHONDONTWRITEBYTECODE=1 \
    python3 "${HERE}/generate.py" trajectories >log 2>&1
) || { cat "${work}/log" >&2; die "generate.py failed (see above)"; }
hw_bazel build --show_result=0 //tests/parity:replay
"$(hw_bazel info bazel-bin 2>/dev/null)/tests/parity/replay" "${work}"/trajectories/*
