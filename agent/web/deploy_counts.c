/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/deploy_counts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char *text_of(const json_t *deploy, const char *name)
{
	const char *s = json_string_value(json_object_get(deploy, name));

	return s ? s : "";
}

static struct deploy_count *find(const struct deploy_counts *c, const char *app)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->apps[i].app, app) == 0)
			return &c->apps[i];
	return NULL;
}

/* NULL: there are too many, or it is no name. */
static struct deploy_count *find_or_add(struct deploy_counts *c, const char *app)
{
	struct deploy_count *a = find(c, app);

	if (a || !*app || strlen(app) >= sizeof(a->app) || c->n == DEPLOY_COUNTS_APPS_MAX)
		return a;
	c->apps = reallocarray(c->apps, c->n + 1, sizeof(*c->apps));
	if (!c->apps)
		abort();
	a = &c->apps[c->n++];
	memset(a, 0, sizeof(*a));
	(void)str_copy(a->app, sizeof(a->app), app);
	return a;
}

static bool is_counted(const struct deploy_count *a, int64_t id)
{
	for (size_t i = 0; i < DEPLOY_COUNTS_REMEMBERED; i++)
		if (a->last[i] == id)
			return true;
	return false;
}

void deploy_counts_put(struct deploy_counts *c, const json_t *message)
{
	const json_t *deploy = json_object_get(message, "deploy");
	int64_t id = json_integer_value(json_object_get(deploy, "id"));
	enum deploy_state state;
	struct deploy_count *a;

	if (id <= 0 || deploy_state_find(text_of(deploy, "state"), &state) < 0 ||
		!deploy_state_is_end(state))
		return;
	/* With a verdict it ended long ago, perhaps before this process began. */
	if (*text_of(deploy, "verdict_grade"))
		return;
	a = find_or_add(c, text_of(deploy, "app"));
	if (!a || is_counted(a, id))
		return;
	a->ends[state]++;
	a->last[a->next] = id;
	a->next = (a->next + 1) % DEPLOY_COUNTS_REMEMBERED;
}

uint64_t deploy_counts_get(const struct deploy_counts *c, const char *app, enum deploy_state end)
{
	const struct deploy_count *a = find(c, app);

	return a ? a->ends[end] : 0;
}

void deploy_counts_done(struct deploy_counts *c)
{
	free(c->apps);
	memset(c, 0, sizeof(*c));
}
