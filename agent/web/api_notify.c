/* SPDX-License-Identifier: Apache-2.0
 *
 * Events, channels and what was sent: events.* and notify.* of agent/CONTROL.md.
 */
#include "agent/web/handlers.h"
#include "agent/web/relay.h"

/* A channel may take CHANNEL_COMMAND_MS (notify/sender.h), and the daemon a moment to say so. */
enum { TEST_MS = 75 * 1000 };

void api_channels_get(struct call *c)
{
	relay(c, "notify.channels");
}

void api_channels_test(struct call *c)
{
	relay_within(c, "notify.test", TEST_MS);
}

void api_deliveries_get(struct call *c)
{
	relay(c, "notify.log");
}

void api_events_get(struct call *c)
{
	relay(c, "events.list");
}

void api_events_post(struct call *c)
{
	relay(c, "notify.send");
}
