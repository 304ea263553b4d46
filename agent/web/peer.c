/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/peer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct peer_count {
	struct peer_key key;
	unsigned n; /* 0: free slot */
};

static bool is_mapped(const uint8_t *b)
{
	return memcmp(b, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

/* The 16 bytes of the address; false for other families. */
static bool address_bytes(const struct sockaddr *a, uint8_t *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a && a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof(v4));
		memcpy(out, mapped_prefix, sizeof(mapped_prefix));
		memcpy(out + 12, &v4.sin_addr, 4);
		return true;
	}
	if (a && a->sa_family == AF_INET6) {
		memcpy(&v6, a, sizeof(v6));
		memcpy(out, &v6.sin6_addr, 16);
		return true;
	}
	memset(out, 0, 16);
	return false;
}

static struct peer_key key_of_bytes(const uint8_t *b)
{
	struct peer_key k = {{0}};

	/* ::1 keeps all its bytes: loopback must be told from the rest of ::/64. */
	memcpy(k.bytes, b,
		is_mapped(b) || memcmp(b, &in6addr_loopback, 16) == 0 ? sizeof(k.bytes) : 8);
	return k;
}

static void bytes_text(const uint8_t *b, char *to, size_t size)
{
	const char *r = is_mapped(b) ? inet_ntop(AF_INET, b + 12, to, (socklen_t)size)
				     : inet_ntop(AF_INET6, b, to, (socklen_t)size);

	assert(r);
}

void peer_text(const struct sockaddr *a, char *to, size_t size)
{
	uint8_t b[16];

	if (address_bytes(a, b))
		bytes_text(b, to, size);
	else
		(void)str_copy(to, size, "local");
}

struct peer_key peer_key(const struct sockaddr *a)
{
	uint8_t b[16];

	(void)address_bytes(a, b);
	return key_of_bytes(b);
}

static bool parse(const char *text, uint8_t b[16])
{
	char host[PEER_TEXT_MAX];
	const char *end;
	size_t n;

	if (*text == '[') {
		end = strchr(++text, ']');
		n = end ? (size_t)(end - text) : 0;
	} else {
		end = strchr(text, ':');
		/* One colon starts a port, more of them are an IPv6 address. */
		n = end && !strchr(end + 1, ':') ? (size_t)(end - text) : strlen(text);
	}
	if (n == 0 || n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	memcpy(b, mapped_prefix, sizeof(mapped_prefix));
	return inet_pton(AF_INET, host, b + 12) == 1 || inet_pton(AF_INET6, host, b) == 1;
}

bool peer_key_parse(const char *text, struct peer_key *out)
{
	uint8_t b[16];

	if (!parse(text, b))
		return false;
	*out = key_of_bytes(b);
	return true;
}

bool peer_is_loopback(const struct peer_key *k)
{
	if (is_mapped(k->bytes))
		return k->bytes[12] == 127;
	return memcmp(k->bytes, &in6addr_loopback, 16) == 0;
}

bool peer_is_private(const struct peer_key *k)
{
	const uint8_t *v4 = k->bytes + 12;

	if (peer_is_loopback(k))
		return true;
	if (!is_mapped(k->bytes))
		return (k->bytes[0] & 0xfe) == 0xfc ||
		       (k->bytes[0] == 0xfe && (k->bytes[1] & 0xc0) == 0x80);
	return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
	       (v4[0] == 192 && v4[1] == 168) || (v4[0] == 169 && v4[1] == 254);
}

/* The address a proxy has added; false: there is no proxy, or it added none. */
static bool forwarded_bytes(const struct sockaddr *a, const char *forwarded, uint8_t b[16])
{
	struct peer_key direct = peer_key(a);
	char last[PEER_TEXT_MAX + 8];
	const char *comma = forwarded ? strrchr(forwarded, ',') : NULL;
	size_t n;

	if (!forwarded || !peer_is_private(&direct))
		return false;
	if (comma)
		forwarded = comma + 1;
	forwarded += strspn(forwarded, " \t\"");
	n = strcspn(forwarded, " \t\"");
	if (n == 0 || n >= sizeof(last))
		return false;
	memcpy(last, forwarded, n);
	last[n] = '\0';
	return parse(last, b);
}

struct peer_key peer_client(const struct sockaddr *a, const char *forwarded)
{
	uint8_t b[16];

	return forwarded_bytes(a, forwarded, b) ? key_of_bytes(b) : peer_key(a);
}

void peer_client_text(const struct sockaddr *a, const char *forwarded, char *to, size_t size)
{
	uint8_t b[16];

	if (forwarded_bytes(a, forwarded, b))
		bytes_text(b, to, size);
	else
		peer_text(a, to, size);
}

void peer_counts_init(struct peer_counts *c, size_t n)
{
	c->slots = calloc(n ? n : 1, sizeof(*c->slots));
	if (!c->slots)
		abort();
	c->n = n;
}

void peer_counts_done(struct peer_counts *c)
{
	free(c->slots);
	*c = (struct peer_counts){NULL, 0};
}

/* The slot of that peer, else a free one, else NULL. There are a few dozen at most. */
static struct peer_count *find(const struct peer_counts *c, const struct peer_key *k)
{
	struct peer_count *empty = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct peer_count *s = &c->slots[i];

		if (s->n == 0)
			empty = s;
		else if (memcmp(&s->key, k, sizeof(*k)) == 0)
			return s;
	}
	return empty;
}

unsigned peer_counts_get(const struct peer_counts *c, const struct peer_key *k)
{
	const struct peer_count *s = find(c, k);

	return s ? s->n : 0;
}

void peer_counts_add(struct peer_counts *c, const struct peer_key *k)
{
	struct peer_count *s = find(c, k);

	if (!s)
		return;
	s->key = *k;
	s->n++;
}

void peer_counts_remove(struct peer_counts *c, const struct peer_key *k)
{
	struct peer_count *s = find(c, k);

	if (s && s->n > 0)
		s->n--;
}
