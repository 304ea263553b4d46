/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/address.h"
#include "base/cleanup.h"
#include "base/str.h"

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

/* Connecting a UDP socket only chooses a route and with it a source address. 192.0.2.1 is for
 * documentation (RFC 5737): it lies behind the default route. */
static bool own_address(char *to, size_t size)
{
	struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	_cleanup_(close_p) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	far.sin_addr.s_addr = htonl(0xc0000201);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&far, sizeof(far)) < 0 ||
		getsockname(fd, (struct sockaddr *)&own, &len) < 0)
		return false;
	address_format(to, size, &own);
	*strrchr(to, ':') = '\0';
	return true;
}

void listen_visible_address(const char *bound, char *to, size_t size)
{
	const char *port = strrchr(bound, ':');
	char own[80];

	if (!str_starts(bound, "0.0.0.0:") && !str_starts(bound, "[::]:"))
		(void)snprintf(to, size, "%s", bound);
	else
		(void)snprintf(
			to, size, "%s%s", own_address(own, sizeof(own)) ? own : "localhost", port);
}
