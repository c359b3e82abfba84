#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks that the hot paths are compiled for every driver of the catalogue: the slow, generic forms compile and run
# without a word, only several times slower. Prints a table; ends with 1 and the names of what is not specialised.
#
# Two conditions: the specialised function exists for the driver's service, and no specialised function of the replay
# or the kernel calls the generic form of one in the table. "merged" means that the linker's view of the drivers' forms
# is one function that was specialised and then folded with its twin.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "${1:-}" = --no-build ] || swift build -c release --product emt >/dev/null
binary=$(swift build -c release --show-bin-path)/emt

# What is written in the source, and how the mangled name of the generic form begins.
functions='
Kernel.pageFault $s3VMM6KernelC9pageFault
Kernel.systemCall $s3VMM6KernelC10systemCall
Kernel.fork $s3VMM6KernelC4fork_5child
Kernel.exit $s3VMM6KernelC4exityy
Kernel.copyUser $s3VMM6KernelC8copyUser
Kernel.zap $s3VMM6KernelC3zapyy
Kernel.protect $s3VMM6KernelC7protect__2to
Kernel.copyTranslations $s3VMM6KernelC16copyTranslations
Kernel.moveTranslations $s3VMM6KernelC16moveTranslations
Replay.access $s7Machine6ReplayV6access__4size
Replay.accessFaulted $s7Machine6ReplayV13accessFaulted
TraceInput.run $s9Workloads10TraceInputV3run4into
LackeyReader.pump $s9Workloads12LackeyReaderC4pump4into
EmtraceDecoder.pump $s9Workloads14EmtraceDecoderC4pump4into
'
services=$(sed -n 's/.*visitor\.visit([^,]*, \([A-Za-z0-9_<>.]*\)\.self,.*/\1/p' Sources/Drivers/Catalog/DriverCatalog.swift)
[ -n "$services" ] || { echo "check-specialisation: no driver found in DriverCatalog.swift" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm "$binary" | awk '$3 ~ /Tg5/ { print $3 }' > "$work/specialised"
swift demangle < "$work/specialised" > "$work/demangled"
paste -d ' ' "$work/specialised" "$work/demangled" > "$work/names"

missing=0
printf '%-26s' function
for service in $services; do printf '  %-16s' "$service"; done
echo
while read -r label prefix; do
  [ -n "$label" ] || continue
  printf '%-26s' "$label"
  for service in $services; do
    # Forms for a driver in disguise (basic functions only, shadowed by a reference) do not count.
    state=$(awk -v prefix="$prefix" -v service="$service" '
      index($1, prefix) != 1 || /BasicOnly|Shadowed/ { next }
      $1 ~ /Tm$/ { merged = 1 }
      index($0, "." service) { found = 1 }
      END { print found ? "yes" : merged ? "merged" : "NO" }' "$work/names")
    printf '  %-16s' "$state"
    if [ "$state" = NO ]; then
      missing=1
      echo "$label is not specialised for $service: is it, or what leads to it, still @inlinable?" >> "$work/wrong"
    fi
  done
  echo
done <<< "$functions"

# Calls of a generic form from a specialised one.
echo "$functions" | awk 'NF { print $2 }' > "$work/prefixes"
objdump -d --no-show-raw-insn "$binary" | awk -v list="$work/prefixes" '
  BEGIN { while ((getline line < list) > 0) prefixes[line] = 1 }
  /^[0-9a-f]+ <.*>:$/ {
    here = $2
    gsub(/[<>:]/, "", here)
    isHot = here ~ /Tg5/ && here ~ /^\$s(3VMM6KernelC|7Machine6ReplayV|9Workloads(10TraceInput|12LackeyReader|14EmtraceDecoder))/
    if (here ~ /BasicOnly|Shadowed|EmtraceWriter|Counting/) isHot = 0
    next
  }
  isHot && /call/ && match($0, /<\$s[^>+]*>/) {
    callee = substr($0, RSTART + 1, RLENGTH - 2)
    if (callee ~ /Tg5/) next
    for (prefix in prefixes) if (index(callee, prefix) == 1 && callee !~ /U[0-9]*_|TA$|L_|Wl$/)
      print "the generic " callee " is called from " here
  }' | sort -u >> "$work/wrong"

if [ -s "$work/wrong" ]; then
  echo
  sed 's/^/check-specialisation: /' "$work/wrong" >&2
  exit 1
fi
echo "all hot paths are compiled for: $(echo $services)"
