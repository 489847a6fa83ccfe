# shellcheck shell=bash
# Sourced, after deploy/common.sh, by scripts that run Python programs of other projects.

readonly CACHE="${XDG_CACHE_HOME:-${HOME}/.cache}/hivewire"

# python_packages NAME REQUIREMENTS: installs what the pinned file lists from PyPI, once for each
# content of it. Prints their folder, which belongs on PYTHONPATH; fails where pip does. A plain
# folder: Debian's Python has no virtual environments without another package.
python_packages() {
  local name="$1" requirements="$2" key folder partial
  key="$({ cat "${requirements}"; python3 --version; } | sha256sum | cut -c1-16)"
  folder="${CACHE}/${name}-${key}"
  if [[ ! -d "${folder}" ]]; then
    say "${name}: installing ${requirements#"${HIVEWIRE_ROOT}/"} from PyPI"
    mkdir -p "${CACHE}"
    partial="$(mktemp -d "${CACHE}/partial.XXXXXX")"
    if ! python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-cache-dir \
      --only-binary=:all: --root-user-action=ignore --target "${partial}" -r "${requirements}" >&2; then
      rm -rf "${partial}"
      return 1
    fi
    mv -T "${partial}" "${folder}" 2>/dev/null || rm -rf "${partial}"
  fi
  echo "${folder}"
}
