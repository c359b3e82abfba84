#!/usr/bin/env bash
# The long tier (at most 80 minutes): everything in check.sh, sanitizers, specialisation, recording. What needs a program
# that is not there is skipped with a message.
set -euo pipefail
cd "$(dirname "$0")/.."

Scripts/check.sh

echo "== hot paths are compiled for every driver"
if [ -x Scripts/check-specialisation.sh ]; then Scripts/check-specialisation.sh; fi

echo "== threads, under ThreadSanitizer"
# Race detection is not certain in a single run, so the tests with threads run several times.
for round in 1 2 3; do
  echo "round $round"
  swift test --disable-xctest --sanitize=thread --scratch-path .build-tsan \
    --filter 'RadixTests|HashedTests|MMUTests|SimMemoryTests'
done

echo "== all tests, under AddressSanitizer"
swift test --disable-xctest --sanitize=address --scratch-path .build-asan

echo "== recording a real program"
if command -v valgrind > /dev/null; then
  trace=$(mktemp -d)
  trap 'rm -rf "$trace"' EXIT
  .build/release/emt record -o "$trace/ls.emtrace" -- ls -l /
  Scripts/check-traces.sh .build/release/emt "$trace/ls.emtrace"
else
  echo "skipped: valgrind is not installed"
fi
