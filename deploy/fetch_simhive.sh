#!/usr/bin/env bash
# Fetches SimHive, the meshes and model parts that RoboHive's envs are made of, from its own
# repositories at the commits that robohive 0.7.0 pins. The server finds them by itself in the default
# folder; for another one set HIVEWIRE_SIMHIVE. Running it again fetches only what is missing.
#
#   deploy/fetch_simhive.sh [FOLDER]     default: ~/.robohive

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly OWNER="${HIVEWIRE_SIMHIVE_URL:-https://github.com/vikashplus}"
readonly FOLDER="${1:-${HOME}/.robohive}"

# Repository and commit.
readonly PINS=(
  "Adroit 2ef4b752e85782f84fa666fce10de5231cc5c917"
  "YCB_sim 46edd9c361061c5d81a82f2511d4fbf76fead569"
  "fetch_sim 7f6d25ae8a6f5778379a48fa60c17d685075e64d"
  "franka_sim 82aaf3bebfa29e00133a6eebc7684e793c668fc1"
  "furniture_sim afb802750acb97f253b2f6fc6e915627d04fcf67"
  "object_sim ee0ff14a5369c277687a4636165c5b703bccbf84"
  "robel_sim 4459db96edc359822356030e6223797e257ae4cc"
  "robotiq_sim 854d0bfb4e48b076e1d2aa4566c2e23bba17ebae"
  "scene_sim e2eb354dce9aa1797dda081ab2dedf734a8761e6"
  "trifinger_sim 49e689ee8d18f5e506ba995aac99822b66700b2b"
)

# fetch REPOSITORY COMMIT: one commit without its history, put in place only when it is whole.
fetch() {
  local folder="${FOLDER}/simhive/$1" partial
  if [[ "$(git -C "${folder}" rev-parse HEAD 2>/dev/null)" == "$2" && -d "${folder}/.git" ]]; then
    say "$1: is there"
    return
  fi
  [[ ! -e "${folder}" ]] || die "${folder} is there and is not commit $2; move it away"
  say "$1: fetching $2"
  partial="$(mktemp -d "${FOLDER}/simhive/.partial.XXXXXX")"
  if git -C "${partial}" init --quiet &&
    git -C "${partial}" fetch --quiet --depth=1 "${OWNER}/$1.git" "$2" &&
    git -C "${partial}" -c advice.detachedHead=false checkout --quiet FETCH_HEAD; then
    mv -T "${partial}" "${folder}"
  else
    rm -rf "${partial}"
    die "cannot fetch ${OWNER}/$1.git at $2 (see above)"
  fi
}

(($# <= 1)) || die "unknown argument $2; accepted: one folder"
mkdir -p "${FOLDER}/simhive"
for pin in "${PINS[@]}"; do
  read -r repository commit <<<"${pin}"
  fetch "${repository}" "${commit}"
done
say "SimHive is in ${FOLDER}; the server looks in HIVEWIRE_SIMHIVE, ../shared/simhive and ~/.robohive"
