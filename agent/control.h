/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's side of the control protocol (CONTROL.md): the Unix socket for the command line and the socketpair of the web
 * process. Dispatches requests to the table of operations and pushes samples to who subscribed.
 */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

enum {
	CONTROL_PEERS_MAX = 64,
	CONTROL_LINE_MAX = 64 * 1024,
	CONTROL_QUEUE_MAX = 64 * 1024 * 1024,
};

struct daemon;
struct control;
struct control_peer;

enum control_role { ROLE_NONE, ROLE_VIEWER, ROLE_ADMIN };

/* NULL-safe names: "none", "viewer", "admin". */
const char *control_role_name(enum control_role r);
enum control_role control_role_from(const char *name);

/* One request being answered. The handler writes the members of the answer to `reply`, each with a comma in front: ,"role":"admin" */
struct control_call {
	struct daemon *daemon;
	struct control_peer *peer;
	json_t *request; /* borrowed */
	enum control_role role; /* of who asks */
	bool is_web;
	struct buf *reply;
};

/* 0, or a negative errno with *e: -EINVAL bad_request, -ENOENT not_found, -EACCES/-EPERM forbidden, -EAGAIN unavailable, others failed. */
typedef int (*control_fn)(const struct control_call *call, struct err *e);

struct operation {
	const char *name;
	enum control_role role; /* least role that may call it */
	bool web_only;
	control_fn fn;
};

/* Alphabetical, ended by a NULL name (operations.c). */
extern const struct operation operations[];

int control_new(struct loop *l, struct daemon *d, struct control **out, struct err *e);
void control_free(struct control *c); /* NULL is fine; removes the socket */

/* Binds the socket at `path`, mode 0660, group `agent` when there is one. */
int control_listen(struct control *c, const char *path, struct err *e);
/* Takes over the descriptor: the peer is the web process. */
int control_add_web(struct control *c, int fd, struct err *e);

/* What a peer wants pushed: NULL members mean all. Replaces what it asked before. */
void control_subscribe(struct control_peer *p, json_t *request);
void control_unsubscribe(struct control_peer *p);
/* Pushes the sample in the daemon's registry to all subscribers. Costs nothing without any. */
void control_push_sample(struct control *c);
/* Tells the web process that something happened: "auth.changed". */
void control_tell_web(struct control *c, const char *event);

#endif
