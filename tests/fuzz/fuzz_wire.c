/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the wire accepts can be sent again, and means the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;
	json_t *j = wire_parse((const char *)data, size, &e), *again;
	char *text;

	if (!j)
		return 0;
	text = json_dumps(j, JSON_COMPACT);
	assert(text);
	again = wire_parse(text, strlen(text), &e);
	assert(again && json_equal(j, again));
	json_decref(again);
	json_decref(j);
	free(text);
	return 0;
}
