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

/* "container:ID": what was given on the command line is stored as the whole id. */
static const struct container_info *joined(
	const struct container_info *info, const struct runtime *r)
{
	static const char prefix[] = "container:";
	struct cgroup_name other = {.engine = ""};

	if (!info || !info->network || !str_starts(info->network, prefix))
		return NULL;
	(void)str_copy(other.id, sizeof(other.id), info->network + strlen(prefix));
	return runtime_find(r, &other);
}

void container_names_learn(struct container_item *item, const struct runtime *r)
{
	item->info = item->name.kind == CGROUP_CONTAINER ? runtime_find(r, &item->name) : NULL;
	if (item->info)
		item->is_version = item->info->version != NULL;
	item->joined = joined(item->info, r);
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

/* Those with a cgroup have claimed the same name already, with more right. */
static void claim_known(
	struct container_names *n, const struct runtime *r, const struct patterns *p)
{
	for (size_t i = 0; i < runtime_count(r); i++) {
		const struct container_info *info = runtime_at(r, i);

		if (!info->stable || info->state == CONTAINER_STATE_UNKNOWN ||
			!str_matches_any(p->list, p->n, info->stable, true))
			continue;
		add_claim(n, info->stable, info->started_at, CLAIM_STOPPED, info);
	}
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
	item_of(c)->passing = c != owner && item_of(c)->is_version;
	/* One version's kills are not another's: which of them serves on depends on it. */
	if (c->kind == CLAIM_ENDED && c != owner && !item_of(c)->is_version)
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
	claim_known(n, r, containers);
	take_answers(n);
}

void container_names_done(struct container_names *n)
{
	free(n->stopped);
	free(n->claims);
	*n = (struct container_names){.stopped = NULL};
}
