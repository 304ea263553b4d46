/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/containers.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "collectors/container_report.h"
#include "collectors/containers_impl.h"

/* A container just found waits this long for its name before it is shown by its id. */
static const int64_t name_wait_ns = 2000000000;

const char *const containers_default_sockets[] = {
	"/run/docker.sock", "/run/podman/podman.sock", NULL};

int containers_new(struct loop *loop, struct http_client *http, const struct containers_options *o,
	struct problems *problems, struct containers **out, struct err *e)
{
	_cleanup_(containers_free_p) struct containers *c = calloc(1, sizeof(*c));
	struct runtime_options ro = {
		.sockets = o->sockets ? o->sockets : containers_default_sockets,
		.n_sockets = o->sockets ? o->n_sockets : 2,
		.docker_root = o->docker_root,
		.podman_root = o->podman_root,
		.root_fd = o->root_fd,
		.tree = &c->tree,
	};
	int r;

	if (!c)
		abort();
	c->options = *o;
	c->problems = problems;
	c->loop = o->live ? loop : NULL;
	cgroup_tree_init(&c->tree);
	r = runtime_new(c->loop, o->live ? http : NULL, &ro, problems, &c->runtime, e);
	if (r < 0)
		return r;
	r = containers_open(c, e);
	if (r < 0)
		return r;
	*out = TAKE_PTR(c);
	return 0;
}

void containers_free(struct containers *c)
{
	if (!c)
		return;
	while (c->table.first)
		containers_drop(c, c->table.first);
	cgroup_watch_free(c->watch);
	container_oom_free(c->oom);
	runtime_free(c->runtime);
	cgroup_tree_done(&c->tree);
	container_names_done(&c->names);
	free(c->hooks_cgroup);
	free(c);
}

void containers_set_patterns(
	struct containers *c, struct patterns containers, struct patterns services)
{
	c->options.containers = containers;
	c->options.services = services;
	c->names_changed = true;
}

void containers_set_hooks_cgroup(struct containers *c, const char *path)
{
	static const char root[] = "/sys/fs/cgroup/";

	free(c->hooks_cgroup);
	c->hooks_cgroup = str_starts(path, root) ? str_dup(path + strlen(root)) : NULL;
	c->reader.apart = c->hooks_cgroup;
}

const char *containers_cgroup_mode(const struct containers *c)
{
	return cgroup_mode_name(c ? c->tree.mode : CGROUP_MODE_NONE);
}

/* Podman's files do not have the labels a stable name is made of. */
static bool is_name_final(const struct container_info *info)
{
	return info && (info->source != 0 || !info->engine || strcmp(info->engine, "podman") != 0);
}

static bool waits_for_name(const struct containers *c, const struct container_item *item)
{
	return *item->name.id && !is_name_final(item->info) && runtime_is_asking(c->runtime) &&
	       clock_mono_ns() - item->found_ns < name_wait_ns;
}

static void settle_names(struct containers *c)
{
	if (!c->names_changed && c->runtime_version == runtime_version(c->runtime))
		return;
	container_names_settle(
		&c->names, &c->table, c->runtime, &c->options.containers, &c->options.services);
	c->names_changed = false;
	c->runtime_version = runtime_version(c->runtime);
}

/* Of all that use a namespace, the one found first owns it, unless its engine says that it joined another's. */
static bool owns_before(const struct container_item *a, const struct container_item *b)
{
	if (!a->joined != !b->joined)
		return !a->joined;
	return a->found_ns != b->found_ns ? a->found_ns < b->found_ns
					  : strcmp(a->cgroup.path, b->cgroup.path) < 0;
}

static void settle_networks(struct containers *c)
{
	for (struct container_item *a = c->table.first; a; a = a->next) {
		bool owner = true;

		if (a->net.kind != CGROUP_NET_OWN && a->net.kind != CGROUP_NET_SHARED)
			continue;
		for (const struct container_item *b = c->table.first; b && owner; b = b->next)
			owner = a == b || a->net.ns != b->net.ns || owns_before(a, b);
		cgroup_net_own(&a->net, &c->reader, owner);
		a->labelled = false;
	}
	c->networks_changed = false;
}

static void find_networks(struct containers *c)
{
	for (struct container_item *i = c->table.first; i; i = i->next)
		if (!i->hidden && !i->ended &&
			cgroup_net_find(&i->net, &c->reader, &i->cgroup, i->info ? i->info->pid : 0,
				c->host_ns))
			c->networks_changed = true;
	if (c->networks_changed)
		settle_networks(c);
}

static void read_network(struct containers *c, struct container_item *i)
{
	if (cgroup_net_read(&i->net, &c->reader, &i->cgroup, &c->numbers))
		return;
	if (cgroup_net_find(
		    &i->net, &c->reader, &i->cgroup, i->info ? i->info->pid : 0, c->host_ns))
		c->networks_changed = true;
	(void)cgroup_net_read(&i->net, &c->reader, &i->cgroup, &c->numbers);
}

/* Unnoticed, another cgroup has taken the place of this one; when is not known. */
static void begin_anew(struct container_item *i)
{
	i->fresh = false;
	i->fed = false;
	i->oom_carried += i->oom_kills;
	i->oom_kills = 0;
}

static void report_item(
	struct containers *c, const struct collect_ctx *ctx, struct container_item *i)
{
	const struct entity_class *class =
		i->name.kind == CGROUP_SERVICE ? &class_service : &class_container;
	int64_t now_ns = c->options.live ? clock_mono_ns() : ctx->now_ns;
	struct entity *e;

	if (i->hidden || i->ended || waits_for_name(c, i))
		return;
	container_oom_watch(c->oom, i);
	i->result = cgroup_read(&c->reader, &i->cgroup, &c->numbers);
	if (i->result == CGROUP_GONE)
		return;
	if (i->result == CGROUP_REPLACED)
		begin_anew(i);
	read_network(c, i);
	e = registry_get(ctx->registry, class, i->key);
	if (e)
		container_report_live(e, i, &c->numbers, c->reader.cpus, now_ns, ctx->wall_ms);
}

static void report_ended_item(
	struct containers *c, const struct collect_ctx *ctx, struct container_item *i)
{
	const struct entity_class *class =
		i->name.kind == CGROUP_SERVICE ? &class_service : &class_container;
	struct entity *e = i->hidden || i->heir ? NULL : registry_get(ctx->registry, class, i->key);

	if (i->oom_watch) {
		/* Not settled yet, so kept for one sample more. */
		if (e && i->info)
			container_report_stopped(e, i->info, ctx->now_ns);
		return;
	}
	if (i->heir)
		i->heir->oom_carried += container_oom_pending(i);
	if (e)
		container_report_ended(e, i, ctx->now_ns);
	containers_drop(c, i);
}

static void report_ended(struct containers *c, const struct collect_ctx *ctx)
{
	struct container_item *next;

	for (struct container_item *i = c->table.first; i; i = next) {
		next = i->next;
		if (i->ended)
			report_ended_item(c, ctx, i);
	}
}

static void report_stopped(struct containers *c, const struct collect_ctx *ctx)
{
	for (size_t n = 0; n < c->names.n_stopped; n++) {
		const struct container_info *info = c->names.stopped[n];
		struct entity *e = registry_get(ctx->registry, &class_container, info->stable);

		if (e)
			container_report_stopped(e, info, ctx->now_ns);
	}
}

int containers_sample(struct containers *c, const struct collect_ctx *ctx, struct err *e)
{
	if (c->samples++ % CGROUP_REFRESH_SAMPLES == 0 && c->tree.mode == CGROUP_MODE_NONE &&
		containers_open(c, e) < 0)
		return err_wrap(e, -EIO, "cgroups");
	cgroup_reader_begin(&c->reader);
	runtime_poll(c->runtime);
	containers_find(c);
	settle_names(c);
	find_networks(c);
	report_ended(c, ctx);
	for (struct container_item *i = c->table.first; i; i = i->next)
		report_item(c, ctx, i);
	report_stopped(c, ctx);
	/* Last, because names may be forgotten with them. */
	for (struct container_item *i = c->table.first; i; i = i->next)
		if (i->result == CGROUP_GONE && !i->ended)
			containers_end(c, i);
	return 0;
}
