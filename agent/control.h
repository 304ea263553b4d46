/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's side of the control protocol (CONTROL.md): the Unix socket for the command line and
 * the socketpair of the web process. Dispatches requests to the table of operations and pushes
 * samples to who subscribed.
 */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/operation.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

enum {
	CONTROL_PEERS_MAX = 64,
	CONTROL_LINE_MAX = 64 * 1024,
	CONTROL_QUEUE_MAX = 64 * 1024 * 1024,
	CONTROL_LATER_MAX = 32, /* answers owed at a time, over all peers */
};

struct control;
struct control_peer;

int control_new(struct loop *l, struct daemon *d, struct control **out, struct err *e);
void control_free(struct control *c); /* NULL is fine; removes the socket */

/* Binds the socket at `path`, an absolute one; mode 0660 for group `agent` when there is one,
 * else 0600. */
int control_listen(struct control *c, const char *path, struct err *e);
/* Takes over the descriptor: the peer is the web process. */
int control_add_web(struct control *c, int fd, struct err *e);

/* An answer that has to wait for something: the handler keeps the handle, returns CONTROL_LATER, and
 * calls control_later_done() once, never from within the handler. NULL with -EAGAIN in *e when too
 * many are owed. The control owns them: whoever waits may simply be freed before it. */
struct control_later;
struct control_later *control_later(const struct control_call *call, struct err *e);
void control_later_drop(struct control_later *l); /* the handler fails after all */
/* r and *e as a handler returns them; `members` as it writes them. The peer may have left. */
void control_later_done(
	struct control_later *l, int r, const struct err *e, const struct buf *members);

/* The open file that came with the request, the caller's from then on; -1: none. Of the web process alone. */
int control_take_fd(const struct control_call *call);

/* The user at the other end of the Unix socket (SO_PEERCRED); NULL: nobody. */
uid_t control_peer_uid(const struct control_peer *p);

/* What a peer wants pushed: NULL members mean all. Replaces what it asked before. */
void control_subscribe(struct control_peer *p, json_t *request);
void control_unsubscribe(struct control_peer *p);
/* Pushes the sample in the daemon's registry to all subscribers. Costs nothing without any. */
void control_push_sample(struct control *c);
/* The same for backups: of one run, or of all (0). */
void control_subscribe_backup(struct control_peer *p, int64_t run);
void control_unsubscribe_backup(struct control_peer *p);
void control_push_backup(struct control *c, int64_t run, const json_t *message);
/* The same for deploys: of one, or of all (0). */
void control_subscribe_deploy(struct control_peer *p, int64_t deploy);
void control_unsubscribe_deploy(struct control_peer *p);
/* Its record has changed: {"event":"deploy",...}. */
void control_push_deploy(struct control *c, int64_t deploy, const json_t *message);
/* Its log has grown: {"event":"deploy.log",...}, to those who subscribed to this one alone. */
void control_push_deploy_log(struct control *c, int64_t deploy, const json_t *message);
/* Tells the web process that something happened: "auth.changed". */
void control_tell_web(struct control *c, const char *event);
/* Sends the web process a whole message. */
void control_push_web(struct control *c, const struct buf *message);
void control_push_web_json(struct control *c, const json_t *message);

#endif
