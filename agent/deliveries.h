/* SPDX-License-Identifier: Apache-2.0
 *
 * Deliveries of webhooks, in the daemon: the proof the web process found against the secrets of the app, over the body as it
 * came; then what the delivery asks for becomes deploys. A body is hashed a slice a turn of the loop, whoever waits.
 *
 * Whoever has no proof learns nothing: an app that is not there, or takes no deliveries, or whose secrets cannot be read, is
 * checked against a secret nobody knows, and refused with the same words.
 */
#ifndef AGENT_DELIVERIES_H
#define AGENT_DELIVERIES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/deploys.h"
#include "base/db.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/problem.h"

enum { DELIVERIES_AT_ONCE = 16 /* each holds an open file and a question of the web process */ };

struct deliveries;

struct deliveries_options {
	struct loop *loop;
	struct db *db; /* for what was refused */
	struct problems *problems;
	/* As it is now; looked at anew for each delivery. NULL: there are no apps. */
	const struct deploy_config *(*config)(void *user);
	/* deploys_accept() */
	int (*accept)(void *user, struct deploy *d, struct deploys_accepted *out, struct err *e);
	void *user;
};

int deliveries_new(const struct deliveries_options *o, struct deliveries **out, struct err *e);
/* Those under way are never answered. NULL is fine. */
void deliveries_free(struct deliveries *s);

/* What the web process needs to read a delivery for the app: the answer of `deploy.target` in CONTROL.md, a new reference.
 * -ENOENT, also for an app that takes none. */
int deliveries_target(struct deliveries *s, const char *app, json_t **out, struct err *e);

/* `deploys` is the array of the answer of `deploy.deliver`, borrowed; NULL unless r is 0. -EACCES: the proof is none. Another
 * negative errno: it is not known, and may be sent again. */
typedef void (*deliveries_done_fn)(void *user, int r, const struct err *e, const json_t *deploys);
/* A request of `deploy.deliver` and its body, which is taken over. 0: `done` is called later, once. -EACCES; -EBADMSG: no such
 * request; -EAGAIN: too many are under way. */
int deliveries_take(struct deliveries *s, const json_t *request, int body_fd,
	deliveries_done_fn done, void *user, struct err *e);

/* One the web process has turned away itself: a request of `deploy.turned_away`. */
void deliveries_turned_away(struct deliveries *s, const json_t *request);
/* The list of delivery_refusals.h; a new reference. */
int deliveries_refused(struct deliveries *s, size_t limit, json_t **out, struct err *e);

#endif
