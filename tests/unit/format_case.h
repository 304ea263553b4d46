/* SPDX-License-Identifier: Apache-2.0
 *
 * Dumps as files of the tests, and what the check of their format says of them.
 */
#ifndef TESTS_UNIT_FORMAT_CASE_H
#define TESTS_UNIT_FORMAT_CASE_H

#include <check.h>
#include <stdio.h>

#include "backup/format.h"

/* All of a file that fits into `to`; its size. */
static inline size_t format_read(const char *path, void *to, size_t max)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(to, 1, max, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_uint_lt(n, max);
	return n;
}

/* In pieces of so many bytes. */
static inline int format_check(
	const struct format *f, const void *data, size_t n, size_t piece, struct err *why)
{
	struct sink *s = NULL;
	int r = f->checker(&s, why);

	for (size_t i = 0; i < n && r == 0; i += piece)
		r = sink_write(s, (const char *)data + i, n - i < piece ? n - i : piece, why);
	if (r == 0)
		r = sink_finish(s, why);
	sink_free(s);
	return r;
}

#endif
