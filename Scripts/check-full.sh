#!/usr/bin/env bash
# The long tier (about two hours on two idle cores): everything in check.sh, memory pressure, random runs, sanitizers,
# specialisation, recording. What needs a program that is not there is skipped with a message.
set -euo pipefail
cd "$(dirname "$0")/.."

Scripts/check.sh

echo "== hot paths are compiled for every driver"
if [ -x Scripts/check-specialisation.sh ]; then Scripts/check-specialisation.sh; fi

echo "== the contract, and 10 million random operations on every driver, form and set of options"
emt=.build/release/emt
"$emt" conformance

echo "== planted bugs are caught"
Scripts/mutations

soak=$(mktemp -d)
trap 'rm -rf "$soak"' EXIT
# Two parts side by side: neither uses more than one core.
"$emt" conformance --random --steps "${EMT_SOAK_STEPS:-10M}" --driver radix,radix5,fpt-l3l2,fpt-l4l3,fpt-l4l3-l2l1 \
  > "$soak/trees" 2>&1 &
trees=$!
"$emt" conformance --random --steps "${EMT_SOAK_STEPS:-10M}" --driver hashed,ecpt > "$soak/hashed" 2>&1 && hashed=0 || hashed=$?
wait "$trees" && trees=0 || trees=$?
cat "$soak/trees" "$soak/hashed"
[ "$trees" -eq 0 ] && [ "$hashed" -eq 0 ]

echo "== every recorded program in too little memory"
Scripts/check-pressure.sh

echo "== random programs, 5 million steps per driver"
Scripts/soak "${EMT_FUZZ_STEPS:-5000000}" 1

echo "== random programs, judged by this host's own kernel"
"$emt" conformance --host --steps "${EMT_HOST_STEPS:-500k}" --seed 1

echo "== threads, under ThreadSanitizer"
# Race detection is not certain in a single run, so the tests with threads run several times.
for round in 1 2 3; do
  echo "round $round"
  swift test --disable-xctest --sanitize=thread --scratch-path .build-tsan \
    --filter 'RadixTests|FPTTests|HashedTests|ECPTTests|MMUTests|SimMemoryTests'
done

echo "== all tests, under AddressSanitizer"
swift test --disable-xctest --sanitize=address --scratch-path .build-asan

echo "== recording a real program"
if command -v valgrind > /dev/null; then
  trace=$(mktemp -d)
  trap 'rm -rf "$trace" "$soak"' EXIT
  .build/release/emt record -o "$trace/ls.emtrace" -- ls -l /
  Scripts/check-traces.sh .build/release/emt "$trace/ls.emtrace"
else
  echo "skipped: valgrind is not installed"
fi
