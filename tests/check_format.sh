#!/usr/bin/env bash
# Whether every C++ file is formatted as .clang-format says; `--fix` formats them.

source "$(dirname "${BASH_SOURCE[0]}")/../deploy/common.sh"
cd "${HIVEWIRE_ROOT}" || exit

mapfile -t files < <(
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files '*.h' '*.cc'
  else
    find . -path './bazel-*' -prune -o \( -name '*.h' -o -name '*.cc' \) -print
  fi
)
((${#files[@]})) || die "found no C++ files"
if [[ "${1:-}" == --fix ]]; then
  clang-format-14 -i "${files[@]}"
elif clang-format-14 --dry-run --Werror "${files[@]}"; then
  say "format: ${#files[@]} files are as they should be"
else
  die "format: run tests/check_format.sh --fix"
fi
