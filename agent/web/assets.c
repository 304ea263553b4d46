/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/assets.h"

#include <string.h>

enum { VERSION_LEN = 12 };

/* In the file embed.sh makes; the table is ended by a row without a name. */
extern const struct asset assets_table[] __attribute__((visibility("hidden")));
extern const char assets_version[] __attribute__((visibility("hidden")));

const struct asset *asset_find(const char *name)
{
	for (const struct asset *a = assets_table; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

const struct asset *asset_find_path(const char *path, bool *is_lasting)
{
	bool has_version =
		strspn(path, "0123456789abcdef") == VERSION_LEN && path[VERSION_LEN] == '/';

	*is_lasting = has_version && strncmp(path, assets_version, VERSION_LEN) == 0;
	return asset_find(has_version ? path + VERSION_LEN + 1 : path);
}
