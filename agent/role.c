/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/role.h"

#include <string.h>

#include "base/cleanup.h"

static const char *const names[] = {
	[ROLE_NONE] = "none", [ROLE_VIEWER] = "viewer", [ROLE_ADMIN] = "admin"};

const char *role_name(enum role r)
{
	return names[r];
}

enum role role_from(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum role)i;
	return ROLE_NONE;
}
