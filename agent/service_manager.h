/* SPDX-License-Identifier: Apache-2.0
 *
 * Words to the service manager, by the protocol of sd_notify(3): one datagram to the socket in
 * $NOTIFY_SOCKET. Without it (not under systemd) nothing happens.
 */
#ifndef AGENT_SERVICE_MANAGER_H
#define AGENT_SERVICE_MANAGER_H

#include <stdint.h>

/* "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...". */
void service_manager_tell(const char *state);

/* How often WATCHDOG=1 is due, in milliseconds: a third of $WATCHDOG_USEC; 0 when nobody watches. */
int64_t service_manager_watchdog_ms(void);

#endif
