/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/rrd_layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

int rrd_archive_parse(
	const char *text, int64_t step_seconds, struct rrd_archive *out, struct err *e)
{
	const char *mid = strstr(text, " for ");
	_cleanup_(free_p) char *row_text = NULL;
	int64_t row_ms, span_ms;
	int r;

	if (!mid)
		return err_set(e, EINVAL, "\"%s\" is not of the form \"20s for 2d\"", text);
	row_text = str_ndup(text, (size_t)(mid - text));
	r = str_to_duration_ms(row_text, &row_ms, e);
	if (r == 0)
		r = str_to_duration_ms(mid + 5, &span_ms, e);
	if (r < 0)
		return r;
	if (row_ms <= 0 || row_ms % (step_seconds * 1000) != 0)
		return err_set(e, EINVAL,
			"row \"%s\" is not a multiple of the interval (%" PRId64 "s)", row_text,
			step_seconds);
	if (span_ms < row_ms || span_ms % 1000 != 0 || span_ms / row_ms > 1000000)
		return err_set(e, EINVAL, "\"%s\" must hold 1 to 1000000 rows", text);
	*out = (struct rrd_archive){row_ms / 1000, span_ms / 1000};
	return 0;
}

int64_t rrd_layout_longest_seconds(const struct rrd_layout *l)
{
	int64_t longest = 0;

	for (size_t i = 0; i < l->n_archives; i++)
		if (l->archives[i].span_seconds > longest)
			longest = l->archives[i].span_seconds;
	return longest;
}

/* FNV-1a, 32 bits. */
static uint32_t hash_text(const char *s)
{
	uint32_t h = 2166136261U;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return h;
}

void rrd_file_name(char *to, size_t size, const struct entity_class *c, const char *key)
{
	static const char safe[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@";
	const size_t name_max =
		200; /* file names hold 255 bytes; ".rrd.broken-<time>" must fit too */
	int at = snprintf(to, size, "%s/", c->name);
	size_t n = (size_t)at;

	for (const char *p = key; *p && n - (size_t)at < name_max; p++) {
		bool plain = strchr(safe, *p) && !(p == key && *p == '.');

		n += (size_t)snprintf(to + n, size - n, plain ? "%c" : "%%%02X", (unsigned char)*p);
	}
	if (n - (size_t)at >= name_max)
		n = (size_t)at +
		    (size_t)snprintf(to + at + name_max - 9, size, "~%08x", hash_text(key)) +
		    name_max - 9;
	(void)snprintf(to + n, size - n, ".rrd");
}
