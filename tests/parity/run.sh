#!/usr/bin/env bash
# Runs the originals (gymnasium, from PyPI) and our suites on the same seeds and actions, and
# compares them: trajectories, then images. The last line is "parity: N passed, M failed", counted in
# cases; the exit status is 0 only if some were compared and all were equal.

source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/common.sh"
source "${HIVEWIRE_ROOT}/tests/python_packages.sh"

readonly HERE="${HIVEWIRE_ROOT}/tests/parity"
# original PROGRAM.py ARGUMENT...: runs a program of this folder beside the originals.
original() (
  cd "${work}" || exit # where the engine leaves notes on old models
  PYTHONPATH="${packages}" PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore \
    python3 "${HERE}/$1" "${@:2}" >log 2>&1
)

# What our images of RoboHive are beside MuJoCo's own.
robohive_images() (
  cd "${work}" || exit
  PYTHONPATH="${packages}" PYTHONDONTWRITEBYTECODE=1 python3 "${HERE}/robohive_images.py" "$1"
)

# compare COMMAND...: shows its table and adds up the counts in its last line.
compare() {
  local output
  output="$("$@")" || true
  echo "${output}"
  [[ "${output##*$'\n'}" =~ :\ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || die "$1 failed (see above)"
  passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
}

passed=0 failed=0
packages="$(python_packages parity "${HERE}/requirements.txt")" || die "pip failed (see above)"
work="$(mktemp -d)"
trap 'rm -rf "${work}"' EXIT
hw_bazel build --show_result=0 //tests/parity:{replay,compare_images,record_images}
bin="$(hw_bazel info bazel-bin 2>/dev/null)"

say "parity: recording the originals"
original generate.py trajectories || { cat "${work}/log" >&2; die "generate.py failed (see above)"; }
compare "${bin}/tests/parity/replay" "${work}"/trajectories/*

drawn=false
for MUJOCO_GL in egl osmesa; do
  export MUJOCO_GL
  say "parity: drawing with ${MUJOCO_GL}"
  original images.py images && { drawn=true; break; }
done
if "${drawn}"; then
  compare "${bin}/tests/parity/compare_images" "${work}"/images/*
  mkdir "${work}/robohive"
  status=0
  (cd "${HIVEWIRE_ROOT}" && "${bin}/tests/parity/record_images" "${work}/robohive") || status=$?
  case "${status}" in
    0) compare robohive_images "${work}/robohive" ;;
    3) say "NOT COMPARED, no SimHive (deploy/fetch_simhive.sh): images of RoboHive" ;;
    *) die "record_images failed (see above)" ;;
  esac
else
  say "NOT COMPARED, no GL for the originals: images"
fi
echo "parity: ${passed} passed, ${failed} failed"
((failed == 0 && passed > 0))
