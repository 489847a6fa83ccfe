# shellcheck shell=bash
# Sourced by end-to-end tests: the programs, a short folder that is removed, a server that is stopped.
set -euo pipefail

fail() { echo "FAILED: $*" >&2; exit 1; }

# Programs lie where the test's `data` puts them.
PATH="${PWD}/server:${PWD}/client:${PWD}/policy:${PATH}"

folder="$(mktemp -d "${TMPDIR:-/tmp}/e2e-XXXXXX")"
servers=()
finish() {
  local pid
  for pid in "${servers[@]}"; do kill "${pid}" 2>/dev/null && wait "${pid}" 2>/dev/null; done
  rm -rf "${folder}"
}
trap finish EXIT

# start_server FLAGS...: its addresses are then in ${folder}/ready.
start_server() {
  rm -f "${folder}/ready"
  env_server --ready_file="${folder}/ready" "$@" 2>"${folder}/server.log" &
  servers+=($!)
  local _
  for _ in $(seq 200); do
    [[ -e "${folder}/ready" ]] && return
    kill -0 "${servers[-1]}" 2>/dev/null || { cat "${folder}/server.log" >&2; fail "the server did not start"; }
    sleep 0.1
  done
  fail "the server did not become ready"
}

# refused PATTERN COMMAND...: the command fails with exit status 1, one line that matches, and no traces.
refused() {
  local pattern="$1" status=0
  shift
  "$@" >"${folder}/out" 2>"${folder}/err" || status=$?
  ((status == 1)) || { cat "${folder}/err" >&2; fail "exit status ${status} of: $*"; }
  grep -qE -- "${pattern}" "${folder}/err" || { cat "${folder}/err" >&2; fail "no line matches \"${pattern}\": $*"; }
}

# needs_rendering: ends the test, and says so, where the server that was started last cannot render.
needs_rendering() {
  grep -q "no rendering" "${folder}/server.log" || return 0
  echo "NOT TESTED: no OpenGL on this machine"
  exit 0
}
