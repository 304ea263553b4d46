/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static int refuse(const char *text, struct err *e)
{
	return err_set(e, EINVAL,
		"\"%s\" is not an address and port such as \"0.0.0.0:4500\" or \"[::]:4500\"",
		text);
}

int address_parse(const char *text, struct sockaddr_storage *out, socklen_t *out_len, struct err *e)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	uint64_t port;
	size_t n;

	if (!colon || colon == text || (size_t)(colon - text) >= sizeof(host))
		return refuse(text, e);
	n = (size_t)(colon - text);
	memcpy(host, text, n);
	host[n] = '\0';
	if (str_to_u64(colon + 1, &port, NULL) < 0)
		return refuse(text, e);
	if (port > UINT16_MAX)
		return err_set(
			e, EINVAL, "port %s is out of range; expected 1 to 65535", colon + 1);
	memset(out, 0, sizeof(*out));
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &in6.sin6_addr) != 1)
			return refuse(text, e);
		in6.sin6_port = htons((uint16_t)port);
		memcpy(out, &in6, sizeof(in6));
		*out_len = sizeof(in6);
		return 0;
	}
	if (inet_pton(AF_INET, host, &in4.sin_addr) != 1)
		return refuse(text, e);
	in4.sin_port = htons((uint16_t)port);
	memcpy(out, &in4, sizeof(in4));
	*out_len = sizeof(in4);
	return 0;
}

void address_format(char *to, size_t size, const struct sockaddr_storage *a)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	char host[INET6_ADDRSTRLEN] = "?";

	if (a->ss_family == AF_INET6) {
		memcpy(&in6, a, sizeof(in6));
		(void)inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
		(void)snprintf(to, size, "[%s]:%u", host, ntohs(in6.sin6_port));
		return;
	}
	memcpy(&in4, a, sizeof(in4));
	(void)inet_ntop(AF_INET, &in4.sin_addr, host, sizeof(host));
	(void)snprintf(to, size, "%s:%u", host, ntohs(in4.sin_port));
}
