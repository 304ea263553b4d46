/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/runtime_store.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/runtime.h"

static void free_info(struct container_info *c)
{
	container_info_done(c);
	free(c);
}

void runtime_store_done(struct runtime_store *s)
{
	for (size_t i = 0; i < s->n; i++)
		free_info(s->all[i]);
	free(s->all);
	*s = (struct runtime_store){.version = s->version + 1};
}

/* Index of the id, or of the one it belongs before. */
static size_t place_of(const struct runtime_store *s, const char *id)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->all[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct runtime_store *s, size_t i, const char *id)
{
	return i < s->n && strcmp(s->all[i]->id, id) == 0;
}

struct container_info *runtime_store_find(const struct runtime_store *s, const char *id)
{
	size_t i = place_of(s, id);

	return is_at(s, i, id) ? s->all[i] : NULL;
}

static void make_room(struct runtime_store *s)
{
	if (s->n < s->cap)
		return;
	s->cap = s->cap ? s->cap * 2 : 16;
	s->all = realloc(s->all, s->cap * sizeof(*s->all));
	if (!s->all)
		abort();
}

static void judge(struct container_info *c)
{
	bool live = container_state_is_live(c->state);

	c->doubtful = c->state != CONTAINER_STATE_UNKNOWN &&
		      ((c->cgroup == CGROUP_WENT && live) || (c->cgroup == CGROUP_CAME && !live));
	if (c->doubtful)
		c->state = live ? CONTAINER_EXITED : CONTAINER_RUNNING;
}

void runtime_store_saw(struct runtime_store *s, const char *id, bool came)
{
	struct container_info *c = runtime_store_find(s, id);

	if (!c)
		return;
	c->cgroup = came ? CGROUP_CAME : CGROUP_WENT;
	judge(c);
	s->version++;
}

bool runtime_store_put(struct runtime_store *s, struct container_info *info)
{
	size_t i = place_of(s, info->id);

	if (!is_at(s, i, info->id)) {
		if (s->n >= RUNTIME_CONTAINERS_MAX) {
			container_info_done(info);
			return false;
		}
		make_room(s);
		memmove(s->all + i + 1, s->all + i, (s->n - i) * sizeof(*s->all));
		s->all[i] = malloc(sizeof(**s->all));
		if (!s->all[i])
			abort();
		container_info_init(s->all[i]);
		s->n++;
	}
	container_info_merge(s->all[i], info);
	judge(s->all[i]);
	s->version++;
	return true;
}

void runtime_store_remove(struct runtime_store *s, const char *id)
{
	size_t i = place_of(s, id);

	if (!is_at(s, i, id))
		return;
	free_info(s->all[i]);
	s->n--;
	memmove(s->all + i, s->all + i + 1, (s->n - i) * sizeof(*s->all));
	s->version++;
}

void runtime_store_sweep(
	struct runtime_store *s, unsigned source, const char *engine, unsigned listed)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct container_info *c = s->all[i];

		if (c->listed == listed || c->source != source || !c->engine ||
			strcmp(c->engine, engine) != 0)
			s->all[kept++] = c;
		else
			free_info(c);
	}
	if (kept != s->n)
		s->version++;
	s->n = kept;
}
