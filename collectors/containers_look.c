/* SPDX-License-Identifier: Apache-2.0
 *
 * One container between two samples: what the engine told last, and what the kernel announced.
 */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "collectors/containers_impl.h"

struct look {
	const char *name;
	size_t n; /* of that name: tasks of a service of swarm are several */
	struct container_state_now *out;
};

static bool is_called(const struct container_info *info, const char *name)
{
	return (info->name && strcmp(info->name, name) == 0) ||
	       (info->version && strcmp(info->version, name) == 0);
}

/* Kills are counted where its cgroup is, or was a moment ago; later only the engine knows. */
static double kills_of(const struct containers *c, const struct container_info *info)
{
	double kills = 0;

	for (const struct container_item *i = c->table.first; i; i = i->next)
		if (i->name.kind == CGROUP_CONTAINER && strcmp(i->name.id, info->id) == 0)
			kills += i->oom_carried + i->oom_kills;
	return info->oom_killed ? fmax(kills, 1) : kills;
}

static void add_container(
	const struct containers *c, struct look *l, const struct container_info *info)
{
	if (container_state_is_live(info->state))
		l->out->running = true;
	if (info->restarts > 0)
		l->out->restarts += info->restarts;
	l->out->oom_kills += kills_of(c, info);
	l->n++;
}

static void look_for_container(const struct containers *c, struct look *l)
{
	for (size_t i = 0; i < runtime_count(c->runtime); i++) {
		const struct container_info *info = runtime_at(c->runtime, i);

		if (is_called(info, l->name))
			add_container(c, l, info);
	}
	/* Swarm replaces a task that ended by another container. */
	if (l->n > 1)
		l->out->restarts += (double)(l->n - 1);
}

static void look_for_unit(const struct containers *c, struct look *l)
{
	static const char suffix[] = ".service";
	size_t n = strlen(l->name);

	if (!str_ends(l->name, suffix))
		return;
	n -= strlen(suffix);
	for (const struct container_item *i = c->table.first; i; i = i->next) {
		if (i->name.kind != CGROUP_SERVICE || strlen(i->name.name) != n ||
			strncmp(i->name.name, l->name, n) != 0)
			continue;
		l->out->running = !i->ended;
		l->out->oom_kills = i->oom_carried + i->oom_kills;
		l->n++;
	}
}

bool containers_look(const struct containers *c, const char *name, struct container_state_now *out)
{
	struct container_state_now now = {.running = false};
	struct look l = {.name = name, .out = &now};

	if (!*name)
		return false;
	look_for_container(c, &l);
	if (!l.n)
		look_for_unit(c, &l);
	if (l.n)
		*out = now;
	return l.n > 0;
}
