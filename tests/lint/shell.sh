#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script, found by its name or its first line, is clean for shellcheck
{
	git ls-files -- '*.sh'
	git grep -lE '^#!/bin/(ba)?sh' | grep -vE '\.(sh|md)$'
} | sort -u | xargs shellcheck
