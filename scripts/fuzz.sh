#!/bin/sh
# Runs one libFuzzer target for a while, on a copy of its seed corpus.
# Usage: scripts/fuzz.sh TARGET SECONDS
set -eu

name=$(basename "$1")
work=$(dirname "$1")/corpus/$name
mkdir -p "$work"
[ ! -d "tests/fuzz/corpus/$name" ] || cp -n "tests/fuzz/corpus/$name"/* "$work"/ 2>/dev/null || true
echo "== $name, $2 seconds"
"$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
	-artifact_prefix="$(dirname "$1")/$name-" "$work"
echo "$name: nothing found"
