/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/runtime.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/str.h"
#include "collectors/engine_api.h"
#include "collectors/runtime_files.h"
#include "collectors/runtime_store.h"

enum { LIST_AGAIN_MS = 5 * 60 * 1000 };

static const char problem_key[] = "containers.names";

struct runtime {
	struct runtime_store store;
	struct runtime_files files;
	struct problems *problems;
	char *docker_root, *podman_root;
	struct engine_api *apis[RUNTIME_SOCKETS_MAX];
	size_t n_apis;
	int64_t listed_ms; /* when Docker's folder was listed; 0: never */
	unsigned lists;
	bool files_denied;
};

/* Of all engines that may know it; NULL when no engine's socket answers for it. */
static struct engine_api *api_for(const struct runtime *r, const char *engine)
{
	for (size_t i = 0; i < r->n_apis; i++)
		if (engine_api_is_ready(r->apis[i]) &&
			(!engine || !*engine || strcmp(engine_api_engine(r->apis[i]), engine) == 0))
			return r->apis[i];
	return NULL;
}

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
		runtime_store_sweep(&r->store, 0, "docker", r->lists);
	r->listed_ms = clock_mono_ms();
}

/* The same socket may have two names (/run and /var/run; podman-docker's link). */
static bool is_same_socket(const char *a, const char *b)
{
	struct stat x, y;

	return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
					    x.st_ino == y.st_ino);
}

static void add_sockets(struct runtime *r, struct loop *loop, struct http_client *http,
	const struct runtime_options *o)
{
	for (size_t i = 0; i < o->n_sockets && r->n_apis < RUNTIME_SOCKETS_MAX; i++) {
		struct engine_api_options a = {
			.loop = loop,
			.http = http,
			.socket = o->sockets[i],
			.source = (unsigned)i + 1,
			.store = &r->store,
			.tree = o->tree,
		};
		bool twice = false;

		for (size_t k = 0; k < i; k++)
			twice = twice || is_same_socket(o->sockets[i], o->sockets[k]);
		if (!twice)
			r->apis[r->n_apis++] = engine_api_new(&a);
	}
}

int runtime_new(struct loop *loop, struct http_client *http, const struct runtime_options *o,
	struct problems *problems, struct runtime **out, struct err *e)
{
	struct runtime *r = calloc(1, sizeof(*r));

	(void)e;
	if (!r)
		abort();
	r->docker_root = str_dup(o->docker_root ? o->docker_root : "/var/lib/docker");
	r->podman_root = str_dup(o->podman_root ? o->podman_root : "/var/lib/containers/storage");
	r->files = (struct runtime_files){o->root_fd, r->docker_root, r->podman_root};
	r->problems = problems;
	if (loop && http)
		add_sockets(r, loop, http, o);
	*out = r;
	return 0;
}

void runtime_free(struct runtime *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_apis; i++)
		engine_api_free(r->apis[i]);
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
	for (size_t i = 0; i < r->n_apis; i++)
		if (engine_api_is_asking(r->apis[i]))
			return true;
	return false;
}

/* By the files, which are there at once, and by the engine, whose word counts more. */
static void look_at(struct runtime *r, const struct cgroup_name *name, const char *id)
{
	int x = read_files(r, name);
	struct engine_api *api = *name->id ? api_for(r, name->engine) : NULL;
	const struct container_info *known = runtime_store_find(&r->store, id);

	if (api)
		engine_api_ask(api, id);
	else if (x == -ENOENT && known && known->source == 0)
		/* Removed by its engine. */
		runtime_store_remove(&r->store, id);
}

void runtime_cgroup_changed(struct runtime *r, const struct cgroup_name *name, bool came)
{
	char id[CONTAINER_ID_MAX + 1];

	runtime_id(id, name);
	look_at(r, name, id);
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
		look_at(r, &name, name.id);
	}
}

static void report(struct runtime *r)
{
	for (size_t i = 0; i < r->n_apis; i++) {
		const char *trouble = engine_api_trouble(r->apis[i]);

		if (*trouble) {
			problem_set(r->problems, problem_key, "%s", trouble);
			return;
		}
	}
	if (r->files_denied && !api_for(r, NULL))
		problem_set(r->problems, problem_key,
			"the names of containers cannot be read: run the agent as root, or let it "
			"use the "
			"engine's socket");
	else
		problem_clear(r->problems, problem_key);
}

void runtime_poll(struct runtime *r)
{
	/* Docker's folder, for as long as Docker itself does not answer. */
	if (!api_for(r, "docker") &&
		(r->listed_ms == 0 || clock_mono_ms() - r->listed_ms >= LIST_AGAIN_MS))
		list_files(r);
	look_at_doubtful(r);
	report(r);
}
