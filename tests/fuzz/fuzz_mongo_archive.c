/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>

#include "backup/mongo_archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In pieces and at once: the same verdict. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mongo_archive *a = mongo_archive_new(), *b = mongo_archive_new();
	struct err e;
	int x = sink_write(mongo_archive_sink(a), data, size, &e), y = 0;

	for (size_t i = 0; i < size && y == 0; i++)
		y = sink_write(mongo_archive_sink(b), data + i, 1, &e);
	assert(x == y);
	if (x == 0)
		assert(sink_finish(mongo_archive_sink(a), &e) ==
			sink_finish(mongo_archive_sink(b), &e));
	assert(mongo_archive_documents(a) == mongo_archive_documents(b));
	sink_free(mongo_archive_sink(a));
	sink_free(mongo_archive_sink(b));
	return 0;
}
