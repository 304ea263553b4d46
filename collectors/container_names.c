/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/container_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void *grow(void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 64;
	array = realloc(array, *cap * size);
	if (!array)
		abort();
	return array;
}

static void add_claim(struct container_names *n, const char *stable, double started_at,
	enum container_claim_kind kind, const void *who)
{
	n->claims = grow(n->claims, n->n_claims, &n->cap_claims, sizeof(*n->claims));
	n->claims[n->n_claims++] = (struct container_claim){stable, started_at, kind, who, false};
}

/* The name that stays, as far as it is known by now: from the engine, from the path, else the short id. */
static void set_stable(struct container_item *item)
{
	char name[CONTAINER_TEXT_MAX + 1];

	/* The engine may have forgotten it by now. */
	if (item->ended && item->stable && !item->info)
		return;
	if (item->info && item->info->stable)
		(void)str_copy(name, sizeof(name), item->info->stable);
	else if (*item->name.name)
		(void)str_copy(name, sizeof(name), item->name.name);
	else
		(void)snprintf(name, sizeof(name), "%.*s", (int)CONTAINER_ID_SHORT, item->name.id);
	if (item->stable && strcmp(item->stable, name) == 0)
		return;
	free(item->stable);
	item->stable = str_dup(name);
}

static void set_key(struct container_item *item, const char *key)
{
	item->labelled = false;
	if (item->key && strcmp(item->key, key) == 0)
		return;
	free(item->key);
	item->key = str_dup(key);
	item->fed = false;
}

/* The owner's key is the name itself; that of another one says which it is. */
static void set_claimed_key(struct container_item *item, bool owner)
{
	char key[CONTAINER_TEXT_MAX + 1 + CONTAINER_ID_SHORT + 1];
	const char *which = *item->name.id ? item->name.id : item->cgroup.path;

	if (owner)
		set_key(item, item->stable);
	else {
		(void)snprintf(
			key, sizeof(key), "%s@%.*s", item->stable, (int)CONTAINER_ID_SHORT, which);
		set_key(item, key);
	}
}

void container_names_learn(struct container_item *item, const struct runtime *r)
{
	item->info = item->name.kind == CGROUP_CONTAINER ? runtime_find(r, &item->name) : NULL;
	set_stable(item);
}

static void settle_item(struct container_names *n, struct container_item *item,
	const struct runtime *r, const struct patterns *p)
{
	bool container = item->name.kind == CGROUP_CONTAINER;
	double started_at = item->found_at;

	container_names_learn(item, r);
	item->heir = NULL;
	item->hidden = !str_matches_any(p->list, p->n, item->stable, true);
	if (!container) {
		set_key(item, item->stable);
		return;
	}
	if (item->info && item->info->started_at > 0)
		started_at = item->info->started_at;
	add_claim(n, item->stable, started_at, item->ended ? CLAIM_ENDED : CLAIM_LIVE, item);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The ids that have a cgroup, sorted. */
static const char **live_ids(const struct container_table *t, size_t *out_n)
{
	const char **ids = calloc(t->n + 1, sizeof(*ids));
	size_t n = 0;

	if (!ids)
		abort();
	for (const struct container_item *i = t->first; i; i = i->next)
		if (i->info)
			ids[n++] = i->info->id;
	qsort(ids, n, sizeof(*ids), by_id);
	*out_n = n;
	return ids;
}

static void claim_stopped(struct container_names *n, const struct container_table *t,
	const struct runtime *r, const struct patterns *p)
{
	size_t n_ids;
	const char **ids = live_ids(t, &n_ids);

	for (size_t i = 0; i < runtime_count(r); i++) {
		const struct container_info *info = runtime_at(r, i);
		const char *id = info->id;

		if (!info->stable || info->state == CONTAINER_STATE_UNKNOWN ||
			!str_matches_any(p->list, p->n, info->stable, true) ||
			bsearch(&id, ids, n_ids, sizeof(*ids), by_id))
			continue;
		add_claim(n, info->stable, info->started_at, CLAIM_STOPPED, info);
	}
	free(ids);
}

static struct container_item *item_of(const struct container_claim *c)
{
	return (struct container_item *)(uintptr_t)c->who;
}

static void take_answer(struct container_names *n, const struct container_claim *c,
	const struct container_claim *owner)
{
	if (c->kind == CLAIM_STOPPED) {
		if (c != owner)
			return;
		n->stopped = grow(n->stopped, n->n_stopped, &n->cap_stopped, sizeof(*n->stopped));
		n->stopped[n->n_stopped++] = c->who;
		return;
	}
	set_claimed_key(item_of(c), c == owner);
	if (c->kind == CLAIM_ENDED && c != owner)
		item_of(c)->heir = item_of(owner);
}

static void take_answers(struct container_names *n)
{
	const struct container_claim *owner = NULL;

	container_keys_settle(n->claims, n->n_claims);
	for (size_t i = 0; i < n->n_claims; i++) {
		if (n->claims[i].owner)
			owner = &n->claims[i];
		take_answer(n, &n->claims[i], owner);
	}
}

void container_names_settle(struct container_names *n, struct container_table *t,
	const struct runtime *r, const struct patterns *containers, const struct patterns *services)
{
	n->n_claims = 0;
	n->n_stopped = 0;
	for (struct container_item *i = t->first; i; i = i->next)
		settle_item(n, i, r, i->name.kind == CGROUP_SERVICE ? services : containers);
	claim_stopped(n, t, r, containers);
	take_answers(n);
}

void container_names_done(struct container_names *n)
{
	free(n->stopped);
	free(n->claims);
	*n = (struct container_names){.stopped = NULL};
}
