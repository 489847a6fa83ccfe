#!/usr/bin/env bash
# The long tests, which continuous integration runs in a short form: a server that makes 10,000 pools
# and takes 100,000 connections, and ten CPU-minutes of each fuzz target. Prints what each found.
#
#   tests/full.sh            all
#   tests/full.sh NAME...    only these: flat, fuzz

source "$(dirname "${BASH_SOURCE[0]}")/../deploy/common.sh"

failed=0
# part NAME COMMAND...: runs it and says how it went.
part() {
  local name="$1" start=${SECONDS} outcome=ok
  shift
  "$@" || outcome=FAILED
  [[ "${outcome}" == ok ]] || failed=$((failed + 1))
  printf '%-8s %-7s %s\n' "${name}" "${outcome}" "$(duration $((SECONDS - start)))"
}

run_flat() {
  hw_bazel test //tests/conformance:flat_test --nocache_test_results --test_output=all \
    --test_timeout=3600 --test_env=HIVEWIRE_FLAT_POOLS=10000 \
    --test_env=HIVEWIRE_FLAT_CONNECTIONS=100000
}

run_fuzz() { "${HIVEWIRE_ROOT}/tests/fuzz/run.sh" 600; }

parts=("$@")
((${#parts[@]})) || parts=(flat fuzz)
for name in "${parts[@]}"; do
  case "${name}" in
    flat | fuzz) part "${name}" "run_${name}" ;;
    *) die "unknown part ${name}; there are: flat, fuzz" ;;
  esac
done
((failed == 0))
