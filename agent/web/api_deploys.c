/* SPDX-License-Identifier: Apache-2.0
 *
 * Deploys: deploy.* of agent/CONTROL.md. Their logs: log_stream.c.
 */
#include "agent/web/handlers.h"
#include "agent/web/relay.h"

enum {
	/* Its hook is told to end and killed ten seconds later; then the old version is put back, which may be tried for
	 * longer than a browser waits. What became of it is told by the live stream. */
	CANCEL_MS = 90 * 1000,
};

void api_apps_get(struct call *c)
{
	relay(c, "deploy.apps");
}

void api_apps_check(struct call *c)
{
	relay(c, "deploy.check");
}

void api_apps_deploy(struct call *c)
{
	relay(c, "deploy.start");
}

void api_apps_rollback(struct call *c)
{
	relay(c, "deploy.rollback");
}

void api_deploys_get(struct call *c)
{
	relay(c, "deploy.list");
}

void api_deploys_one(struct call *c)
{
	relay(c, "deploy.get");
}

void api_deploys_refused(struct call *c)
{
	relay(c, "deploy.refused");
}

void api_deploys_cancel(struct call *c)
{
	relay_within(c, "deploy.cancel", CANCEL_MS);
}
