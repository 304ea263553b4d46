/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/assets.h"

#include <string.h>

/* In the file embed.sh makes; ended by a row without a name. */
extern const struct asset assets_table[] __attribute__((visibility("hidden")));

const struct asset *asset_find(const char *name)
{
	for (const struct asset *a = assets_table; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}
