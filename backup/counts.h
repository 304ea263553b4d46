/* SPDX-License-Identifier: Apache-2.0
 *
 * What is in a database or an archive, as numbers with names: "tables" 12, "triggers" 3, "keys" 1804.
 * Taken at the dump, kept in the manifest, compared after a drill.
 */
#ifndef BACKUP_COUNTS_H
#define BACKUP_COUNTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { COUNTS_MAX = 16, COUNTS_NAME_MAX = 32 };

struct counts {
	struct count {
		char name[COUNTS_NAME_MAX];
		int64_t n;
		/* Changes while the dump runs (rows of a live database): shown, not compared. */
		bool loose;
	} items[COUNTS_MAX];
	size_t n_items;
};

void counts_set(struct counts *c, const char *name, int64_t n, bool loose);
/* -1: not there. */
int64_t counts_get(const struct counts *c, const char *name);
/* 0 when all of `want` that is not loose is the same in `have`; else -EBADMSG, *e names each difference:
 * "tables: 12 were dumped, 11 are there". */
int counts_compare(const struct counts *want, const struct counts *have, struct err *e);
/* "12 tables, 3 triggers". */
void counts_describe(const struct counts *c, struct buf *out);
json_t *counts_to_json(const struct counts *c); /* {"tables":12,"rows":{"about":90}} */
int counts_from_json(const json_t *j, struct counts *out, struct err *e);

#endif
