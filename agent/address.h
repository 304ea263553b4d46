/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses to listen on: "0.0.0.0:4500", "127.0.0.1:4500", "[::]:4500". Numeric only, so that
 * reading one never asks a name server. Port 0 lets the kernel choose one.
 */
#ifndef AGENT_ADDRESS_H
#define AGENT_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"

/* -EINVAL with what was expected. */
int address_parse(
	const char *text, struct sockaddr_storage *out, socklen_t *out_len, struct err *e);
/* The reverse. At least 64 bytes. */
void address_format(char *to, size_t size, const struct sockaddr_storage *a);

#endif
