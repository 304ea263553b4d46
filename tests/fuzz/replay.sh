#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs each fuzz target given (fuzz_NAME.replay) over tests/fuzz/corpus/NAME/*. A target without a corpus fails:
# it would test nothing. Prints the output of those that fail. The last line sums up, one per target.
set -eu

corpus=$(dirname "$0")/corpus
passed=0
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

for program in "$@"; do
	name=${program##*/fuzz_}
	name=${name%.replay}
	set -- "$corpus/$name"/*
	if [ ! -e "$1" ]; then
		echo "FAIL fuzz_$name: no corpus in $corpus/$name"
		failed=$((failed + 1))
	elif "$program" "$@" >"$out" 2>&1 </dev/null; then
		passed=$((passed + 1))
	else
		echo "FAIL fuzz_$name: exit status $?"
		sed 's/^/    /' "$out"
		failed=$((failed + 1))
	fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
