#!/usr/bin/env bash
# The one command before a commit: lint, layering, build, tests, the main job.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== lint"
swift format lint --strict --recursive Package.swift Sources Tests

echo "== declared imports only"
swift build --build-tests --explicit-target-dependency-import-check error

bash .ci/run
