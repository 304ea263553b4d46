/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is at the other end, as a key for limits. An IPv4 address is itself; an IPv6 address counts
 * by its /64, which is what one customer gets. Behind a reverse proxy all connections come from the
 * proxy: when the peer has a loopback or private address, the last address of X-Forwarded-For (the
 * one the proxy itself added) is taken instead. That choice only ever decides whose failed logins
 * are counted together, never who may do what. Pure but for the count table's memory.
 */
#ifndef AGENT_WEB_PEER_H
#define AGENT_WEB_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct peer_key {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d; IPv6: the last 8 bytes are 0 */
};

/* At least INET6_ADDRSTRLEN (46) bytes. */
enum { PEER_TEXT_MAX = 46 };

/* The address without its port. An IPv4-mapped IPv6 address is the IPv4 one. Other families give
 * "local". */
void peer_text(const struct sockaddr *a, char *to, size_t size);
struct peer_key peer_key(const struct sockaddr *a);
/* Of text as peer_text() or a proxy writes it ("203.0.113.9", "203.0.113.9:1234",
 * "[2001:db8::1]:1234", "2001:db8::1"); false when it is no address. */
bool peer_key_parse(const char *text, struct peer_key *out);
/* Loopback, RFC 1918, link-local and unique local addresses. */
bool peer_is_private(const struct peer_key *k);
bool peer_is_loopback(const struct peer_key *k);
/* The key to count failures by; `forwarded` is the X-Forwarded-For header or NULL. */
struct peer_key peer_client(const struct sockaddr *a, const char *forwarded);
/* The same client as text, without its port; PEER_TEXT_MAX bytes. */
void peer_client_text(const struct sockaddr *a, const char *forwarded, char *to, size_t size);

/* How many connections each peer has. */
struct peer_counts {
	struct peer_count *slots;
	size_t n; /* greatest number of peers, which is the greatest number of connections */
};

void peer_counts_init(struct peer_counts *c, size_t n);
void peer_counts_done(struct peer_counts *c);
unsigned peer_counts_get(const struct peer_counts *c, const struct peer_key *k);
void peer_counts_add(struct peer_counts *c, const struct peer_key *k);
void peer_counts_remove(struct peer_counts *c, const struct peer_key *k);

#endif
