/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/severity.h"

#include <string.h>

static const char *const names[] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_CRITICAL] = "critical",
};

enum { SEVERITIES = sizeof(names) / sizeof(*names) };

const char *severity_name(enum severity s)
{
	return names[s];
}

bool severity_from(const char *name, enum severity *out)
{
	for (size_t i = 0; i < SEVERITIES; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*out = (enum severity)i;
		return true;
	}
	return false;
}
