#!/usr/bin/env bash
# Replays every trace of the test fixtures on every driver with --check, and all drivers beside each other.
# usage: check-traces.sh [--thp POLICY] [EMT] [TRACE…]
# POLICY is never, madvise or always; without it all three are tried. --khugepaged N is handed on.
set -euo pipefail
cd "$(dirname "$0")/.."
policies="never madvise always"
options=()
while true; do
  case "${1:-}" in
    --thp) policies=$2; shift 2 ;;
    --khugepaged) options=(--khugepaged "$2"); shift 2 ;;
    *) break ;;
  esac
done
emt=${1:-.build/release/emt}
shift || true
if [ $# -eq 0 ]; then set -- Tests/ReplayTests/Fixtures/*.emtrace; fi

drivers=$("$emt" drivers --json | sed 's/.*"name":"\([^"]*\)".*/\1/')
failed=0
runs=0
for policy in $policies; do
  for trace in "$@"; do
    for driver in $drivers; do
      runs=$((runs + 1))
      run=("$emt" replay "$trace" --driver "$driver" --thp "$policy" "${options[@]}" --check --json)
      if ! "${run[@]}" > /dev/null; then
        echo "FAILED: ${run[*]}"
        failed=$((failed + 1))
      fi
    done
  done
done
echo "checked replays: $((runs - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
