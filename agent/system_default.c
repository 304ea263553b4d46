/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/system_default.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/str.h"

static void host_name(char *to, size_t size)
{
	struct utsname u;

	(void)str_copy(to, size, uname(&u) == 0 && u.nodename[0] ? u.nodename : "localhost");
}

/* $TZ when it is a plain name, else what /etc/localtime points to (localtime(5)), else UTC. */
static void time_zone(char *to, size_t size)
{
	static const char folder[] = "/zoneinfo/";
	const char *tz = getenv("TZ"), *name;
	char target[4096];
	ssize_t n;

	if (tz && *tz && *tz != ':' && *tz != '/') {
		(void)str_copy(to, size, tz);
		return;
	}
	n = readlink("/etc/localtime", target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	name = strstr(target, folder);
	(void)str_copy(to, size, name ? name + strlen(folder) : "UTC");
}

void system_default(const char *name, char *to, size_t size)
{
	(void)str_copy(to, size, "");
	if (strcmp(name, "hostname") == 0)
		host_name(to, size);
	else if (strcmp(name, "timezone") == 0)
		time_zone(to, size);
}

const char *system_example(const char *name)
{
	return strcmp(name, "hostname") == 0 ? "vps1" : strcmp(name, "timezone") == 0 ? "UTC" : "";
}
