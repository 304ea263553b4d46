/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/container_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* FNV-1a, 32 bits (IETF draft-eastlake-fnv). */
static size_t bucket_of(const char *path)
{
	uint32_t h = 2166136261U;

	for (; *path; path++)
		h = (h ^ (unsigned char)*path) * 16777619U;
	return h % CONTAINER_BUCKETS;
}

struct container_item *container_table_find(const struct container_table *t, const char *path)
{
	struct container_item *i = t->buckets[bucket_of(path)];

	while (i && strcmp(i->cgroup.path, path) != 0)
		i = i->next_in_bucket;
	return i;
}

struct container_item *container_table_add(struct container_table *t, const char *path)
{
	struct container_item *item = calloc(1, sizeof(*item));
	struct container_item **bucket = &t->buckets[bucket_of(path)];

	if (!item)
		abort();
	/* The number spreads the reading of limits over the samples. */
	cgroup_init(&item->cgroup, path, (unsigned)t->n);
	item->net.started_at = NAN;
	item->next = t->first;
	t->first = item;
	item->next_in_bucket = *bucket;
	*bucket = item;
	t->n++;
	return item;
}

void container_item_close(struct container_item *item, struct cgroup_reader *r)
{
	struct cgroup *g = &item->cgroup;
	_cleanup_(free_p) char *path = TAKE_PTR(g->path);
	unsigned refresh = g->refresh;

	cgroup_done(r, g);
	cgroup_init(g, path, refresh);
	cgroup_net_done(&item->net, r);
}

void container_table_remove(
	struct container_table *t, struct cgroup_reader *r, struct container_item *item)
{
	struct container_item **at = &t->first;

	while (*at != item)
		at = &(*at)->next;
	*at = item->next;
	at = &t->buckets[bucket_of(item->cgroup.path)];
	while (*at != item)
		at = &(*at)->next_in_bucket;
	*at = item->next_in_bucket;
	t->n--;
	cgroup_done(r, &item->cgroup);
	cgroup_net_done(&item->net, r);
	free(item->key);
	free(item->stable);
	free(item);
}
