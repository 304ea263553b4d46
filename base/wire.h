/* SPDX-License-Identifier: Apache-2.0
 *
 * The control protocol's transport: JSON objects, one per line, over a stream socket on the loop. A
 * line is at most `max_line` bytes; a longer one, or one that is no JSON object, ends the
 * connection with a reason. Output is queued up to `max_queue` bytes; a peer that does not read
 * ends the connection too. A line may have an open file with it, where both ends agreed on that.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <jansson.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/loop.h"

struct wire;

/* One message; borrowed, valid during the call. The callback may free the wire. */
typedef void (*wire_message_fn)(void *user, json_t *message);
/* The connection is over (end of file, error, broken message). `why` is "" at a clean end.
 * Called at most once; the owner frees the wire, here or later. */
typedef void (*wire_closed_fn)(void *user, const char *why);

struct wire_options {
	size_t max_line;
	size_t max_queue;
	wire_message_fn on_message;
	wire_closed_fn on_closed;
	void *user;
};

/* Takes over `fd` (a connected stream socket; made non-blocking): it is closed when the wire is
 * freed, and when this fails. */
int wire_new(
	struct loop *l, int fd, const struct wire_options *o, struct wire **out, struct err *e);
void wire_free(struct wire *w); /* NULL is fine */
DEFINE_CLEANUP(struct wire *, wire_free);

/* Queues one message; `message` stays the caller's. -EPIPE when the connection is over; -ENOBUFS
 * when the queue is full, which ends the connection; -EMSGSIZE for a message larger than the
 * whole queue, which does not. `on_closed` is never called from within these. */
int wire_send(struct wire *w, const json_t *message);
/* The same for text that is already one JSON object, without a newline. */
int wire_send_text(struct wire *w, const char *text, size_t len);
/* As wire_send(), with an open file beside it, which is taken over even when it fails. -EAGAIN: WIRE_FDS_MAX of them wait
 * for the peer already, and the connection goes on. */
enum { WIRE_FDS_MAX = 16 };
int wire_send_fd(struct wire *w, const json_t *message, int fd);
/* Open files may come from now on, at most one with a line: the one sent with its first byte. Without this call the kernel
 * closes what comes. */
void wire_accept_fds(struct wire *w);
/* Within on_message, once: the one that came with this message, the caller's from then on; -1: none. What is not taken is
 * closed. */
int wire_take_fd(struct wire *w);
/* Bytes queued and not yet taken by the kernel. */
size_t wire_queued(const struct wire *w);

/* Parses one line as the wire does: a JSON object, no duplicate keys, nesting at most 32. New
 * reference, or NULL with *e. */
json_t *wire_parse(const char *text, size_t len, struct err *e);

#endif
