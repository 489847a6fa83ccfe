#!/usr/bin/env bash
# The .proto files pass buf's lint, and break nothing that frozen_v1.binpb promises. After a release:
#
#   buf build proto --exclude-source-info -o proto/frozen_v1.binpb
set -euo pipefail

fail() { echo "FAILED: $*" >&2; exit 1; }

cp -RL proto "${TEST_TMPDIR}/proto"
export HOME="${TEST_TMPDIR}" XDG_CACHE_HOME="${TEST_TMPDIR}/cache"
buf="${TEST_TMPDIR}/buf"
install -m 755 external/buf/buf_bin-*.data/scripts/buf "${buf}"
cd "${TEST_TMPDIR}/proto"

"${buf}" lint || fail "lint"
"${buf}" breaking --against frozen_v1.binpb || fail "the wire breaks a promise"

# broken SED FILE PATTERN: with this change buf refuses the file, in words that match.
broken() {
  cp "$2" "${TEST_TMPDIR}/original"
  sed -i "$1" "$2"
  cmp -s "$2" "${TEST_TMPDIR}/original" && fail "\"$1\" changes nothing in $2"
  "${buf}" breaking --against frozen_v1.binpb >"${TEST_TMPDIR}/out" && fail "\"$1\" was not noticed"
  grep -q "$3" "${TEST_TMPDIR}/out" || { cat "${TEST_TMPDIR}/out" >&2; fail "\"$1\" was told in other words"; }
  cp "${TEST_TMPDIR}/original" "$2"
}
broken 's/bytes payload = 2;/bytes payload = 20;/' hivewire/v1/session.proto 'field "2".*was deleted'
broken 's/uint64 lease_ttl_ms = 10;/uint32 lease_ttl_ms = 10;/' hivewire/v1/control.proto 'changed type'
broken 's/rpc RenewLease/rpc ProlongLease/' hivewire/v1/control.proto 'RPC "RenewLease".*was deleted'
broken 's/LANE_FLAG_FAULT = 16/LANE_FLAG_FAULT = 32/' hivewire/v1/spec.proto 'enum value "16".*was deleted'
echo "nothing is broken, and what would be is noticed"
