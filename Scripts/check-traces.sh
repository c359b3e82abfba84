#!/usr/bin/env bash
# Replays every trace of the test fixtures on every driver with --check, and all drivers beside each other.
# usage: check-traces.sh [EMT] [TRACE…]
set -euo pipefail
cd "$(dirname "$0")/.."
emt=${1:-.build/release/emt}
shift || true
if [ $# -eq 0 ]; then set -- Tests/ReplayTests/Fixtures/*.emtrace; fi

drivers=$("$emt" drivers --json | sed 's/.*"name":"\([^"]*\)".*/\1/')
failed=0
runs=0
for trace in "$@"; do
  for driver in $drivers; do
    runs=$((runs + 1))
    if ! "$emt" replay "$trace" --driver "$driver" --check --json > /dev/null; then
      echo "FAILED: $emt replay $trace --driver $driver --check"
      failed=$((failed + 1))
    fi
  done
done
echo "checked replays: $((runs - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
