#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/metrics.md and docs/rules.md say what the tables of metrics and of built-in rules say.
set -eu
BUILD=${BUILD:-build}
make -s "$BUILD/metrics_page" "$BUILD/rules_page"
for page in metrics rules; do
	"$BUILD/${page}_page" | diff "docs/$page.md" - || {
		echo "docs/$page.md is out of date: run make docs"
		exit 1
	}
done
