/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerts, rules and silences: alerts.* of agent/CONTROL.md.
 */
#include "agent/web/handlers.h"
#include "agent/web/relay.h"

void api_alerts_get(struct call *c)
{
	relay(c, "alerts.list");
}

void api_alerts_ack(struct call *c)
{
	relay(c, "alerts.ack");
}

void api_alerts_rules(struct call *c)
{
	relay(c, "alerts.rules");
}

void api_silences_get(struct call *c)
{
	relay(c, "alerts.silences");
}

void api_silences_post(struct call *c)
{
	relay(c, "alerts.silence");
}

void api_silences_delete(struct call *c)
{
	relay(c, "alerts.unsilence");
}
