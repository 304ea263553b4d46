/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/role_cache.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	unsigned char hash[SHA256_DIGEST_LENGTH];
	enum credential_kind kind;
	enum role role; /* ROLE_NONE: free slot */
	int64_t until_ms;
};

struct role_cache {
	struct entry entries[ROLE_CACHE_MAX];
};

struct role_cache *role_cache_new(void)
{
	struct role_cache *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	return c;
}

void role_cache_free(struct role_cache *c)
{
	free(c);
}

/* Compares hashes: where the comparison stops tells nothing about the credential. */
static size_t find(const struct role_cache *c, enum credential_kind kind, const char *text)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	size_t i;

	(void)SHA256((const unsigned char *)text, strlen(text), hash);
	for (i = 0; i < ROLE_CACHE_MAX; i++) {
		const struct entry *e = &c->entries[i];

		if (e->role != ROLE_NONE && e->kind == kind &&
			memcmp(e->hash, hash, sizeof(hash)) == 0)
			break;
	}
	return i;
}

enum role role_cache_get(
	const struct role_cache *c, enum credential_kind kind, const char *text, int64_t now_ms)
{
	size_t i = find(c, kind, text);

	return i < ROLE_CACHE_MAX && now_ms < c->entries[i].until_ms ? c->entries[i].role
								     : ROLE_NONE;
}

/* A free slot, or the one that ends first. */
static size_t take_slot(const struct role_cache *c)
{
	size_t first = 0;

	for (size_t i = 0; i < ROLE_CACHE_MAX; i++) {
		if (c->entries[i].role == ROLE_NONE)
			return i;
		if (c->entries[i].until_ms < c->entries[first].until_ms)
			first = i;
	}
	return first;
}

void role_cache_put(struct role_cache *c, enum credential_kind kind, const char *text,
	enum role role, int64_t now_ms)
{
	size_t i = find(c, kind, text);
	struct entry *e;

	if (i == ROLE_CACHE_MAX)
		i = take_slot(c);
	e = &c->entries[i];
	(void)SHA256((const unsigned char *)text, strlen(text), e->hash);
	e->kind = kind;
	e->role = role;
	e->until_ms = now_ms + ROLE_CACHE_MS;
}

void role_cache_forget(struct role_cache *c, enum credential_kind kind, const char *text)
{
	size_t i = find(c, kind, text);

	if (i < ROLE_CACHE_MAX)
		c->entries[i].role = ROLE_NONE;
}

void role_cache_clear(struct role_cache *c)
{
	memset(c, 0, sizeof(*c));
}
