#!/usr/bin/env bash
# Installs the Debian packages that the build needs and this machine lacks. Everything else is
# fetched by Bazel, pinned by its sha256. Running it again is free; it never asks anything.
#
#   deploy/setup.sh          install what is missing, as root or through sudo
#   deploy/setup.sh --check  only say what is missing; exit status 1 if anything is

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly PACKAGES=(
  # Compilers and the build.
  g++ binutils git python3 ca-certificates
  bazel-bootstrap bazel-rules-java bazel-rules-proto
  clang-format-14
  # Libraries and their generators.
  libabsl-dev libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc
  libspdlog-dev libfmt-dev libeigen3-dev
  libssl-dev libc-ares-dev libre2-dev zlib1g-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  # Pictures: software and hardware OpenGL without a screen, PNG, GIF.
  libegl-dev libosmesa6-dev libgl-dev libegl1 libgl1-mesa-dri libpng-dev libgif-dev
)

missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    [[ "$(dpkg-query -W -f='${db:Status-Status}' "${package}" 2>/dev/null)" == installed ]] ||
      echo "${package}"
  done
  # Bazel fetches wheels with whichever python3 comes first.
  python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
}

as_root() {
  if ((EUID == 0)); then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

# Runs apt-get; its words are shown only if it fails.
apt() {
  as_root apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" </dev/null >"${log}" 2>&1 ||
    { cat "${log}" >&2; die "apt-get $1 failed (its output is above)"; }
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  system="$(. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME}" || echo "another system")"
  die "this script installs Debian packages, and this is ${system}:
use Debian 12 or a container of it, or install the counterparts of: ${PACKAGES[*]}"
fi

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} == 0)); then
  say "setup: all Debian packages are there"
  exit 0
fi
if [[ "${1:-}" == --check ]]; then
  say "setup: missing: ${missing[*]}"
  exit 1
fi
if ((EUID != 0)) && ! sudo -n true 2>/dev/null; then
  die "neither root nor sudo without a password; run: sudo apt-get install ${missing[*]}"
fi

start=${SECONDS}
log="$(mktemp)"
trap 'rm -f "${log}"' EXIT
say "setup: installing ${#missing[@]} Debian packages and what they need: ${missing[*]}"
# Where an earlier run was interrupted.
as_root dpkg --configure -a </dev/null >"${log}" 2>&1 || { cat "${log}" >&2; die "dpkg --configure -a failed"; }
apt update
apt install --no-install-recommends "${missing[@]}"
fetched="$(sed -n 's/^Need to get \(.*\) of archives.*/\1/p' "${log}")"
mapfile -t still_missing < <(missing_packages)
((${#still_missing[@]} == 0)) || die "still missing: ${still_missing[*]}"
say "setup: done, ${fetched:-nothing} fetched, $(duration $((SECONDS - start)))"
