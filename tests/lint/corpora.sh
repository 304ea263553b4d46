#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every fuzz target has a corpus, and every corpus a fuzz target.
status=0
for target in tests/fuzz/fuzz_*.c; do
	what=${target##*/fuzz_}
	what=${what%.c}
	if [ -z "$(find "tests/fuzz/corpus/$what" -type f 2>/dev/null)" ]; then
		echo "$target: no file in tests/fuzz/corpus/$what"
		status=1
	fi
done
for corpus in tests/fuzz/corpus/*/; do
	what=$(basename "$corpus")
	if [ ! -e "tests/fuzz/fuzz_$what.c" ]; then
		echo "$corpus: no tests/fuzz/fuzz_$what.c"
		status=1
	fi
done
exit $status
