#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/metrics.md says what the metric tables say.
set -eu
BUILD=${BUILD:-build}
make -s "$BUILD/metrics_page"
"$BUILD/metrics_page" | diff docs/metrics.md - || {
	echo "out of date: run make docs"
	exit 1
}
