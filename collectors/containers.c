/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/containers.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/str.h"
#include "collectors/cgroup_scan.h"
#include "collectors/container_names.h"
#include "collectors/container_report.h"
#include "collectors/runtime.h"

/* A container just found waits this long for its name before it is shown by its id. */
static const int64_t name_wait_ns = 2000000000;

enum { KEPT_FILES_WITHOUT_LIMIT = 256 };

const char *const containers_default_sockets[] = {
	"/run/docker.sock", "/run/podman/podman.sock", NULL};

struct containers {
	struct containers_options options;
	struct problems *problems;
	struct cgroup_tree tree;
	struct cgroup_reader reader;
	struct container_table table;
	struct runtime *runtime;
	unsigned runtime_version; /* as of the last settling of names */
	bool names_changed, networks_changed;
	bool too_many;
	uint64_t host_ns;
	unsigned samples, scans;
	struct container_names names;
};

/* Half of the descriptors this process may have. */
static size_t file_budget(bool live)
{
	struct rlimit limit;

	if (!live || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return KEPT_FILES_WITHOUT_LIMIT;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return KEPT_FILES_WITHOUT_LIMIT;
	return limit.rlim_cur / 2;
}

static int open_tree(struct containers *c, struct err *e)
{
	const struct containers_options *o = &c->options;
	int r = cgroup_tree_open(&c->tree, o->root_fd, o->proc_fd, o->sys_fd, o->live, e);

	if (r < 0)
		return r;
	cgroup_reader_init(&c->reader, &c->tree, o->proc_fd, o->sys_fd, file_budget(o->live));
	c->host_ns = cgroup_net_host_ns(o->proc_fd);
	if (cgroup_tree_walk_fd(&c->tree) < 0)
		problem_set(c->problems, "containers.cgroup",
			"no cgroup hierarchy is mounted here: containers and services are not "
			"measured");
	else
		problem_clear(c->problems, "containers.cgroup");
	if (c->tree.partial)
		problem_set(c->problems, "containers.namespace",
			"only this container's own part of the cgroup tree can be seen: start it "
			"with "
			"--cgroupns=host and /sys/fs/cgroup of the server mounted");
	return 0;
}

int containers_new(struct loop *loop, struct http_client *http, const struct containers_options *o,
	struct problems *problems, struct containers **out, struct err *e)
{
	struct runtime_options ro = {
		.sockets = o->sockets ? o->sockets : containers_default_sockets,
		.n_sockets = o->sockets ? o->n_sockets : 2,
		.docker_root = o->docker_root,
		.podman_root = o->podman_root,
		.root_fd = o->root_fd,
	};
	_cleanup_(containers_free_p) struct containers *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		abort();
	c->options = *o;
	c->problems = problems;
	cgroup_tree_init(&c->tree);
	r = open_tree(c, e);
	if (r < 0)
		return r;
	r = runtime_new(loop, http, &ro, problems, &c->runtime, e);
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
		container_table_remove(&c->table, &c->reader, c->table.first);
	runtime_free(c->runtime);
	cgroup_tree_done(&c->tree);
	container_names_done(&c->names);
	free(c);
}

void containers_set_patterns(
	struct containers *c, struct patterns containers, struct patterns services)
{
	c->options.containers = containers;
	c->options.services = services;
	c->names_changed = true;
}

const char *containers_cgroup_mode(const struct containers *c)
{
	return cgroup_mode_name(c ? c->tree.mode : CGROUP_MODE_NONE);
}

static void found(void *user, const char *path, const struct cgroup_name *name)
{
	struct containers *c = user;
	struct container_item *item;

	if (name->kind != CGROUP_CONTAINER && name->kind != CGROUP_SERVICE)
		return;
	item = container_table_find(&c->table, path);
	if (!item) {
		if (c->table.n >= CGROUPS_MAX) {
			c->too_many = true;
			return;
		}
		item = container_table_add(&c->table, path);
		item->name = *name;
		item->found_ns = clock_mono_ns();
		item->found_at = (double)clock_wall_ms() / 1000;
		if (name->kind == CGROUP_CONTAINER)
			runtime_cgroup_changed(c->runtime, name);
		c->names_changed = true;
	}
	item->scan = c->scans;
}

static void drop(struct containers *c, struct container_item *item)
{
	if (item->name.kind == CGROUP_CONTAINER)
		runtime_cgroup_changed(c->runtime, &item->name);
	container_table_remove(&c->table, &c->reader, item);
	c->names_changed = true;
	c->networks_changed = true;
}

static void scan(struct containers *c)
{
	struct container_item *next;

	c->scans++;
	c->too_many = false;
	cgroup_scan(&c->tree, "", found, c);
	for (struct container_item *i = c->table.first; i; i = next) {
		next = i->next;
		if (i->scan != c->scans)
			drop(c, i);
	}
	if (c->too_many)
		problem_set(c->problems, "containers.many",
			"there are more than %d containers and services: the rest is left out",
			(int)CGROUPS_MAX);
	else
		problem_clear(c->problems, "containers.many");
}

static bool waits_for_name(const struct containers *c, const struct container_item *item)
{
	return !item->info && *item->name.id && runtime_is_asking(c->runtime) &&
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
	bool a_joined =
		a->info && a->info->network && strncmp(a->info->network, "container:", 10) == 0;
	bool b_joined =
		b->info && b->info->network && strncmp(b->info->network, "container:", 10) == 0;

	if (a_joined != b_joined)
		return b_joined;
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
		if (!i->hidden && cgroup_net_find(&i->net, &c->reader, &i->cgroup,
					  i->info ? i->info->pid : 0, c->host_ns))
			c->networks_changed = true;
	if (c->networks_changed)
		settle_networks(c);
}

static void read_network(struct containers *c, struct container_item *i)
{
	if (cgroup_net_read(&i->net, &c->reader, &i->cgroup, &i->numbers))
		return;
	if (cgroup_net_find(
		    &i->net, &c->reader, &i->cgroup, i->info ? i->info->pid : 0, c->host_ns))
		c->networks_changed = true;
	(void)cgroup_net_read(&i->net, &c->reader, &i->cgroup, &i->numbers);
}

static void report_item(
	struct containers *c, const struct collect_ctx *ctx, struct container_item *i)
{
	const struct entity_class *class =
		i->name.kind == CGROUP_SERVICE ? &class_service : &class_container;
	int64_t now_ns = c->options.live ? clock_mono_ns() : ctx->now_ns;
	struct entity *e;

	if (i->hidden || waits_for_name(c, i))
		return;
	i->result = cgroup_read(&c->reader, &i->cgroup, &i->numbers);
	if (i->result == CGROUP_GONE)
		return;
	read_network(c, i);
	e = registry_get(ctx->registry, class, i->key);
	if (e)
		container_report_live(e, i, c->reader.cpus, now_ns, ctx->wall_ms);
}

static void drop_gone(struct containers *c)
{
	struct container_item *next;

	for (struct container_item *i = c->table.first; i; i = next) {
		next = i->next;
		if (i->result == CGROUP_GONE)
			drop(c, i);
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

static void look_again(struct containers *c, const struct container_info *info)
{
	struct cgroup_name name = {.engine = info->engine ? info->engine : ""};

	(void)str_copy(name.id, sizeof(name.id), info->id);
	runtime_cgroup_changed(c->runtime, &name);
}

/* Containers of which the engine, a moment ago, had not yet noted that they ended or began. */
static void look_at_doubtful(struct containers *c)
{
	size_t n_stopped = c->names.n_stopped;

	for (const struct container_item *i = c->table.first; i; i = i->next)
		if (i->info && i->info->state != CONTAINER_STATE_UNKNOWN &&
			!container_state_is_live(i->info->state))
			look_again(c, i->info);
	for (size_t n = 0; n < n_stopped; n++)
		if (container_state_is_live(c->names.stopped[n]->state))
			look_again(c, c->names.stopped[n]);
}

int containers_sample(struct containers *c, const struct collect_ctx *ctx, struct err *e)
{
	if (c->samples++ % CGROUP_REFRESH_SAMPLES == 0) {
		if (c->tree.mode == CGROUP_MODE_NONE && open_tree(c, e) < 0)
			return err_wrap(e, -EIO, "cgroups");
		cgroup_reader_refresh(&c->reader);
	}
	if (c->runtime_version == runtime_version(c->runtime))
		look_at_doubtful(c);
	runtime_poll(c->runtime);
	scan(c);
	settle_names(c);
	find_networks(c);
	for (struct container_item *i = c->table.first; i; i = i->next)
		report_item(c, ctx, i);
	report_stopped(c, ctx);
	/* Last, because names may be forgotten with them. */
	drop_gone(c);
	return 0;
}
