#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh DYGRAPHS_DIR BUILD_DIR: prints an assembler file that holds the dashboard's files and dygraphs,
# plain and gzip'd, with the table `assets_table` of struct asset (assets.h). BUILD_DIR keeps what is embedded.
# The files call each other "/assets/NAME"; here that becomes "/assets/VERSION/NAME", VERSION being a hash of them all, so that
# browsers may keep what they have for ever. Data and pointers only: any GNU-style assembler takes it.
set -eu

dygraphs=$1
build=$2
here=$(dirname "$0")/dashboard

for file in dygraph.min.js dygraph.min.css; do
	if [ ! -r "$dygraphs/$file" ]; then
		echo "embed.sh: $dygraphs/$file is missing: install libjs-dygraphs (Debian, Ubuntu)," \
			"or unpack dygraphs 2 somewhere and call make DYGRAPHS=that/folder" >&2
		exit 1
	fi
done

type_of() {
	case $1 in
	*.html) echo "text/html; charset=utf-8" ;;
	*.css) echo "text/css; charset=utf-8" ;;
	*.js | *.mjs) echo "text/javascript; charset=utf-8" ;;
	*.json | *.webmanifest) echo "application/json" ;;
	*.svg) echo "image/svg+xml" ;;
	*.png) echo "image/png" ;;
	*.ico) echo "image/x-icon" ;;
	*.woff2) echo "font/woff2" ;;
	*.txt) echo "text/plain; charset=utf-8" ;;
	*)
		echo "embed.sh: $1: no content type is known for this file name" >&2
		return 1
		;;
	esac
}

hash_of() {
	sha256sum <"$1" | cut -c 1-32
}

out=$build/assets
rm -rf "$out"
mkdir -p "$out"
version=$(cat "$dygraphs/dygraph.min.css" "$dygraphs/dygraph.min.js" "$here"/* | sha256sum | cut -c 1-12)
# Browsers with open developer tools ask for the file a sourceMappingURL names; it is not shipped.
for file in dygraph.min.css dygraph.min.js; do
	sed '/^\/\/# sourceMappingURL=/d; s/\/\*# sourceMappingURL=[^*]*\*\///' "$dygraphs/$file" >"$out/$file"
done
for file in "$here"/*; do
	case $file in
	*.css | *.html | *.js) sed "s|/assets/|/assets/$version/|g" "$file" >"$out/${file##*/}" ;;
	*) cp "$file" "$out/" ;;
	esac
done

absolute=$(cd "$out" && pwd)
n=0
table=
cat <<'HEAD'
/* Made by embed.sh. */
#if UINTPTR_MAX == 0xffffffff || __SIZEOF_POINTER__ == 4
#define POINTER .long
#else
#define POINTER .quad
#endif
	.section .rodata
HEAD
cat <<VERSION
	.globl assets_version
	.hidden assets_version
assets_version:
	.asciz "$version"
VERSION
for file in "$absolute"/*; do
	name=${file##*/}
	type=$(type_of "$name")
	gzip -9nc "$file" >"$build/asset$n.gz"
	cat <<ROW
n$n:	.asciz "$name"
t$n:	.asciz "$type"
e$n:	.asciz "\"$(hash_of "$file")\""
	.balign 16
d$n:	.incbin "$file"
d${n}_end:
ROW
	row="	POINTER n$n, t$n, e$n, d$n\n	.quad d${n}_end - d$n\n"
	if [ "$(wc -c <"$build/asset$n.gz")" -lt "$(wc -c <"$file")" ]; then
		printf '\t.balign 16\ng%s:\t.incbin "%s"\ng%s_end:\n' "$n" "${absolute%/*}/asset$n.gz" "$n"
		row="$row	POINTER g$n\n	.quad g${n}_end - g$n\n"
	else
		row="$row	POINTER 0\n	.quad 0\n"
	fi
	table="$table$row"
	n=$((n + 1))
done
cat <<'HEAD'
	.section .data.rel.ro, "aw"
	.balign 8
	.globl assets_table
	.hidden assets_table
assets_table:
HEAD
# shellcheck disable=SC2059 # the rows are our own text with \n in it
printf "$table"
cat <<'TAIL'
	POINTER 0, 0, 0, 0
	.quad 0
	POINTER 0
	.quad 0
	.section .note.GNU-stack, "", %progbits
TAIL
