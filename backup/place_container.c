/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/place_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/container_processes.h"
#include "backup/docker_exec.h"
#include "backup/docker_internal.h"
#include "backup/exec_record.h"
#include "base/clock.h"
#include "base/str.h"

#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { ALIKE_MAX = 5 };

struct container {
	struct place base;
	char *socket;
	struct docker_container *container;
	char *left_over;
};

static struct container *self(struct place *p)
{
	return (struct container *)(void *)p;
}

static int container_start(
	struct place *p, const struct running_options *o, struct running **out, struct err *e)
{
	struct container *c = self(p);

	return docker_exec_start(c->socket, c->container, o, &c->left_over, out, e);
}

/* The engine looks into the container's files; nothing is run. */
static bool is_there(const struct container *c, const char *file)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(8192);
	_cleanup_(buf_done) struct buf none = BUF_INIT(8192);

	buf_addf(&path, "/containers/%s/archive?path=", c->container->id);
	docker_path_add(&path, file);
	return !path.overflow && docker_call(c->socket, "HEAD", buf_str(&path), NULL,
					 DOCKER_CALL_MS, &none, NULL) == 200;
}

static const char *search_path(const struct container *c)
{
	const json_t *env =
		json_object_get(json_object_get(c->container->inspect, "Config"), "Env");
	const json_t *entry;
	size_t i;

	json_array_foreach(env, i, entry)
	{
		const char *text = json_string_value(entry);

		if (text && str_starts(text, "PATH="))
			return text + 5;
	}
	return USUAL_PATH;
}

static bool container_has(struct place *p, const char *program)
{
	const struct container *c = self(p);
	const char *path = search_path(c);

	if (strchr(program, '/'))
		return is_there(c, program);
	while (*path) {
		size_t n = strcspn(path, ":");
		_cleanup_(free_p) char *file = str_format("%.*s/%s", (int)n, path, program);

		if (n && is_there(c, file))
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

static void container_free(struct place *p)
{
	struct container *c = self(p);

	free(p->title);
	free(c->socket);
	free(c->left_over);
	docker_container_free(c->container);
	free(c);
}

static const struct place_ops ops = {container_start, container_has, container_free};

/* --- which one */

static bool is_alike(const char *a, const char *b)
{
	return strstr(a, b) || strstr(b, a) || str_distance(a, b) <= 2;
}

/* Running containers with names like it; all, when none is. */
static void names_alike(const json_t *list, const char *name, bool all, struct buf *out)
{
	const json_t *c;
	size_t i, n = 0;

	json_array_foreach(list, i, c)
	{
		const char *other =
			json_string_value(json_array_get(json_object_get(c, "Names"), 0));

		if (!other || (!all && !is_alike(other + (*other == '/'), name)))
			continue;
		if (n++ < ALIKE_MAX)
			buf_addf(out, "%s%s", n > 1 ? ", " : "", other + (*other == '/'));
	}
	if (n > ALIKE_MAX)
		buf_addf(out, " and %zu more", n - ALIKE_MAX);
}

static int none_of_that_name(const char *socket, const char *name, struct err *e)
{
	_cleanup_(buf_done) struct buf names = BUF_INIT(4096);
	json_t *list = NULL;

	(void)docker_ask(socket, "GET", "/containers/json", NULL, 0, &list, NULL);
	names_alike(list, name, false, &names);
	if (!names.len)
		names_alike(list, name, true, &names);
	json_decref(list);
	return err_set(e, ENOENT, "container %s: there is none of that name%s%s", name,
		names.len ? "; running are " : "", buf_str(&names));
}

int place_container(const char *socket, const char *container, struct place **out, struct err *e)
{
	_cleanup_(docker_container_free_p) struct docker_container *found = NULL;
	struct container *c;
	int r;

	if (!socket)
		return err_set(
			e, ENOENT, "container %s: no container engine is known here", container);
	r = docker_inspect(socket, container, &found, e);
	if (r == -ENOENT)
		return none_of_that_name(socket, container, e);
	if (r < 0)
		return r;
	if (!found->running)
		return err_set(e, ESRCH, "container %s does not run", found->name);
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->base.ops = &ops;
	c->base.title = str_format("container %s", found->name);
	c->base.docker = c->container = TAKE_PTR(found);
	c->socket = str_dup(socket);
	*out = &c->base;
	return 0;
}

const char *place_left_running(const struct place *p)
{
	return place_is_host(p) ? NULL : ((const struct container *)(const void *)p)->left_over;
}

void place_sweep(const char *state_dir, size_t *ended, size_t *left)
{
	exec_record_set_folder(state_dir);
	exec_record_sweep(ended, left);
}
