/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of webhooks share: webhook.c has the way of a delivery through the process, webhook_read.c what is read out
 * of it, webhook_answer.c the answers. For nobody else.
 */
#ifndef AGENT_WEB_WEBHOOK_INTERNAL_H
#define AGENT_WEB_WEBHOOK_INTERNAL_H

#include <jansson.h>

#include "agent/web/body_spool.h"
#include "agent/web/call.h"
#include "agent/web/lane.h"
#include "agent/web/login_limit.h"
#include "deploy-hooks/provider.h"

struct webhooks {
	struct body_spools spools;
	struct lane quick, slow;
	struct login_limit *failures; /* who sent what was not genuine */
};

/* One delivery. */
struct webhook {
	struct call *call;
	struct webhooks *all;
	struct body_spool *spool; /* the request's */
	struct lane_place place;
	char app[DEPLOY_NAME_SIZE];
	char *secret; /* the end of the path, decoded; NULL: there is none */
	json_t *target; /* the answer of deploy.target; NULL: there is no such app */
	const struct provider *provider;
	struct headers headers;
	bool is_genuine; /* known already, of a large one */
	/* Read out of it. */
	char event[64];
	json_t *changes; /* for the daemon */
	json_t *skipped; /* array of {"ref","why"} */
	unsigned
		status; /* what it is answered although it is genuine; 0: nothing is wrong with it */
	struct err why;
};

/* webhook_read.c */

/* Reads the body and judges what is in it: fills event, changes, skipped, or status and why. */
void webhook_read(struct webhook *w);
/* The request of deploy.deliver, a new reference. At most CONTROL_LINE_MAX bytes: commits are left out if need be. */
json_t *webhook_request(const struct webhook *w);

/* webhook_answer.c */

/* An answer without a delivery, which the owner of the app finds in the list of those that were refused. */
void webhook_turn_away(
	struct web *w, struct http_request *rq, unsigned status, const char *sentence);
/* The answer of deploy.deliver to a whole delivery. */
void webhook_answer(struct webhook *w, const json_t *answer);
/* The same for all who have no proof. */
void webhook_answer_refused(struct webhook *w);
void webhook_answer_busy(struct webhook *w);

#endif
