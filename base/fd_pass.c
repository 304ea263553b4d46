/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd_pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for more than one, so that one too many is seen here and closed; what has no room the kernel closes. */
enum { RECEIVED_MAX = 4 };

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(RECEIVED_MAX * sizeof(int))];
};

static void attach(struct msghdr *m, union control *c, int fd)
{
	struct cmsghdr *h;

	memset(c, 0, sizeof(*c));
	m->msg_control = c->bytes;
	m->msg_controllen = CMSG_SPACE(sizeof(fd));
	h = CMSG_FIRSTHDR(m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
}

ssize_t fd_pass_send(int socket, struct iovec *parts, size_t n_parts, int fd)
{
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = n_parts};
	union control control;
	ssize_t n;

	if (fd >= 0)
		attach(&m, &control, fd);
	do
		n = sendmsg(socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

static void take_first(const struct cmsghdr *h, int *fd)
{
	size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		int one;

		memcpy(&one, CMSG_DATA(h) + i * sizeof(one), sizeof(one));
		if (*fd < 0)
			*fd = one;
		else
			(void)close(one);
	}
}

ssize_t fd_pass_receive(int socket, void *to, size_t n, int *fd)
{
	struct iovec part = {to, n};
	union control control;
	struct msghdr m = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);

	*fd = -1;
	for (struct cmsghdr *h = got < 0 ? NULL : CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
			take_first(h, fd);
	return got;
}
