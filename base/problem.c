/* SPDX-License-Identifier: Apache-2.0 */
#include "base/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct problems {
	problem_change_fn fn;
	void *user;
	size_t n;
	struct problem list[PROBLEMS_MAX];
};

struct problems *problems_new(problem_change_fn fn, void *user)
{
	struct problems *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->fn = fn;
	p->user = user;
	return p;
}

void problems_free(struct problems *p)
{
	free(p);
}

static struct problem *find(struct problems *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++)
		if (strncmp(p->list[i].key, key, sizeof(p->list[i].key) - 1) == 0)
			return &p->list[i];
	return NULL;
}

void problem_set(struct problems *p, const char *key, const char *fmt, ...)
{
	struct problem *one = find(p, key);
	bool fresh = !one;
	va_list ap;

	if (fresh) {
		if (p->n == PROBLEMS_MAX)
			return;
		one = &p->list[p->n++];
		(void)str_copy(one->key, sizeof(one->key), key);
		one->since = time(NULL);
	}
	va_start(ap, fmt);
	(void)vsnprintf(one->text, sizeof(one->text), fmt, ap);
	va_end(ap);
	if (fresh && p->fn)
		p->fn(p->user, one->key, one->text);
}

void problem_clear(struct problems *p, const char *key)
{
	struct problem *one = find(p, key);

	if (!one)
		return;
	if (p->fn)
		p->fn(p->user, key, NULL);
	p->n--;
	memmove(one, one + 1, (size_t)(p->list + p->n - one) * sizeof(*one));
}

size_t problems_count(const struct problems *p)
{
	return p->n;
}

const struct problem *problems_at(const struct problems *p, size_t i)
{
	return i < p->n ? &p->list[i] : NULL;
}
