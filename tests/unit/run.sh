#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the unit test programs given as arguments (Check), three at a time for each CPU: they mostly wait. Prints the whole output of
# those that fail, so that the failures are all there is to read. A line "skipped: REASON" in a program's output is a
# check this machine cannot do: it is shown and counted. RUN=COMMAND is put in front of each program (valgrind). The last
# line sums up.
set -eu

# A test that hangs has an end; one that is slow, on a busy machine, is no failure. Check's own limit is 4 seconds.
CK_DEFAULT_TIMEOUT=60
export CK_DEFAULT_TIMEOUT

# One program: its output and its exit status into files of the folder.
if [ "${1:-}" = --one ]; then
	folder=$2 program=$3 status=0
	# shellcheck disable=SC2086 # RUN is a command with its arguments
	${RUN:-} "$program" >"$folder/${program##*/}.out" 2>&1 </dev/null || status=$?
	echo "$status" >"$folder/${program##*/}.status"
	exit 0
fi

passed=0
failed=0
skipped=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

printf '%s\n' "$@" | xargs -P $((3 * $(nproc))) -I '{}' sh "$0" --one "$folder" '{}'

for program in "$@"; do
	name=${program##*/}
	out=$folder/$name.out
	status=$(cat "$folder/$name.status")
	# "87%: Checks: 8, Failures: 1, Errors: 0", one per suite runner
	sums=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$out" |
		awk '{ c += $1; bad += $2 + $3 } END { print c - bad, bad + 0 }')
	ok=${sums% *}
	bad=${sums#* }
	# A program that died, or ran nothing, is a failure of its own.
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$ok" -eq 0 ]; }; then
		bad=1
	fi
	skips=$(grep -c '^skipped: ' "$out" || true)
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skips))
	if [ "$bad" -gt 0 ]; then
		echo "FAIL $name: $ok passed, $bad failed, exit status $status"
		sed 's/^/    /' "$out"
	else
		sed -n "s/^skipped: /$name: &/p" "$out"
	fi
done

echo "$# programs"
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
