/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backup/manifest.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a store hands out as a manifest: whatever is accepted names nothing outside of its own folder, and is the
 * same after another round. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest *m, *again;
	struct err e = {""};
	char *folder, *first, *second;

	if (manifest_from_text((const char *)data, size, &m, &e) < 0) {
		assert(*e.msg);
		return 0;
	}
	folder = str_format("%s/%s/", m->job, m->id);
	for (size_t i = 0; i < m->n_members; i++)
		for (size_t s = 0; s < m->members[i].n_segments; s++) {
			const char *key = m->members[i].segments[s].key;

			assert(str_starts(key, folder));
			assert(!strchr(key + strlen(folder), '/'));
			assert(strcmp(key + strlen(folder), MANIFEST_NAME) != 0);
		}
	json_decref(manifest_summary(m));
	first = manifest_to_text(m);
	assert(manifest_from_text(first, strlen(first), &again, &e) == 0);
	second = manifest_to_text(again);
	assert(strcmp(first, second) == 0);
	manifest_free(again);
	manifest_free(m);
	free(first);
	free(second);
	free(folder);
	return 0;
}
