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
	int x = pg_archive_feed(a, data, size, &e), y = 0;

	for (size_t i = 0; i < size && y == 0; i++)
		y = pg_archive_feed(b, data + i, 1, &e);
	assert(x == y);
	if (x == 0)
		assert(pg_archive_end(a, &e) == pg_archive_end(b, &e));
	pg_archive_free(a);
	pg_archive_free(b);
	return 0;
}
