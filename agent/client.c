/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent/control.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/wire.h"

enum { LINE_MAX_BYTES = 64 << 20, READ_BYTES = 1 << 16 };

struct client {
	int fd;
	struct buf in;
	size_t searched; /* bytes of `in` known to hold no newline */
	json_int_t last_id;
};

/* Why connect(2) failed, in words. */
static int refused(const char *state_dir, const char *path, struct err *e)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
	case ENOTDIR:
		return err_set(e, ESRCH,
			"the agent is not running with the state folder %s\n"
			"Start it with: agent run --state %s (or: systemctl start agent), or name "
			"another folder with --state.",
			state_dir, state_dir);
	case EACCES:
	case EPERM:
		return err_set(e, EACCES,
			"no permission for %s; call this as root, as the user the agent runs as, "
			"or "
			"as a member of the group agent",
			path);
	default:
		return err_sys(e, "connect to %s", path);
	}
}

int client_open(const char *state_dir, struct client **out, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(free_p) char *path = str_format("%s/control.sock", state_dir);
	_cleanup_(close_p) int fd = -1;
	struct client *c;

	if (!str_copy(address.sun_path, sizeof(address.sun_path), path))
		return err_set(e, ENAMETOOLONG, "the path %s is too long for a socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return refused(state_dir, path, e);
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	buf_init(&c->in, LINE_MAX_BYTES);
	c->fd = take_fd(&fd);
	*out = c;
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	(void)close(c->fd);
	buf_done(&c->in);
	free(c);
}

int client_fd(const struct client *c)
{
	return c->fd;
}

static int ended(struct err *e)
{
	return err_set(e, EPIPE, "the agent closed the connection");
}

static int send_all(struct client *c, const char *text, size_t n, struct err *e)
{
	while (n > 0) {
		ssize_t r = send(c->fd, text, n, MSG_NOSIGNAL);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return errno == EPIPE ? ended(e) : err_sys(e, "send to the agent");
		text += r;
		n -= (size_t)r;
	}
	return 0;
}

/* Waits until there is something to read: 1; 0 at the deadline. */
static int wait_readable(struct client *c, int64_t deadline_ms, struct err *e)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	int64_t left = deadline_ms - clock_mono_ms();
	int r = poll(&p, 1, left > 0 ? (int)left : 0);

	return r < 0 ? err_sys(e, "wait for the agent") : r;
}

static int read_more(struct client *c, struct err *e)
{
	char *to = buf_reserve(&c->in, READ_BYTES);
	ssize_t n;

	if (!to)
		return err_set(e, EMSGSIZE, "the agent's answer is too large");
	n = recv(c->fd, to, READ_BYTES, 0);
	if (n < 0)
		return errno == ECONNRESET ? ended(e) : err_sys(e, "read from the agent");
	if (n == 0)
		return ended(e);
	buf_grew(&c->in, (size_t)n);
	return 0;
}

/* The next whole line as JSON: 1; 0 when none came before the deadline. */
static int next_message(struct client *c, int64_t deadline_ms, json_t **out, struct err *e)
{
	for (;;) {
		const char *text = buf_str(&c->in);
		const char *newline = memchr(text + c->searched, '\n', c->in.len - c->searched);
		int r;

		if (newline) {
			*out = wire_parse(text, (size_t)(newline - text), e);
			buf_consume(&c->in, (size_t)(newline - text) + 1);
			c->searched = 0;
			return *out ? 1 : err_wrap(e, -EBADMSG, "the agent's answer");
		}
		c->searched = c->in.len;
		r = wait_readable(c, deadline_ms, e);
		if (r > 0)
			r = read_more(c, e) < 0 ? -EPIPE : 1;
		if (r <= 0)
			return r;
	}
}

static int check_reply(json_t *message, json_t **reply, struct err *e)
{
	const char *text = json_string_value(json_object_get(message, "error"));

	if (json_is_true(json_object_get(message, "ok"))) {
		*reply = message;
		return 0;
	}
	(void)err_set(e, EREMOTEIO, "%s", text ? text : "the agent refused without a reason");
	json_decref(message);
	return -EREMOTEIO;
}

int client_call(struct client *c, json_t *request, json_t **reply, struct err *e)
{
	return client_call_within(c, request, CLIENT_TIMEOUT_MS, reply, e);
}

int client_call_within(
	struct client *c, json_t *request, int64_t timeout_ms, json_t **reply, struct err *e)
{
	int64_t deadline_ms = clock_mono_ms() + timeout_ms;
	_cleanup_(free_p) char *text = NULL;
	json_t *message;
	int r;

	(void)json_object_set_new(request, "id", json_integer(++c->last_id));
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!text)
		return err_set(e, EINVAL, "the request is not valid UTF-8");
	if (strlen(text) >= CONTROL_LINE_MAX)
		return err_set(
			e, E2BIG, "the request is longer than %d KiB", CONTROL_LINE_MAX / 1024);
	r = send_all(c, text, strlen(text), e);
	if (r == 0)
		r = send_all(c, "\n", 1, e);
	if (r < 0)
		return r;
	for (;;) {
		r = next_message(c, deadline_ms, &message, e);
		if (r == -EINTR)
			continue;
		if (r < 0)
			return r;
		if (r == 0)
			return err_set(e, ETIMEDOUT, "the agent did not answer within %d s",
				(int)(timeout_ms / 1000));
		if (json_integer_value(json_object_get(message, "id")) == c->last_id)
			return check_reply(message, reply, e);
		json_decref(message);
	}
}

int client_event(struct client *c, int timeout_ms, json_t **out, struct err *e)
{
	int64_t deadline_ms = clock_mono_ms() + timeout_ms;
	json_t *message;
	int r;

	for (;;) {
		r = next_message(c, deadline_ms, &message, e);
		if (r <= 0)
			return r;
		if (json_object_get(message, "event")) {
			*out = message;
			return CLIENT_EVENT;
		}
		json_decref(message);
	}
}
