/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/rrd_layout.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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
