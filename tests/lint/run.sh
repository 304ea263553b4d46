#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs every check of tests/lint/: the others *.sh here are one check each (exit status 0: nothing to complain of),
# source.py holds those on the text of the source files.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
export BUILD
passed=0 failed=0

report() { # NAME STATUS OUTPUT
	if [ "$2" = 0 ]; then
		echo "ok    $1"
		passed=$((passed + 1))
	else
		echo "FAIL  $1"
		printf '%s\n' "$3" | sed 's/^/      /'
		failed=$((failed + 1))
	fi
}

for check in $(/usr/bin/python3 tests/lint/source.py list); do
	output=$(/usr/bin/python3 tests/lint/source.py "$check" 2>&1)
	report "$check" $? "$output"
done
for script in tests/lint/*.sh; do
	[ "$script" = tests/lint/run.sh ] && continue
	output=$(sh "$script" 2>&1)
	report "$(basename "$script" .sh)" $? "$output"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
