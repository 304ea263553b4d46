/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/service_manager.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/str.h"

void service_manager_tell(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_(close_p) int fd = -1;

	if (!path || (path[0] != '/' && path[0] != '@') ||
		!str_copy(a.sun_path, sizeof(a.sun_path), path))
		return;
	if (path[0] == '@')
		a.sun_path[0] = '\0'; /* the abstract namespace */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* The manager may be gone; there is nobody to tell that. */
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
		return;
}

int64_t service_manager_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	uint64_t v;

	return usec && str_to_u64(usec, &v, NULL) == 0 ? (int64_t)(v / 3000) : 0;
}
