/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/engine.h"

#include <errno.h>
#include <stdbool.h>
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

int engine_check_server_job(const struct job *j, struct err *e)
{
	if (j->socket && j->host)
		return err_set(e, EINVAL, "socket: cannot be set together with host");
	for (size_t i = 0; i < j->database.n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(j->database.items[i], j->database.items[k]) == 0)
				return err_set(e, EINVAL, "database: %s is named twice",
					j->database.items[i]);
	return 0;
}

static bool is_option(const char *argument, const char *option)
{
	size_t n = strlen(option);
	bool is_short = option[1] != '-';

	return strncmp(argument, option, n) == 0 &&
	       (is_short || argument[n] == '\0' || argument[n] == '=');
}

int engine_check_arguments(const struct job *j, const char *const *refused, struct err *e)
{
	for (size_t i = 0; i < j->arguments.n; i++)
		for (const char *const *r = refused; *r; r++)
			if (is_option(j->arguments.items[i], *r))
				return err_set(e, EINVAL, "arguments: %s cannot be used here", *r);
	return 0;
}
