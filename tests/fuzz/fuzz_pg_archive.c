/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backup/pg_archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *user, const struct pg_archive_entry *x)
{
	(void)user;
	assert(memchr(x->tag, '\0', sizeof(x->tag)));
	assert(memchr(x->definition, '\0', sizeof(x->definition)));
}

/* In pieces and at once: the same verdict. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pg_archive *a = pg_archive_new(look, NULL), *b = pg_archive_new(NULL, NULL);
	struct err e;
	int x = sink_write(pg_archive_sink(a), data, size, &e), y = 0;

	for (size_t i = 0; i < size && y == 0; i++)
		y = sink_write(pg_archive_sink(b), data + i, 1, &e);
	assert(x == y);
	if (x == 0)
		assert(sink_finish(pg_archive_sink(a), &e) == sink_finish(pg_archive_sink(b), &e));
	sink_free(pg_archive_sink(a));
	sink_free(pg_archive_sink(b));
	return 0;
}
