/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deliveries_daemon.h"

#include "agent/daemon_parts.h"
#include "agent/deploy_daemon.h"

static const struct deploy_config *config_now(void *user)
{
	const struct daemon *d = user;

	return deploy_daemon_config(d->deploys);
}

static int accept_deploy(
	void *user, struct deploy *deploy, struct deploys_accepted *out, struct err *e)
{
	const struct daemon *d = user;

	return deploys_accept(deploy_daemon_deploys(d->deploys), deploy, out, e);
}

int deliveries_daemon_new(struct daemon *d, struct deliveries **out, struct err *e)
{
	const struct deliveries_options o = {.loop = d->loop,
		.db = d->db,
		.problems = d->problems,
		.config = config_now,
		.accept = accept_deploy,
		.user = d};

	return deliveries_new(&o, out, e);
}
