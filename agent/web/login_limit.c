/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/login_limit.h"

#include <stdlib.h>
#include <string.h>

struct client {
	struct peer_key key;
	int64_t failed_ms[LOGIN_FAILURES_MAX]; /* a ring; `n` counts all of them */
	unsigned n; /* 0: free slot */
};

struct login_limit {
	struct client clients[LOGIN_CLIENTS_MAX];
};

struct login_limit *login_limit_new(void)
{
	struct login_limit *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	return l;
}

void login_limit_free(struct login_limit *l)
{
	free(l);
}

static int64_t last_failure(const struct client *c)
{
	return c->failed_ms[(c->n - 1) % LOGIN_FAILURES_MAX];
}

static const struct client *find(const struct login_limit *l, const struct peer_key *key)
{
	for (size_t i = 0; i < LOGIN_CLIENTS_MAX; i++)
		if (l->clients[i].n && memcmp(&l->clients[i].key, key, sizeof(*key)) == 0)
			return &l->clients[i];
	return NULL;
}

/* A free slot, or the one whose last failure is oldest. */
static struct client *take_slot(struct login_limit *l)
{
	struct client *oldest = &l->clients[0];

	for (size_t i = 0; i < LOGIN_CLIENTS_MAX; i++) {
		struct client *c = &l->clients[i];

		if (c->n == 0)
			return c;
		if (last_failure(c) < last_failure(oldest))
			oldest = c;
	}
	memset(oldest, 0, sizeof(*oldest));
	return oldest;
}

void login_limit_failed(struct login_limit *l, const struct peer_key *key, int64_t now_ms)
{
	const struct client *known = find(l, key);
	struct client *c = known ? &l->clients[known - l->clients] : take_slot(l);

	c->key = *key;
	c->failed_ms[c->n % LOGIN_FAILURES_MAX] = now_ms;
	c->n++;
	/* The count stays a multiple away from wrapping to "free". */
	if (c->n >= 1000U * LOGIN_FAILURES_MAX)
		c->n -= 500U * LOGIN_FAILURES_MAX;
}

int64_t login_limit_wait_ms(const struct login_limit *l, const struct peer_key *key, int64_t now_ms)
{
	const struct client *c = find(l, key);
	int64_t oldest;

	if (!c || c->n < LOGIN_FAILURES_MAX)
		return 0;
	oldest = c->failed_ms[c->n % LOGIN_FAILURES_MAX];
	return oldest + LOGIN_WINDOW_MS > now_ms ? oldest + LOGIN_WINDOW_MS - now_ms : 0;
}
