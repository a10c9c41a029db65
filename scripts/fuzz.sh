#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs one libFuzzer target for a while, on a copy of its seed corpus. Silent but for the result.
# Usage: scripts/fuzz.sh TARGET SECONDS [SEED]; SEED 0: another one each time.
set -eu

name=$(basename "$1")
work=$(dirname "$1")/corpus/$name
log=$(dirname "$1")/$name.log
mkdir -p "$work"
[ ! -d "tests/fuzz/corpus/$name" ] || cp -n "tests/fuzz/corpus/$name"/* "$work"/ 2>/dev/null || true
echo "== $name, $2 seconds"
"$1" -max_total_time="$2" -seed="${3:-0}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
	-artifact_prefix="$(dirname "$1")/$name-" "$work" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
echo "$name: nothing found in $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
