/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/docker_http.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum {
	PIECE_BYTES = 32 * 1024,
	REQUEST_MAX = 1024 * 1024,
	STOPPED_MS = 10 * 1000, /* for an answer, once a stop was requested */
};

int docker_connect(const char *socket_path, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(close_p) int fd = -1;

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return err_set(e, ENAMETOOLONG, "%s: too long for a socket", socket_path);
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int code = errno;

		/* -ENOENT is for what the engine does not know. */
		return err_set(e, code == ENOENT ? ECONNREFUSED : code, "container engine: %s: %s",
			socket_path, err_text(-code));
	}
	return take_fd(&fd);
}

/* Until fd is ready for `events`. A stop does not cut a call short, since half a call would leave a container paused, but it may
 * not take long any more. */
static int wait_for(int fd, short events, int64_t until, struct err *e)
{
	struct pollfd fds[2] = {{fd, events, 0}, {stop_requested() ? -1 : stop_fd(), POLLIN, 0}};

	for (;;) {
		int64_t now = clock_mono_ms();
		int n;

		if (stop_requested() && (!until || until > now + STOPPED_MS)) {
			until = now + STOPPED_MS;
			fds[1].fd = -1;
		}
		if (until && until <= now)
			return err_set(e, ETIMEDOUT, "container engine: no answer in time");
		n = poll(fds, 2, !until || until - now > 60000 ? 60000 : (int)(until - now));
		if (n < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (n > 0 && fds[0].revents)
			return 0;
	}
}

int docker_send(int fd, const void *data, size_t n, int64_t until, struct err *e)
{
	const char *bytes = data;

	while (n) {
		ssize_t put = send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		int r = 0;

		if (put > 0) {
			bytes += put;
			n -= (size_t)put;
			continue;
		}
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "container engine: write");
		r = wait_for(fd, POLLOUT, until, e);
		if (r < 0)
			return r;
	}
	return 0;
}

ssize_t docker_recv(int fd, void *to, size_t n, int flags, int64_t until, struct err *e)
{
	for (;;) {
		ssize_t got = recv(fd, to, n, flags | MSG_DONTWAIT);
		int r;

		if (got >= 0)
			return got;
		if (errno != EAGAIN && errno != EINTR)
			return err_sys(e, "container engine: read");
		r = wait_for(fd, POLLIN, until, e);
		if (r < 0)
			return r;
	}
}

int docker_send_request(int fd, const char *method, const char *path, const json_t *body,
	bool upgrade, int64_t until, struct err *e)
{
	_cleanup_(free_p) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	_cleanup_(buf_done) struct buf b = BUF_INIT(REQUEST_MAX);

	buf_addf(&b, "%s %s HTTP/1.1\r\nHost: docker\r\nConnection: %s\r\n", method, path,
		upgrade ? "Upgrade\r\nUpgrade: tcp" : "close");
	if (text)
		buf_addf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			strlen(text), text);
	else
		buf_adds(&b, strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n\r\n" : "\r\n");
	if (b.overflow)
		return err_set(e, EMSGSIZE, "container engine: the request is too long");
	return docker_send(fd, b.data, b.len, until, e);
}

/* By looking at what is there first: bytes behind the head may belong to a stream that others read. */
int docker_recv_head(int fd, struct docker_head *out, int64_t until, struct err *e)
{
	char text[DOCKER_HEAD_MAX];
	size_t have = 0;

	for (;;) {
		ssize_t n = docker_recv(fd, text + have, sizeof(text) - have, MSG_PEEK, until, e);
		size_t take;
		int r;

		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_set(
				e, EBADMSG, "container engine: it hung up without an answer");
		r = docker_head_parse(text, have + (size_t)n, out, e);
		if (r < 0)
			return r;
		take = r ? out->bytes - have : (size_t)n;
		n = docker_recv(fd, text + have, take, 0, until, e);
		if (n < 0)
			return (int)n;
		have += (size_t)n;
		if (r && have == out->bytes)
			return 0;
	}
}

int docker_recv_body(
	int fd, const struct docker_head *head, struct buf *out, int64_t until, struct err *e)
{
	struct docker_chunks chunks = {0};
	char bytes[PIECE_BYTES];
	int64_t left = head->length;
	int r = 0;

	if (head->status == 204 || head->status == 304)
		return 0;
	while (r == 0 && !chunks.done && (head->chunked || left != 0)) {
		ssize_t n = docker_recv(fd, bytes, sizeof(bytes), 0, until, e);

		if (n < 0)
			return (int)n;
		if (n == 0 && (head->chunked || left > 0))
			return err_set(e, EBADMSG, "container engine: its answer was cut short");
		if (n == 0)
			break;
		if (!head->chunked && left > 0 && n > left)
			n = (ssize_t)left;
		if (head->chunked)
			r = docker_chunks_add(&chunks, bytes, (size_t)n, out, e);
		else
			buf_add(out, bytes, (size_t)n);
		left -= !head->chunked && left > 0 ? n : 0;
		if (out->overflow)
			return err_set(e, EFBIG, "container engine: its answer is too long");
	}
	return r;
}
