/* SPDX-License-Identifier: Apache-2.0
 *
 * Deploys joined with the rest of the daemon: made from the configuration, told through notify_event(), heard by the web
 * process and by those who subscribed.
 */
#ifndef AGENT_DEPLOY_DAEMON_H
#define AGENT_DEPLOY_DAEMON_H

#include "agent/config.h"
#include "agent/deploys.h"
#include "agent/mistakes.h"
#include "base/err.h"

struct daemon;
struct deploy_daemon;

/* After alerts; the control socket may be opened later. */
int deploy_daemon_new(struct daemon *d, struct deploy_daemon **out, struct err *e);
void deploy_daemon_free(struct deploy_daemon *x); /* NULL is fine; as deploys_free() */
struct deploys *deploy_daemon_deploys(struct deploy_daemon *x);
const struct deploy_config *deploy_daemon_config(const struct deploy_daemon *x);

/* In each sample, before what is gone leaves: how the apps answer. */
void deploy_daemon_collect(struct deploy_daemon *x);
/* Before alarms are looked for in a sample: apps that are being swapped are not told as down. */
void deploy_daemon_before_sample(struct deploy_daemon *x);

/* A reload in two steps: what can fail, and then taking it, after which the old configuration is no longer needed. */
int deploy_daemon_prepare(const struct config *c, struct deploy_config **out, struct mistakes *m);
void deploy_daemon_take(struct deploy_daemon *x, struct deploy_config *c);

#endif
