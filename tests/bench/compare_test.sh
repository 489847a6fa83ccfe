#!/usr/bin/env bash
# compare.py measures our sides without any peer, says loudly which peers are missing, and its JSON
# makes a page and a picture.
#
# Usage: compare_test.sh STEPPING_PLAYER ENV_SERVER COMPARE REPORT

set -euo pipefail

bin="$(dirname "$(realpath -s "$1")")" env_server="$(realpath -s "$2")"
compare="$(realpath "$3")" report="$(realpath "$4")"
root="${TEST_TMPDIR}/root"
mkdir -p "${root}/docs/performance" "${root}/docs/img"
fail() { echo "$*"; exit 1; }

output="$(PYTHONDONTWRITEBYTECODE=1 python3 "${compare}" --quick --bin "${bin}" \
  --env_server "${env_server}" --models "${TEST_SRCDIR}/gymnasium/gymnasium/envs/mujoco/assets" \
  --peers_folder /nonexistent --peers envpool \
  --json "${root}/docs/performance/stepping.json" 2>"${TEST_TMPDIR}/errors")" || fail "$(cat "${TEST_TMPDIR}/errors")"
echo "${output}"
grep -q 'NOT COMPARED: envpool' "${TEST_TMPDIR}/errors" || fail "a missing peer is not mentioned"
for side in 'bare mj_step, MuJoCo 3.17.0' 'bare mj_step, MuJoCo 3.6.0' 'Hivewire in process, 2 groups' \
  'Hivewire over UDS, lockstep'; do
  grep -q "^${side} .*[0-9]" <<<"${output}" || fail "no row for ${side}"
done

PYTHONDONTWRITEBYTECODE=1 python3 "${report}" --root "${root}"
PYTHONDONTWRITEBYTECODE=1 python3 "${report}" --root "${root}" --check
python3 - "${root}" <<'CHECKS'
import json, pathlib, sys, xml.dom.minidom
docs = pathlib.Path(sys.argv[1], "docs")
(cell,) = json.loads((docs / "performance" / "stepping.json").read_text())["cells"]
assert cell["lanes"] == 8 and "envpool" in cell["missing"], cell
for side in cell["sides"]:
    low, high = side["range"]
    assert 0 < low <= side["lane_steps_per_s"] <= high and side["to_raw"] > 0, side
    assert side["to_envpool"] is None, side
page = (docs / "performance.md").read_text()
assert "not measured" in page and "HalfCheetah-v5, 8 lanes" in page, page
tables = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
assert len(tables) >= 2
for lines in tables:
    assert len({line.count("|") for line in lines}) == 1, lines
xml.dom.minidom.parse(str(docs / "img" / "stepping.svg"))
CHECKS

echo '{}' >>"${root}/docs/performance.md"
if python3 "${report}" --root "${root}" --check 2>/dev/null; then fail "a stale page is taken"; fi
