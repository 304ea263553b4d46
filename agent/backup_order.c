/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_order.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/json_view.h"
#include "base/fs.h"
#include "base/str.h"

/* All stores of the configuration, for an order that is about no job. */
enum { LIST_RETRY_MS = 15 * 1000 };

static json_t *all_stores(const struct backup_config *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_stores; i++)
		(void)json_array_append(list, c->stores[i].settings);
	return list;
}

static int choose_stores(const struct backup_config *c, const struct backup_order_options *o,
	json_t **out, struct err *e)
{
	json_t *list = o->job ? json_incref(o->job->stores) : all_stores(c), *one;
	json_t *chosen = json_array();
	size_t i;

	if (!o->store) {
		json_decref(chosen);
		*out = list;
		return 0;
	}
	json_array_foreach(list, i, one) if (strcmp(json_view_text(one, "name"), o->store) == 0)(
		void) json_array_append(chosen, one);
	json_decref(list);
	*out = chosen;
	if (json_array_size(chosen))
		return 0;
	json_decref(chosen);
	return err_set(e, ENOENT, "%s does not go to a store \"%s\"",
		o->job ? o->job->name : "nothing", o->store);
}

/* Who reads a list waits in front of it: a store that is away is told soon, and does not hide the others. */
static json_t *with_little_patience(json_t *stores)
{
	json_t *copy = json_deep_copy(stores), *one;
	size_t i;

	json_array_foreach(copy, i, one)(void)
		json_object_set_new(one, "retry_ms", json_integer(LIST_RETRY_MS));
	json_decref(stores);
	return copy;
}

/* The first socket that is there; what is missing now may come back. */
static const char *container_socket(const struct config *c)
{
	const char *const *list;
	size_t n = config_list(c, "container_sockets", &list);

	for (size_t i = 0; i < n; i++)
		if (access(list[i], F_OK) == 0)
			return list[i];
	return n ? list[0] : NULL;
}

static void add_last(json_t *order, const struct backup_last *l)
{
	json_t *last = json_object();

	if (l->stored_bytes)
		(void)json_object_set_new(last, "stored_bytes", json_integer(l->stored_bytes));
	if (l->plain_bytes)
		(void)json_object_set_new(last, "plain_bytes", json_integer(l->plain_bytes));
	if (l->median_bytes)
		(void)json_object_set_new(last, "median_bytes", json_integer(l->median_bytes));
	if (l->duration_ms)
		(void)json_object_set_new(last, "duration_ms", json_integer(l->duration_ms));
	(void)json_object_set_new(order, "last", last);
}

static void add_jobs(json_t *order, const struct backup_config *c)
{
	json_t *names = json_array();

	for (size_t i = 0; i < c->n_jobs; i++)
		(void)json_array_append_new(names, json_string(c->jobs[i].name));
	(void)json_object_set_new(order, "jobs", names);
}

int backup_order_new(const struct backup_config *c, const struct backup_order_options *o,
	json_t **out, struct err *e)
{
	_cleanup_(free_p) char *state = fs_absolute(o->state_dir);
	const char *socket = container_socket(c->config);
	json_t *stores, *order;
	int r = choose_stores(c, o, &stores, e);

	if (r < 0) {
		json_decref(o->restore);
		return r;
	}
	if (strcmp(o->what, "list") == 0)
		stores = with_little_patience(stores);
	order = json_pack("{s:s, s:I, s:o, s:s, s:s, s:s, s:b}", "do", o->what, "run",
		(json_int_t)o->run, "stores", stores, "host", config_string(c->config, "hostname"),
		"state", state, "agent_version", AGENT_VERSION, "dry_run", o->dry_run);
	if (!order)
		abort(); /* names and paths of the configuration are UTF-8 */
	if (socket)
		(void)json_object_set_new(order, "container_socket", json_string(socket));
	if (o->job)
		(void)json_object_set(order, "job", o->job->settings);
	else
		add_jobs(order, c);
	if (o->last)
		add_last(order, o->last);
	if (o->restore)
		(void)json_object_set_new(order, "restore", o->restore);
	*out = order;
	return 0;
}
