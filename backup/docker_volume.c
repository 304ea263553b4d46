/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/docker.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "backup/docker_internal.h"

static int ask_volume(const char *socket, const char *volume, json_t **out, struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	int r;

	buf_adds(&path, "/volumes/");
	docker_path_add(&path, volume);
	r = docker_ask(socket, "GET", buf_str(&path), NULL, 0, out, e);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "volume %s: there is none of that name", volume);
	return r;
}

/* A volume of the local driver may be a folder of this host, or a network share that is mounted only while a container
 * uses it. */
static const char *path_of(const json_t *volume)
{
	const json_t *options = json_object_get(volume, "Options");
	const char *device = docker_text(options, "device");

	if (*device == '/' && strstr(docker_text(options, "o"), "bind"))
		return device;
	return docker_text(volume, "Mountpoint");
}

static bool is_mounted(const char *path)
{
	char parent[4096];
	struct stat st, up;

	(void)snprintf(parent, sizeof(parent), "%s/..", path);
	return stat(path, &st) == 0 && stat(parent, &up) == 0 && st.st_dev != up.st_dev;
}

int docker_volume_path(const char *socket, const char *volume, struct buf *out, struct err *e)
{
	json_t *answer = NULL;
	const char *path, *device;
	struct stat st;
	int r = ask_volume(socket, volume, &answer, e);

	if (r < 0)
		return r;
	path = path_of(answer);
	device = docker_text(json_object_get(answer, "Options"), "device");
	if (*path != '/')
		r = err_set(e, ENOTSUP, "volume %s: its driver (%s) keeps it elsewhere", volume,
			docker_text(answer, "Driver"));
	else if (*device && strcmp(path, device) != 0 && !is_mounted(path))
		r = err_set(e, ENOTSUP,
			"volume %s: %s is mounted only while a container uses it; start one",
			volume, device);
	else if (stat(path, &st) < 0)
		r = err_sys(e, "volume %s: %s", volume, path);
	else
		buf_adds(out, path);
	json_decref(answer);
	return r;
}

static const char *name_of(const json_t *container)
{
	const char *name =
		json_string_value(json_array_get(json_object_get(container, "Names"), 0));

	if (!name)
		return docker_text(container, "Id");
	return name + (*name == '/');
}

int docker_volume_users(const char *socket, const char *volume, struct buf *out, struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	_cleanup_(free_p) char *text = NULL;
	json_t *filters = json_pack("{s:[s], s:[s, s, s]}", "volume", volume, "status", "running",
		"paused", "restarting");
	json_t *list = NULL;
	const json_t *c;
	size_t i;
	int r;

	text = json_dumps(filters, JSON_COMPACT);
	json_decref(filters);
	buf_adds(&path, "/containers/json?filters=");
	docker_path_add(&path, text ? text : "");
	r = docker_ask(socket, "GET", buf_str(&path), NULL, 0, &list, e);
	json_array_foreach(list, i, c) buf_addf(out, "%s%s", out->len ? ", " : "", name_of(c));
	json_decref(list);
	return r;
}
