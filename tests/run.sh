#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh PART...   runs `make PART` for each, adds up what the test runners report, and ends with a line
# "N passed, N failed[, N skipped]". Fails when a part fails, when a part ran nothing and, with CI=true, when
# anything was skipped. What a part printed is kept in build/test-logs/PART.log.
set -eu

BUILD=${BUILD:-build}
LOGS=$BUILD/test-logs
mkdir -p "$LOGS"

# Counts of the last lines of Check ("100%: Checks: 3, Failures: 0, Errors: 0"), pytest ("=== 3 passed, 1 skipped in
# 2.1s ===") and of the plain form ("3 passed, 0 failed, 1 skipped") in a log: "PASSED FAILED SKIPPED".
count() {
	awk '
	function number(name,   at) {
		if (!match($0, "[0-9]+ " name)) return 0
		at = substr($0, RSTART, RLENGTH)
		return at + 0
	}
	/^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/ {
		gsub(",", "")
		passed += $3 - $5 - $7
		failed += $5 + $7
	}
	/^(=+ )?[0-9]+ [a-z]+.* in [0-9.]+s/ || /^([a-z]+: )?[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
		passed += number("passed")
		failed += number("failed") + number("error")
		skipped += number("skipped")
	}
	END { print passed + 0, failed + 0, skipped + 0 }' "$1"
}

all_passed=0 all_failed=0 all_skipped=0 summary=
for part in "$@"; do
	printf '\n== %s\n' "$part"
	began=$(date +%s)
	{
		rc=0
		"${MAKE:-make}" --no-print-directory -j"$(nproc)" "$part" 2>&1 || rc=$?
		echo "$rc" >"$LOGS/$part.rc"
	} | tee "$LOGS/$part.log"
	read -r passed failed skipped <<-END
		$(count "$LOGS/$part.log")
	END
	# A part that broke before its runner could count is one failure.
	if [ "$(cat "$LOGS/$part.rc")" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
	if [ $((passed + failed + skipped)) = 0 ]; then
		echo "$part: no test ran"
		failed=1
	fi
	summary="$summary$(printf '%-10s %5d passed %5d failed %5d skipped %5d s' \
		"$part" "$passed" "$failed" "$skipped" $(($(date +%s) - began)))
"
	all_passed=$((all_passed + passed))
	all_failed=$((all_failed + failed))
	all_skipped=$((all_skipped + skipped))
done

# What failed, once more: what is printed last is what is seen of a long run.
names=$(for part in "$@"; do
	sed -n "s/^FAIL\(ED\)\{0,1\} */$part: /p; s/^ERROR */$part: /p; s/^ *\(tests[^ ]*:[FE]:\)/$part: \1/p" "$LOGS/$part.log"
done | cut -c 1-300 | head -60)
[ -z "$names" ] || printf '\nfailed:\n%s\n' "$names"

printf '\n%s' "$summary"
line="$all_passed passed, $all_failed failed"
status=0
[ "$all_failed" = 0 ] || status=1
if [ "$all_skipped" != 0 ]; then
	line="$line, $all_skipped skipped"
	if [ "${CI:-}" = true ]; then
		echo "CI=true: a skipped test counts as a failure; the reasons are above"
		status=1
	fi
fi
echo "$line"
exit $status
