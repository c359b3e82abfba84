#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Replays every trace of the test fixtures in so little memory that most of its pages have to go to swap, with --check, and
# compares what Linux answered and the contents of memory at the end with a replay in plenty of memory.
# usage: check-pressure.sh [--thp POLICY] [--driver NAME] [EMT] [TRACE…]
# Without --thp all three policies are tried, without --driver all drivers. A program that locks its memory gets twice
# as much until it fits.
set -euo pipefail
cd "$(dirname "$0")/.."
policies="never madvise always"
drivers=
while true; do
  case "${1:-}" in
    --thp) policies=$2; shift 2 ;;
    --driver) drivers="$drivers $2"; shift 2 ;;
    *) break ;;
  esac
done
emt=${1:-.build/release/emt}
shift || true
if [ $# -eq 0 ]; then set -- Tests/ReplayTests/Fixtures/*.emtrace; fi
[ -n "$drivers" ] || drivers=$("$emt" drivers --json | sed 's/.*"name":"\([^"]*\)".*/\1/')

# The number "$2" in the object "$1" of a line of JSON.
field() { sed "s/.*\"$1\":{[^}]*\"$2\":\([0-9]*\).*/\1/"; }
digest() { sed 's/.*"contentDigest":\([^,}]*\).*/\1/'; }

complaint=$(mktemp)
trap 'rm -f "$complaint"' EXIT
failed=0
runs=0
swapped=0
for policy in $policies; do
  for trace in "$@"; do
    for driver in $drivers; do
      runs=$((runs + 1))
      run=("$emt" replay "$trace" --driver "$driver" --thp "$policy" --json)
      plenty=$("${run[@]}")
      pages=$(field mappedPages peak <<< "$plenty")
      tables=$(field pageTableBytes peak <<< "$plenty")
      # A tenth of the pages, the tables, and what the kernel itself needs.
      kibibytes=$((tables / 1024 + pages * 4 / 10 + 96))
      status=1
      for _ in 1 2 3 4 5 6 7 8; do
        status=0
        short=$("${run[@]}" --memory "${kibibytes}K" --swap 256M --check 2> "$complaint") || status=$?
        [ "$status" -eq 1 ] && grep -qE "exhausted|too little simulated memory" "$complaint" || break
        kibibytes=$((kibibytes * 2))
      done
      if [ "$status" -ne 0 ] || [ "$(digest <<< "$short")" != "$(digest <<< "$plenty")" ]; then
        echo "FAILED: ${run[*]} --memory ${kibibytes}K --swap 256M --check"
        cat "$complaint"
        failed=$((failed + 1))
      elif [ "$(field reclaim swappedOut <<< "$short")" -gt 0 ]; then
        swapped=$((swapped + 1))
      fi
    done
  done
done
echo "replays under memory pressure: $((runs - failed)) passed, $failed failed; pages went to swap in $swapped of them"
[ "$failed" -eq 0 ] && [ "$swapped" -gt 0 ]
