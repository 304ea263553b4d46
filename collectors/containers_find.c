/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/resource.h>

#include "base/clock.h"
#include "collectors/containers_impl.h"

enum { KEPT_FILES_WITHOUT_LIMIT = 256 };

/* The same path again: what ended was not shown yet, and its OOM kills are counted for the
 * successor. */
static void begin_again(struct container_item *item)
{
	container_oom_finish(item);
	item->oom_carried = container_oom_pending(item);
	item->oom_kills = 0;
	item->oom_shown = 0;
	item->oom_tried = false;
	item->ended = false;
	item->fed = false;
}

static struct container_item *add(
	struct containers *c, const char *path, const struct cgroup_name *name)
{
	struct container_item *item;

	if (c->table.n >= CGROUPS_MAX) {
		c->too_many = true;
		return NULL;
	}
	item = container_table_add(&c->table, path);
	item->name = *name;
	return item;
}

static void found(void *user, const char *path, const struct cgroup_name *name, bool fresh)
{
	struct containers *c = user;
	struct container_item *item = container_table_find(&c->table, path);

	if (item && !item->ended) {
		item->scan = c->scans;
		return;
	}
	if (item)
		begin_again(item);
	else
		item = add(c, path, name);
	if (!item)
		return;
	item->scan = c->scans;
	item->fresh = fresh;
	item->found_ns = clock_mono_ns();
	item->found_at = (double)clock_wall_ms() / 1000;
	if (name->kind == CGROUP_CONTAINER)
		runtime_cgroup_changed(c->runtime, name, true);
	/* It may be gone before its first sample. */
	container_names_learn(item, c->runtime);
	container_oom_watch(c->oom, item);
	c->names_changed = true;
}

/* Kept until the next sample, which shows its OOM kills. */
void containers_end(struct containers *c, struct container_item *item)
{
	container_oom_ended(item);
	container_item_close(item, &c->reader);
	item->ended = true;
	if (item->name.kind == CGROUP_CONTAINER)
		runtime_cgroup_changed(c->runtime, &item->name, false);
	c->names_changed = true;
	c->networks_changed = true;
}

static void gone(void *user, const char *path)
{
	struct containers *c = user;
	struct container_item *item = container_table_find(&c->table, path);

	if (item && !item->ended)
		containers_end(c, item);
}

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

static int begin_watch(struct containers *c, struct err *e)
{
	const struct cgroup_watch_events events = {.found = found, .gone = gone, .user = c};

	cgroup_watch_free(c->watch);
	container_oom_free(c->oom);
	c->watch = NULL;
	c->oom = container_oom_new(c->loop, &c->reader, &c->table);
	return cgroup_watch_new(c->loop, &c->tree, &events, &c->watch, e);
}

int containers_open(struct containers *c, struct err *e)
{
	const struct containers_options *o = &c->options;
	int r = cgroup_tree_open(&c->tree, o->root_fd, o->proc_fd, o->sys_fd, o->live, e);

	if (r < 0)
		return r;
	cgroup_reader_init(&c->reader, &c->tree, o->proc_fd, o->sys_fd, file_budget(o->live));
	r = begin_watch(c, e);
	if (r < 0)
		return r;
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

/* Whom neither inotify nor a walk through the tree sees any more. */
static void poll_watch(struct containers *c)
{
	const char *trouble;

	c->scans++;
	c->too_many = false;
	if (!cgroup_watch_poll(c->watch))
		return;
	for (struct container_item *i = c->table.first; i; i = i->next)
		if (i->scan != c->scans && !i->ended)
			containers_end(c, i);
	trouble = cgroup_watch_trouble(c->watch);
	if (trouble)
		problem_set(c->problems, "containers.watch", "%s", trouble);
	else
		problem_clear(c->problems, "containers.watch");
	if (c->too_many)
		problem_set(c->problems, "containers.many",
			"there are more than %d containers and services: the rest is left out",
			(int)CGROUPS_MAX);
	else
		problem_clear(c->problems, "containers.many");
}

void containers_drop(struct containers *c, struct container_item *item)
{
	container_oom_finish(item);
	container_table_remove(&c->table, &c->reader, item);
	c->names_changed = true;
}

/* Of those that ended, only the ones with something to tell stay for this sample. */
static void sort_out_ended(struct containers *c)
{
	struct container_item *next;

	for (struct container_item *i = c->table.first; i; i = next) {
		next = i->next;
		if (!i->ended || container_oom_is_undecided(i, clock_mono_ns()))
			continue;
		container_oom_finish(i);
		container_names_learn(i, c->runtime);
		/* The engine saw what the kernel did not tell in time. */
		if (i->oom_kills <= 0 && i->info && i->info->oom_killed)
			i->oom_kills = 1;
		if (container_oom_pending(i) <= 0)
			containers_drop(c, i);
	}
}

void containers_find(struct containers *c)
{
	poll_watch(c);
	sort_out_ended(c);
}
