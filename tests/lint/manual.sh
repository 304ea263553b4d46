#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual pages are free of mistakes mandoc can see. STYLE findings (a date, a cross reference) do not count.
pages=$(git ls-files -- '*.[1-9]')
[ -n "$pages" ] || {
	echo "no manual page"
	exit 1
}
# shellcheck disable=SC2086 # one word each
exec mandoc -Tlint -W warning $pages
