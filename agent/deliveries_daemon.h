/* SPDX-License-Identifier: Apache-2.0
 *
 * Deliveries joined with the rest of the daemon: its apps, and its deploys, which take them.
 */
#ifndef AGENT_DELIVERIES_DAEMON_H
#define AGENT_DELIVERIES_DAEMON_H

#include "agent/deliveries.h"

struct daemon;

/* After deploys. deliveries_free() before they are freed. */
int deliveries_daemon_new(struct daemon *d, struct deliveries **out, struct err *e);

#endif
