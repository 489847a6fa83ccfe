#!/usr/bin/env bash
# Builds the fuzz targets with clang and libFuzzer, AddressSanitizer and UBSan, and runs each for so
# many seconds of CPU time. Findings are left in the current folder; the exit status is 0 if there
# are none.
#
#   tests/fuzz/run.sh SECONDS [TARGET...]     targets: frame, layout, config, learner_config;
#                                             all by default

source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/common.sh"

seconds="${1:-}"
[[ "${seconds}" =~ ^[1-9][0-9]*$ ]] ||
  die "usage: tests/fuzz/run.sh SECONDS [frame|layout|config|learner_config...]"
shift
targets=("$@")
((${#targets[@]})) || targets=(frame layout config learner_config)

compiler=""
for candidate in clang-19 clang-16 clang-14 clang; do
  if command -v "${candidate}" >/dev/null; then compiler="${candidate}"; break; fi
done
[[ -n "${compiler}" ]] || die "fuzzing needs clang: apt-get install clang-14 libclang-rt-14-dev"

# Another compiler, so other outputs: an output base of its own keeps the usual one warm.
readonly output_base="${HIVEWIRE_FUZZ_OUTPUT:-${XDG_CACHE_HOME:-${HOME}/.cache}/hivewire-fuzz}"
labels=()
for target in "${targets[@]}"; do labels+=("//tests/fuzz:${target}_fuzzer"); done
say "building ${#targets[@]} fuzz targets with ${compiler}"
(cd "${HIVEWIRE_ROOT}" && bazel --output_base="${output_base}" build --config=fuzz \
  --repo_env=CC="${compiler}" --noshow_progress --symlink_prefix=/ "${labels[@]}" </dev/null)
binaries="$(cd "${HIVEWIRE_ROOT}" && bazel --output_base="${output_base}" info --config=fuzz \
  --repo_env=CC="${compiler}" bazel-bin 2>/dev/null)"

# fuzz TARGET SECONDS FOLDER: for so long by the clock; new inputs go to the folder.
fuzz() {
  "${binaries}/tests/fuzz/$1_fuzzer" -max_total_time="$2" -timeout=60 -rss_limit_mb=4096 \
    -print_final_stats=1 -verbosity=0 "$3" "${HIVEWIRE_ROOT}/tests/fuzz/corpus/$1"
}

# CPU seconds that finished children of this shell have used.
children_seconds() {
  awk '{ print int(($16 + $17) / hz) }' hz="$(getconf CLK_TCK)" "/proc/$$/stat"
}

findings=0
for target in "${targets[@]}"; do
  found="$(mktemp -d)"
  say "== ${target}: ${seconds} s"
  start="$(children_seconds)" spent=0 outcome="without a finding"
  # In rounds: the clock runs on while other programs have the processor.
  while ((spent < seconds)); do
    if ! fuzz "${target}" "$((seconds - spent))" "${found}"; then
      outcome=", then a FINDING"
      findings=$((findings + 1))
      break
    fi
    spent=$(($(children_seconds) - start))
  done
  echo "fuzz ${target}: ${spent} s ${outcome}, $(find "${found}" -type f | wc -l) new inputs"
  rm -rf "${found}"
done
((findings == 0))
