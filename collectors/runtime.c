/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/runtime.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "collectors/runtime_files.h"
#include "collectors/runtime_store.h"

enum { LIST_AGAIN_MS = 5 * 60 * 1000 };

static const char problem_key[] = "containers.names";

struct runtime {
	struct runtime_store store;
	struct runtime_files files;
	struct problems *problems;
	char *docker_root, *podman_root;
	int64_t listed_ms; /* when Docker's folder was listed; 0: never */
	unsigned lists;
	bool files_denied;
};

static int read_files(struct runtime *r, const struct cgroup_name *name)
{
	struct container_info info;
	int x = runtime_files_read(&r->files, name, &info, NULL);

	if (x == -EACCES || x == -EPERM)
		r->files_denied = true;
	if (x < 0)
		return x;
	info.listed = r->lists;
	(void)runtime_store_put(&r->store, &info);
	return 0;
}

static void found_in_folder(void *user, const char *id)
{
	struct cgroup_name name = {.engine = "docker"};

	(void)str_copy(name.id, sizeof(name.id), id);
	(void)read_files(user, &name);
}

static void list_files(struct runtime *r)
{
	int x;

	r->lists++;
	r->files_denied = false;
	x = runtime_files_list(&r->files, found_in_folder, r, NULL);
	if (x == -EACCES)
		r->files_denied = true;
	else
		runtime_store_sweep(&r->store, "docker", r->lists);
	r->listed_ms = clock_mono_ms();
}

int runtime_new(struct loop *loop, struct http_client *http, const struct runtime_options *o,
	struct problems *problems, struct runtime **out, struct err *e)
{
	struct runtime *r = calloc(1, sizeof(*r));

	(void)loop;
	(void)http;
	(void)e;
	if (!r)
		abort();
	r->docker_root = str_dup(o->docker_root ? o->docker_root : "/var/lib/docker");
	r->podman_root = str_dup(o->podman_root ? o->podman_root : "/var/lib/containers/storage");
	r->files = (struct runtime_files){o->root_fd, r->docker_root, r->podman_root};
	r->problems = problems;
	*out = r;
	return 0;
}

void runtime_free(struct runtime *r)
{
	if (!r)
		return;
	runtime_store_done(&r->store);
	free(r->docker_root);
	free(r->podman_root);
	free(r);
}

const struct container_info *runtime_find(const struct runtime *r, const struct cgroup_name *name)
{
	char id[CONTAINER_ID_MAX + 1];

	runtime_id(id, name);
	return runtime_store_find(&r->store, id);
}

size_t runtime_count(const struct runtime *r)
{
	return r->store.n;
}

const struct container_info *runtime_at(const struct runtime *r, size_t i)
{
	return r->store.all[i];
}

unsigned runtime_version(const struct runtime *r)
{
	return r->store.version;
}

bool runtime_is_asking(const struct runtime *r)
{
	(void)r;
	return false;
}

void runtime_cgroup_changed(struct runtime *r, const struct cgroup_name *name, bool came)
{
	char id[CONTAINER_ID_MAX + 1];

	runtime_id(id, name);
	/* Removed by its engine too. */
	if (read_files(r, name) == -ENOENT)
		runtime_store_remove(&r->store, id);
	runtime_store_saw(&r->store, id, came);
}

/* Backwards: a container may be removed meanwhile. */
static void look_at_doubtful(struct runtime *r)
{
	for (size_t i = r->store.n; i-- > 0;) {
		const struct container_info *c = r->store.all[i];
		struct cgroup_name name = {.engine = c->engine ? c->engine : ""};

		if (!c->doubtful)
			continue;
		(void)str_copy(name.id, sizeof(name.id), c->id);
		if (read_files(r, &name) == -ENOENT)
			runtime_store_remove(&r->store, name.id);
	}
}

static void report(struct runtime *r)
{
	if (r->files_denied)
		problem_set(r->problems, problem_key,
			"the names of containers cannot be read: run the agent as root, or let it "
			"use the "
			"engine's socket");
	else
		problem_clear(r->problems, problem_key);
}

void runtime_poll(struct runtime *r)
{
	if (r->listed_ms == 0 || clock_mono_ms() - r->listed_ms >= LIST_AGAIN_MS)
		list_files(r);
	look_at_doubtful(r);
	report(r);
}
