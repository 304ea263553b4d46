/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/engine.h"

#include <string.h>

const struct engine *const engines[] = {
	&engine_command,
	&engine_directory,
	&engine_mariadb,
	&engine_mongodb,
	&engine_mysql,
	&engine_postgresql,
	&engine_redis,
	&engine_sqlite,
	&engine_volume,
	NULL,
};

const struct engine *engine_find(const char *name)
{
	for (const struct engine *const *x = engines; *x; x++)
		if (strcmp((*x)->name, name) == 0)
			return *x;
	return NULL;
}
