/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "backup/format.h"
#include "backup/mongo_archive.h"

struct checker {
	struct sink sink;
	struct mongo_archive *archive;
};

static int checker_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	return mongo_archive_feed(((struct checker *)s)->archive, data, n, e);
}

static int checker_finish(struct sink *s, struct err *e)
{
	return mongo_archive_end(((struct checker *)s)->archive, e);
}

static void checker_free(struct sink *s)
{
	struct checker *c = (struct checker *)s;

	mongo_archive_free(c->archive);
	free(c);
}

static int checker_new(struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {checker_write, checker_finish, checker_free};
	struct checker *c = calloc(1, sizeof(*c));

	(void)e;
	if (!c)
		abort();
	c->sink.ops = &ops;
	c->archive = mongo_archive_new();
	*out = &c->sink;
	return 0;
}

const struct format format_mongo_archive = {
	.name = "mongo_archive",
	.suffix = ".archive",
	.doc = "MongoDB dump (archive)",
	.min_bytes = 20,
	.checker = checker_new,
};
