/* SPDX-License-Identifier: Apache-2.0
 *
 * The listening TCP socket, made by the daemon and handed to the web process.
 */
#ifndef AGENT_LISTEN_H
#define AGENT_LISTEN_H

#include <stddef.h>

#include "base/err.h"

/* Binds "ADDRESS:PORT" and listens. *out_address (at least 64 bytes) is what was bound, with the
 * real port where 0 was asked. Returns the descriptor. -EADDRINUSE: the message says which port
 * and how to choose another. */
int listen_tcp(const char *address, char *out_address, size_t size, struct err *e);

/* The address a person types to get there: the bound one, or for "any address" the one this
 * machine speaks from to the outside ("localhost" when it has no way out). Sends nothing. `to`
 * gets "203.0.113.7:4500"; at least 64 bytes. */
void listen_visible_address(const char *bound, char *to, size_t size);

#endif
