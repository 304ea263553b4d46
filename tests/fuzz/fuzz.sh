#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh SECONDS PROGRAM...   runs each libFuzzer target for that long. Starts from tests/fuzz/corpus/NAME, which
# stays as it is: what is found new goes to a folder of its own, removed at the end. An input that breaks
# a target is kept beside the program and its name printed: mend the fault, add the input to the corpus.
set -eu

seconds=$1
shift
corpus=$(dirname "$0")/corpus
passed=0
failed=0
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT

for program in "$@"; do
	name=${program##*/fuzz_}
	mkdir -p "$found/$name"
	dictionary=
	if [ -e "$corpus/../$name.dict" ]; then dictionary=-dict=$corpus/../$name.dict; fi
	if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
		-verbosity=0 -artifact_prefix="$(dirname "$program")/$name-" ${dictionary:+"$dictionary"} \
		"$found/$name" "$corpus/$name" >"$found/log" 2>&1; then
		echo "ok   fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log") runs"
		passed=$((passed + 1))
	else
		echo "FAIL fuzz_$name"
		sed 's/^/    /' "$found/log"
		failed=$((failed + 1))
	fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
