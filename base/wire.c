/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd_pass.h"
#include "base/str.h"

enum {
	/* One read, a page with its terminator; a long line is read in larger pieces. */
	READ_SMALL = 4095,
	READ_LARGE = 65536,
	/* Buffers larger than this are given back when they are empty. */
	KEEP_BYTES = 65536,
};

/* An open file that goes with the byte at `at` of the queue. */
struct fd_out {
	size_t at;
	int fd;
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
	struct fd_out fds_out[WIRE_FDS_MAX];
	size_t n_fds_out;
	bool accepts_fds;
	/* Open files that came: with the line at the start of `in`, with the last line begun in this
	 * read, with the line that is delivered now. -1: none. */
	int fd_first, fd_last, fd_now;
	bool waits_for_room;
	bool over;
	bool calling; /* inside a callback of the owner */
	bool freed;
	char why[200];
};

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

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Delivers one line. Returns false when the wire is over or gone. */
static bool deliver(struct wire *w, const char *line, size_t len, int fd)
{
	struct err e = {""};
	json_t *j = wire_parse(line, len, &e);

	w->fd_now = fd;
	if (j)
		w->o.on_message(w->o.user, j);
	else
		end(w, e.msg);
	close_fd(&w->fd_now);
	json_decref(j);
	return !w->freed && !w->over;
}

/* A read ends with the bytes that its descriptor was sent with, so that belongs to the last line
 * begun in it. */
static int fd_of_line(struct wire *w, bool is_first, bool is_last)
{
	int fd = is_first ? take_fd(&w->fd_first) : -1;

	return fd < 0 && is_last ? take_fd(&w->fd_last) : fd;
}

/* After all whole lines: it belongs to the one that is not whole yet. */
static void keep_fd(struct wire *w)
{
	if (w->in.len && w->fd_first < 0)
		w->fd_first = take_fd(&w->fd_last);
	close_fd(&w->fd_last);
}

static bool deliver_lines(struct wire *w)
{
	size_t start = 0;
	char *newline;

	while ((newline = memchr(w->in.data + w->scanned, '\n', w->in.len - w->scanned))) {
		size_t at = (size_t)(newline - w->in.data);

		if (!deliver(w, w->in.data + start, at - start,
			    fd_of_line(w, start == 0, at + 1 == w->in.len)))
			return false;
		start = w->scanned = at + 1;
	}
	buf_consume(&w->in, start);
	w->scanned = w->in.len;
	keep_fd(w);
	if (!w->in.len)
		shrink(&w->in);
	return true;
}

static ssize_t receive(struct wire *w, char *to, size_t n)
{
	return w->accepts_fds ? fd_pass_receive(w->fd, to, n, &w->fd_last) : recv(w->fd, to, n, 0);
}

static void read_some(struct wire *w)
{
	char why[100];
	size_t room = w->in.max - w->in.len;
	size_t want = w->in.len < READ_SMALL ? READ_SMALL : READ_LARGE;
	ssize_t n;

	if (want > room)
		want = room;
	n = receive(w, buf_reserve(&w->in, want), want);
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
static ssize_t send_some(struct wire *w, const char *text, size_t len, bool newline, int fd)
{
	struct iovec parts[2] = {{(void *)(uintptr_t)text, len}, {(void *)(uintptr_t) "\n", 1}};

	return fd_pass_send(w->fd, parts, newline ? 2 : 1, fd);
}

/* The first descriptor in the queue has gone, or goes nowhere. */
static void drop_fd(struct wire *w)
{
	close_fd(&w->fds_out[0].fd);
	w->n_fds_out--;
	memmove(w->fds_out, w->fds_out + 1, w->n_fds_out * sizeof(w->fds_out[0]));
}

/* One descriptor in one piece, and nothing before it. */
static int send_queued(struct wire *w)
{
	bool with_fd = w->n_fds_out > 0 && w->fds_out[0].at == w->sent;
	size_t end_at = w->n_fds_out > with_fd ? w->fds_out[with_fd].at : w->out.len;
	ssize_t n = send_some(
		w, w->out.data + w->sent, end_at - w->sent, false, with_fd ? w->fds_out[0].fd : -1);

	if (n < 0)
		return (int)n;
	if (n > 0 && with_fd)
		drop_fd(w);
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
	w->fd_first = w->fd_last = w->fd_now = -1;
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
	close_fd(&w->fd_first);
	close_fd(&w->fd_last);
	while (w->n_fds_out)
		drop_fd(w);
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
	for (size_t i = 0; i < w->n_fds_out; i++)
		w->fds_out[i].at -= w->sent;
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

/* *fd, when there is one, is taken. */
static int send_line(struct wire *w, const char *text, size_t len, int *fd)
{
	ssize_t n = 0;

	assert(!memchr(text, '\n', len));
	if (w->over)
		return -EPIPE;
	if (len + 1 > w->o.max_queue)
		return -EMSGSIZE;
	compact(w);
	if (!w->out.len)
		n = send_some(w, text, len, true, *fd);
	if (n < 0)
		return lose(w, (int)n);
	if ((size_t)n == len + 1)
		return 0;
	if (wire_queued(w) + len + 1 > w->o.max_queue)
		return refuse(w);
	if (n == 0 && *fd >= 0)
		w->fds_out[w->n_fds_out++] = (struct fd_out){w->out.len, take_fd(fd)};
	buf_add(&w->out, text + n, len - (size_t)n);
	buf_addc(&w->out, '\n');
	watch_for_room(w, true);
	return 0;
}

int wire_send_text(struct wire *w, const char *text, size_t len)
{
	int none = -1;

	return send_line(w, text, len, &none);
}

static int add_bytes(const char *bytes, size_t n, void *user)
{
	struct buf *b = user;

	buf_add(b, bytes, n);
	return b->overflow ? -1 : 0;
}

int wire_send(struct wire *w, const json_t *message)
{
	return wire_send_fd(w, message, -1);
}

int wire_send_fd(struct wire *w, const json_t *message, int fd)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(w->o.max_queue);
	_cleanup_(close_p) int owned = fd;

	if (w->over)
		return -EPIPE;
	if (fd >= 0 && w->n_fds_out == WIRE_FDS_MAX)
		return -EAGAIN;
	if (json_dump_callback(message, add_bytes, &text, JSON_COMPACT) < 0)
		return text.overflow ? -EMSGSIZE : -EINVAL;
	return send_line(w, buf_str(&text), text.len, &owned);
}

void wire_accept_fds(struct wire *w)
{
	w->accepts_fds = true;
}

int wire_take_fd(struct wire *w)
{
	return take_fd(&w->fd_now);
}

size_t wire_queued(const struct wire *w)
{
	return w->out.len - w->sent;
}
