/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups: backup.* of agent/CONTROL.md.
 */
#include "agent/web/handlers.h"
#include "agent/web/relay.h"

enum {
	/* Stores on the other side of the world list thousands of objects in that time. */
	REFRESH_MS = 120 * 1000,
	/* A worker that is told to end cleans up its upload first; then it is killed. */
	CANCEL_MS = 90 * 1000,
};

void api_backups_get(struct call *c)
{
	relay(c, "backup.jobs");
}

void api_backups_job(struct call *c)
{
	relay_within(c, "backup.list", REFRESH_MS);
}

void api_backups_run(struct call *c)
{
	relay(c, "backup.start");
}

void api_backups_runs(struct call *c)
{
	relay(c, "backup.runs");
}

void api_backups_runs_one(struct call *c)
{
	relay(c, "backup.run");
}

void api_backups_cancel(struct call *c)
{
	relay_within(c, "backup.cancel", CANCEL_MS);
}
