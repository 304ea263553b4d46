/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/listen.h"

#include <errno.h>
#include <sys/socket.h>

#include "agent/address.h"
#include "base/cleanup.h"

enum { BACKLOG = 128 };

int listen_tcp(const char *address, char *out_address, size_t size, struct err *e)
{
	struct sockaddr_storage a;
	socklen_t len;
	const int on = 1;
	_cleanup_(close_p) int fd = -1;
	int r = address_parse(address, &a, &len, e);

	if (r < 0)
		return r;
	fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "listen on %s", address);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, (const struct sockaddr *)&a, len) < 0 || listen(fd, BACKLOG) < 0) {
		if (errno == EADDRINUSE)
			return err_set(e, EADDRINUSE,
				"%s is in use by another program; choose another with --listen "
				"ADDRESS:PORT"
				" or the option `listen`",
				address);
		return err_sys(e, "listen on %s", address);
	}
	len = sizeof(a);
	if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return err_sys(e, "listen on %s", address);
	address_format(out_address, size, &a);
	return take_fd(&fd);
}
