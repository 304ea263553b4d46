#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything, tests and fuzz targets too, builds with clang without a warning.
exec make -s -j2 BUILD="${BUILD:-build}/lint-clang" CC=clang CFLAGS=-O2 EXTRA=-Werror everything
