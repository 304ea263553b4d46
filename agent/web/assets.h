/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of the dashboard, inside the binary. The table is made at build time by embed.sh.
 */
#ifndef AGENT_WEB_ASSETS_H
#define AGENT_WEB_ASSETS_H

#include <stdbool.h>
#include <stdint.h>

struct asset {
	const char *name; /* file name: "index.html" */
	const char *type;
	const char *etag; /* with its quotes; changes with the content */
	const void *data;
	uint64_t len;
	const void *gz; /* gzip'd; NULL when that is not smaller */
	uint64_t gz_len;
};

/* NULL when there is none of that name. */
const struct asset *asset_find(const char *name);
/* Of "NAME" or "VERSION/NAME". *is_lasting: that address will never give anything else, so it
 * may be kept for ever. A page loaded before an upgrade still asks by the version before: it
 * gets what there is now. */
const struct asset *asset_find_path(const char *path, bool *is_lasting);

#endif
