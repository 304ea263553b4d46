/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_folders.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

enum { PARENTS_MAX = 4 }; /* build/asan/tests/test_x */

static const char installed[] = "lib/agent/hooks", source[] = "deploy-hooks/hooks";

static bool has_hooks(const char *folder)
{
	_cleanup_(free_p) char *file = str_format("%s/lib/common.sh", folder);

	return access(file, R_OK) == 0;
}

/* Cuts the last part off; false: there is none. */
static bool to_parent(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return false;
	*slash = '\0';
	return true;
}

static char *below(const char *folder, const char *name)
{
	return str_format("%s/%s", folder, name);
}

char *deploy_shipped_hooks_of(const char *program)
{
	_cleanup_(free_p) char *folder = str_dup(program);
	_cleanup_(free_p) char *first = NULL;

	if (!to_parent(folder) || !to_parent(folder))
		return below("/usr", installed);
	first = below(folder, installed);
	if (has_hooks(first))
		return TAKE_PTR(first);
	for (int i = 0; i < PARENTS_MAX; i++) {
		_cleanup_(free_p) char *here = below(folder, source);

		if (has_hooks(here))
			return TAKE_PTR(here);
		if (!to_parent(folder))
			break;
	}
	return TAKE_PTR(first);
}

char *deploy_own_program(void)
{
	static const char deleted[] = " (deleted)";
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	/* It was replaced by an update; the new one is where it was. */
	if (str_ends(path, deleted))
		path[(size_t)n - strlen(deleted)] = '\0';
	return str_dup(path);
}

char *deploy_shipped_hooks(void)
{
	_cleanup_(free_p) char *program = deploy_own_program();

	return deploy_shipped_hooks_of(program ? program : "/usr/bin/agent");
}
