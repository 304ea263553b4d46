/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/str.h"

enum {
	NESTING_MAX = 32,
	/* One read, a page with its terminator; a long line is read in larger pieces. */
	READ_SMALL = 4095,
	READ_LARGE = 65536,
	/* Buffers larger than this are given back when they are empty. */
	KEEP_BYTES = 65536,
};

struct wire {
	struct wire_options o;
	struct loop *loop;
	struct loop_fd *watch;
	/* Tells the owner of an end that was noticed while sending. */
	struct loop_timer *over_timer;
	int fd;
	struct buf in;
	size_t scanned; /* bytes of `in` without a newline */
	struct buf out;
	size_t sent; /* bytes of `out` the kernel has */
	bool waits_for_room;
	bool over;
	bool calling; /* inside a callback of the owner */
	bool freed;
	char why[200];
};

static int check_nesting(const char *text, size_t len, struct err *e)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!in_string && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > NESTING_MAX)
			return err_set(e, EINVAL, "nested deeper than %d levels", NESTING_MAX);
	}
	return 0;
}

json_t *wire_parse(const char *text, size_t len, struct err *e)
{
	json_error_t je;
	json_t *j;

	if (len && memchr(text, '\0', len)) {
		(void)err_set(e, EINVAL, "not JSON: there is a NUL byte in it");
		return NULL;
	}
	if (check_nesting(text, len, e) < 0)
		return NULL;
	j = json_loadb(len ? text : "", len, JSON_REJECT_DUPLICATES, &je);
	if (!j) {
		(void)err_set(e, EINVAL, "not JSON: %s (at byte %d)", je.text, je.position);
		return NULL;
	}
	if (!json_is_object(j)) {
		json_decref(j);
		(void)err_set(e, EINVAL, "not a JSON object");
		return NULL;
	}
	return j;
}

static void shrink(struct buf *b)
{
	if (b->cap > KEEP_BYTES)
		buf_done(b);
	else
		buf_clear(b);
}

static void stop_watching(struct wire *w)
{
	loop_remove_fd(w->watch);
	w->watch = NULL;
}

/* The last thing a wire does. It may not exist any more afterwards. */
static void tell_owner(struct wire *w)
{
	loop_timer_stop(w->over_timer);
	stop_watching(w);
	w->o.on_closed(w->o.user, w->why);
}

static void on_over(void *user)
{
	tell_owner(user);
}

static void end(struct wire *w, const char *why)
{
	w->over = true;
	(void)str_copy(w->why, sizeof(w->why), why);
}

/* For ends noticed outside the loop's callbacks: the owner hears of it in the next turn. */
static void end_later(struct wire *w, const char *why)
{
	end(w, why);
	stop_watching(w);
	loop_timer_after(w->over_timer, 0);
}

/* Delivers one line. Returns false when the wire is over or gone. */
static bool deliver(struct wire *w, const char *line, size_t len)
{
	struct err e = {""};
	json_t *j = wire_parse(line, len, &e);

	if (!j) {
		end(w, e.msg);
		return false;
	}
	w->o.on_message(w->o.user, j);
	json_decref(j);
	return !w->freed && !w->over;
}

static bool deliver_lines(struct wire *w)
{
	size_t start = 0;
	char *newline;

	while ((newline = memchr(w->in.data + w->scanned, '\n', w->in.len - w->scanned))) {
		size_t at = (size_t)(newline - w->in.data);

		if (!deliver(w, w->in.data + start, at - start))
			return false;
		start = w->scanned = at + 1;
	}
	buf_consume(&w->in, start);
	w->scanned = w->in.len;
	if (!w->in.len)
		shrink(&w->in);
	return true;
}

static void read_some(struct wire *w)
{
	char why[100];
	size_t room = w->in.max - w->in.len;
	size_t want = w->in.len < READ_SMALL ? READ_SMALL : READ_LARGE;
	ssize_t n;

	if (want > room)
		want = room;
	n = recv(w->fd, buf_reserve(&w->in, want), want, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		(void)snprintf(why, sizeof(why), "receive: %s", err_text(-errno));
		end(w, why);
		return;
	}
	if (n == 0) {
		end(w, w->in.len ? "the connection ended within a message" : "");
		return;
	}
	buf_grew(&w->in, (size_t)n);
	if (deliver_lines(w) && w->in.len == w->in.max) {
		(void)snprintf(
			why, sizeof(why), "a message is longer than %zu bytes", w->o.max_line);
		end(w, why);
	}
}

static void watch_for_room(struct wire *w, bool on)
{
	if (w->waits_for_room == on)
		return;
	w->waits_for_room = on;
	loop_change_fd(w->watch, on ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Gives the kernel what it takes of `text` and a newline: bytes taken, or a negative errno. */
static ssize_t send_some(struct wire *w, const char *text, size_t len, bool newline)
{
	struct iovec parts[2] = {{(void *)(uintptr_t)text, len}, {(void *)(uintptr_t) "\n", 1}};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = newline ? 2 : 1};
	ssize_t n;

	do
		n = sendmsg(w->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

static int send_queued(struct wire *w)
{
	ssize_t n = send_some(w, w->out.data + w->sent, w->out.len - w->sent, false);

	if (n < 0)
		return (int)n;
	w->sent += (size_t)n;
	if (w->sent == w->out.len) {
		shrink(&w->out);
		w->sent = 0;
	}
	watch_for_room(w, w->out.len > 0);
	return 0;
}

static void on_ready(void *user, int fd, uint32_t events)
{
	struct wire *w = user;
	char why[100];

	(void)fd;
	w->calling = true;
	if (events & EPOLLOUT) {
		int r = send_queued(w);

		if (r < 0) {
			(void)snprintf(why, sizeof(why), "send: %s", err_text(r));
			end(w, why);
		}
	}
	if (!w->over && events & ~(uint32_t)EPOLLOUT)
		read_some(w);
	w->calling = false;
	if (w->freed)
		free(w);
	else if (w->over)
		tell_owner(w);
}

int wire_new(struct loop *l, int fd, const struct wire_options *o, struct wire **out, struct err *e)
{
	struct wire *w = calloc(1, sizeof(*w));
	int flags = fcntl(fd, F_GETFL);
	int r;

	if (!w)
		abort();
	w->o = *o;
	w->loop = l;
	w->fd = fd;
	buf_init(&w->in, o->max_line + 1);
	/* What is sent already stands before the queue until it is moved away. */
	buf_init(&w->out, 2 * o->max_queue);
	w->over_timer = loop_timer_new(l, on_over, w);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		r = err_sys(e, "make descriptor %d non-blocking", fd);
	else
		r = loop_add_fd(l, fd, EPOLLIN, on_ready, w, &w->watch, e);
	if (r < 0) {
		wire_free(w);
		return r;
	}
	*out = w;
	return 0;
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	assert(!w->freed);
	stop_watching(w);
	loop_timer_free(w->over_timer);
	(void)close(w->fd);
	buf_done(&w->in);
	buf_done(&w->out);
	w->freed = true;
	if (!w->calling)
		free(w);
}

/* Moves the queue to the front when that costs no more than what was sent since. */
static void compact(struct wire *w)
{
	if (w->sent < w->out.len - w->sent)
		return;
	buf_consume(&w->out, w->sent);
	w->sent = 0;
}

static int refuse(struct wire *w)
{
	char why[100];

	(void)snprintf(
		why, sizeof(why), "the peer does not read: %zu bytes are waiting", wire_queued(w));
	end_later(w, why);
	return -ENOBUFS;
}

static int lose(struct wire *w, int r)
{
	char why[100];

	(void)snprintf(why, sizeof(why), "send: %s", err_text(r));
	end_later(w, why);
	return -EPIPE;
}

int wire_send_text(struct wire *w, const char *text, size_t len)
{
	ssize_t n = 0;

	assert(!memchr(text, '\n', len));
	if (w->over)
		return -EPIPE;
	if (len + 1 > w->o.max_queue)
		return -EMSGSIZE;
	compact(w);
	if (!w->out.len)
		n = send_some(w, text, len, true);
	if (n < 0)
		return lose(w, (int)n);
	if ((size_t)n == len + 1)
		return 0;
	if (wire_queued(w) + len + 1 > w->o.max_queue)
		return refuse(w);
	buf_add(&w->out, text + n, len - (size_t)n);
	buf_addc(&w->out, '\n');
	watch_for_room(w, true);
	return 0;
}

static int add_bytes(const char *bytes, size_t n, void *user)
{
	struct buf *b = user;

	buf_add(b, bytes, n);
	return b->overflow ? -1 : 0;
}

int wire_send(struct wire *w, const json_t *message)
{
	_cleanup_(buf_done) struct buf text;

	if (w->over)
		return -EPIPE;
	buf_init(&text, w->o.max_queue);
	if (json_dump_callback(message, add_bytes, &text, JSON_COMPACT) < 0)
		return text.overflow ? -EMSGSIZE : -EINVAL;
	return wire_send_text(w, buf_str(&text), text.len);
}

size_t wire_queued(const struct wire *w)
{
	return w->out.len - w->sent;
}
