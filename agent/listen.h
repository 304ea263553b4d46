/* SPDX-License-Identifier: Apache-2.0
 *
 * The listening TCP socket, made by the daemon and handed to the web process.
 */
#ifndef AGENT_LISTEN_H
#define AGENT_LISTEN_H

#include <stddef.h>

#include "base/err.h"

/* Binds "ADDRESS:PORT" and listens. *out_address (at least 64 bytes) is what was bound, with the real port where 0 was asked. Returns the
 * descriptor. -EADDRINUSE: the message says which port and how to choose another. */
int listen_tcp(const char *address, char *out_address, size_t size, struct err *e);

#endif
