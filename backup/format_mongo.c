/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/format.h"
#include "backup/mongo_archive.h"

static int checker_new(struct sink **out, struct err *e)
{
	(void)e;
	*out = mongo_archive_sink(mongo_archive_new());
	return 0;
}

const struct format format_mongo_archive = {
	.name = "mongo_archive",
	.suffix = ".archive",
	.doc = "MongoDB dump (archive)",
	.min_bytes = 20,
	.checker = checker_new,
};
