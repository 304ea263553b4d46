#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything, tests and fuzz targets too, builds with clang without a warning. Its warnings do not depend on optimization, which
# takes most of the time; hardening wants it.
exec make -s -j2 BUILD="${BUILD:-build}/lint-clang" CC=clang CFLAGS=-O0 HARDEN=-fPIE EXTRA=-Werror everything
