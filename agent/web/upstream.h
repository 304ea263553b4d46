/* SPDX-License-Identifier: Apache-2.0
 *
 * The web process's end of the control protocol (agent/CONTROL.md): questions to the daemon, each
 * with a deadline, and the events it pushes. One connection for the life of the process; when it is
 * over the process is.
 */
#ifndef AGENT_WEB_UPSTREAM_H
#define AGENT_WEB_UPSTREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

enum {
	UPSTREAM_TIMEOUT_MS = 5000, /* of upstream_ask() */
	/* More questions at once than connections: sign of a daemon that hangs. The next one is
	 * refused. */
	UPSTREAM_WAITING_MAX = 512,
};

struct upstream;

/* `answer` as in CONTROL.md, borrowed; NULL: none came in time. Called exactly once per
 * question, possibly before upstream_ask() returns. */
typedef void (*upstream_answer_fn)(void *user, const json_t *answer);

struct upstream_options {
	void (*on_event)(void *user, const char *event, const json_t *message);
	void (*on_closed)(void *user, const char *why); /* "": a clean end */
	void *user;
};

/* Takes over `fd`. */
int upstream_new(struct loop *l, int fd, const struct upstream_options *o, struct upstream **out,
	struct err *e);
/* Answers all that wait with NULL. NULL is fine. */
void upstream_free(struct upstream *u);

/* `request` is taken over: an object with "op", to which the id is added. */
void upstream_ask(struct upstream *u, json_t *request, upstream_answer_fn fn, void *user);

/* The same with a deadline of its own, for what the daemon itself has to wait for. */
void upstream_ask_within(
	struct upstream *u, json_t *request, int64_t timeout_ms, upstream_answer_fn fn, void *user);

/* The same with an open file, which is taken over. */
void upstream_ask_with(struct upstream *u, json_t *request, int fd, int64_t timeout_ms,
	upstream_answer_fn fn, void *user);

/* What an answer says: true with "ok". */
bool upstream_ok(const json_t *answer);

#endif
