#!/usr/bin/env bash
# Sets up, builds and runs every test. Needs nothing installed, asks nothing. The last line is
# "N passed, M failed", counted from test cases; the exit status is 0 only if some ran and all passed.
#
#   tests/run.sh                        everything but the sanitizers
#   tests/run.sh --sanitizers           and the server's and client's tests under ASan, UBSan and TSan
#   tests/run.sh //server/pool/...      only these targets

source "$(dirname "${BASH_SOURCE[0]}")/../deploy/common.sh"

sanitizers=false
targets=()
for argument in "$@"; do
  case "${argument}" in
    --sanitizers) sanitizers=true ;;
    //*) targets+=("${argument}") ;;
    *) die "unknown argument ${argument}; accepted: --sanitizers and Bazel targets such as //server/..." ;;
  esac
done
everything=false
((${#targets[@]})) || { targets=(//...); everything=true; }

# Folders whose own code the sanitizers watch: what runs without LibTorch.
readonly SANITIZED=(//base/... //client/... //server/... //tests/conformance/... //tests/faults:connection_test)

passed=0 failed=0 skipped=0
stage_times=()
events="$(mktemp)"

finish() {
  rm -f "${events}"
  local line
  say ""
  for line in "${stage_times[@]}"; do say "${line}"; done
  ((skipped == 0)) || say "${skipped} skipped"
  echo "${passed} passed, ${failed} failed"
  ((failed == 0 && passed > 0)) || exit 1
}
trap finish EXIT

# stage NAME COMMAND...: runs it, keeps its time, counts its failure as one failed.
stage() {
  local name="$1" start=${SECONDS} failed_before=${failed} outcome=ok
  shift
  say "== ${name}"
  "$@" || failed=$((failed + 1))
  ((failed == failed_before)) || outcome=FAILED
  stage_times+=("$(printf '%-14s %-7s %s' "${name}" "${outcome}" "$(duration $((SECONDS - start)))")")
  [[ "${outcome}" == ok ]]
}

# run_tests [BAZEL ARGUMENT...]: one `bazel test`, whose cases are added to the counts. Fails only
# where Bazel failed and no case says why.
run_tests() {
  local status=0 counted more_passed more_failed more_skipped
  : >"${events}"
  hw_bazel test --keep_going --build_tests_only --build_event_json_file="${events}" "$@" || status=$?
  counted="$(python3 "${HIVEWIRE_ROOT}/tests/count_results.py" "${events}")" || return 1
  read -r more_passed more_failed more_skipped <<<"${counted}"
  passed=$((passed + more_passed)) failed=$((failed + more_failed)) skipped=$((skipped + more_skipped))
  ((status == 0 || more_failed > 0))
}

# run_counted NAME SCRIPT: a script whose last line is "NAME: N passed, M failed"; each case counts as
# a test.
run_counted() {
  local name="$1" output status=0 more_passed more_failed
  output="$("${HIVEWIRE_ROOT}/$2")" || status=$?
  say "${output}"
  [[ "${output##*$'\n'}" =~ ^${name}:\ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || return 1
  more_passed=${BASH_REMATCH[1]} more_failed=${BASH_REMATCH[2]}
  passed=$((passed + more_passed)) failed=$((failed + more_failed))
  ((status == 0 || more_failed > 0))
}

# examples/extension as a project of its own: its parts are compiled and its learner is analysed.
# tests/full.sh builds the whole of it and trains with it.
extension() {
  local own="${HIVEWIRE_ROOT}/examples/extension" status=0
  bazel_in "${own}" build //:laplace //:residual && bazel_in "${own}" build --nobuild //... || status=$?
  # One Bazel server is enough for a small machine.
  (cd "${own}" && bazel shutdown)
  return "${status}"
}

stage setup "${HIVEWIRE_ROOT}/deploy/setup.sh" || exit 1
stage format "${HIVEWIRE_ROOT}/tests/check_format.sh" || true
stage build hw_bazel build --keep_going "${targets[@]}" || true
if "${everything}"; then stage layers "${HIVEWIRE_ROOT}/tests/check_layers.sh" || true; fi
stage tests run_tests "${targets[@]}" || true
if "${everything}"; then
  stage extension extension || true
  stage parity run_counted parity tests/parity/run.sh || true
  stage readers run_counted readers tests/readers/run.sh || true
  stage compare "${HIVEWIRE_ROOT}/tests/bench/compare.sh" --quick || true
fi
if "${sanitizers}"; then
  stage asan run_tests --config=asan --test_tag_filters=-no-asan "${SANITIZED[@]}" || true
  stage tsan run_tests --config=tsan --test_tag_filters=-no-tsan "${SANITIZED[@]}" || true
fi
