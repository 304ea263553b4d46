/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes on beside and after deploys, joined with the daemon: how the apps answer (deploy_probes.h), what the git host is told
 * (deploy_status.h), who asked for what (audit), the verdict ten minutes later (deploy_verdicts.h). Nothing of it holds a
 * deploy up.
 */
#ifndef AGENT_DEPLOY_AFTER_H
#define AGENT_DEPLOY_AFTER_H

#include "agent/deploy_config.h"
#include "agent/deploys.h"
#include "base/err.h"

struct daemon;
struct deploy_after;

/* `on_change` is called with `user` for records that have got their verdict. The configuration is borrowed until the next
 * deploy_after_configure(). */
int deploy_after_new(struct daemon *d, struct deploys *s, const struct deploy_config *c,
	void (*on_change)(void *user, const struct deploy *d), void *user,
	struct deploy_after **out, struct err *e);
void deploy_after_free(
	struct deploy_after *x); /* NULL is fine; before the deploys and the HTTP client */
void deploy_after_configure(struct deploy_after *x, const struct deploy_config *c);

/* As the callbacks of struct deploys_options; `x` may be NULL. */
void deploy_after_changed(struct deploy_after *x, const struct deploy *d);
void deploy_after_ended(struct deploy_after *x, const struct deploy *d);
/* In each sample. */
void deploy_after_collect(struct deploy_after *x);

#endif
