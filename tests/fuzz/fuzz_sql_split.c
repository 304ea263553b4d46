/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backup/sql_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Statements follow each other within the script, and each is shorter than what is left. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum sql_dialect dialects[] = {SQL_POSTGRESQL, SQL_MYSQL};
	const char *start = (const char *)data, *end = start + size;

	for (size_t i = 0; i < 2; i++) {
		struct sql_script s = {start, end, dialects[i]};
		const char *text, *at = start, *rest;
		char name[64];
		size_t n;

		while (sql_next(&s, &text, &n)) {
			assert(text >= at && n > 0 && n <= (size_t)(end - text));
			at = text + n;
			rest = text;
			if (sql_name(&rest, at, '"', name, sizeof(name)))
				assert(rest <= at && strlen(name) < sizeof(name));
			if (sql_begins(text, n, "CREATE ROLE", &rest))
				assert(rest <= at);
		}
	}
	return 0;
}
