/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations of the control protocol: the contract of a handler, the table of all (operations.c),
 * and the answer to one request. Pure but for what the handlers do; knows nothing of sockets.
 */
#ifndef AGENT_OPERATION_H
#define AGENT_OPERATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/role.h"
#include "base/buf.h"
#include "base/err.h"

struct daemon;
struct control_peer;

/* One request being answered. The handler writes the members of the answer to `reply`, each with
 * a comma in front: ,"role":"admin" */
struct control_call {
	struct daemon *daemon;
	struct control_peer *peer;
	json_t *request; /* borrowed */
	enum role role; /* of who asks */
	bool is_web;
	struct buf *reply;
};

/* 0, CONTROL_LATER, or a negative errno with *e: -EINVAL bad_request, -ENOENT not_found,
 * -EACCES/-EPERM forbidden, -EAGAIN unavailable, -EALREADY conflict, others failed. */
enum { CONTROL_LATER = 1 }; /* the answer was promised: control_later() in control.h */
typedef int (*control_fn)(const struct control_call *call, struct err *e);

struct operation {
	const char *name;
	enum role role; /* least role that may call it */
	bool web_only;
	control_fn fn;
};

/* Alphabetical, ended by a NULL name (operations.c). */
extern const struct operation operations[];

/* Runs the request's operation for who asks and writes the whole answer, one JSON object, to
 * call->reply; false when it comes later. call->role is worked out here: the command line's door is
 * the mode of the socket; the web process says on whose behalf it asks. */
bool operation_answer(const struct control_call *call);

/* The whole answer to request `id`: `members` as a handler writes them, or the error r (negative). */
void operation_write(
	struct buf *out, json_int_t id, int r, const struct err *e, const struct buf *members);

#endif
