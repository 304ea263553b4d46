/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of deliveries share: deliveries.c has those under way, deliveries_secrets.c what they are checked
 * against, deliveries_accept.c what comes of them. For nobody else.
 */
#ifndef AGENT_DELIVERIES_INTERNAL_H
#define AGENT_DELIVERIES_INTERNAL_H

#include <stdbool.h>

#include "agent/deliveries.h"
#include "agent/delivery_refusals.h"
#include "agent/random.h"
#include "deploy-hooks/proof.h"
#include "deploy-hooks/verify.h"

struct job;

struct deliveries {
	struct deliveries_options o;
	struct delivery_refusals *refusals;
	struct loop_timer *turn; /* runs while somebody waits */
	struct job *first, *last;
	size_t n;
	char nobodys[65]; /* the secret that is checked against where there is none */
};

const char *deliveries_text(const json_t *request, const char *name); /* "": absent */
/* NULL: there is none that takes deliveries. */
const struct deploy_app *deliveries_app(const struct deliveries *s, const char *name);
void deliveries_note(struct deliveries *s, const json_t *request, unsigned status, const char *why);

/* verify_new() with the secrets of the app; *is_known false: with a secret nobody has. Takes the descriptor over. */
int deliveries_verify(struct deliveries *s, const char *app, const struct proof *proof, int body_fd,
	struct verify **out, bool *is_known, struct err *e);

/* Makes deploys of the "changes" of a request. New reference. -EBADMSG: they are none; -EIO: none could be committed. */
int deliveries_accept(struct deliveries *s, const json_t *request, json_t **out, struct err *e);

#endif
