/* SPDX-License-Identifier: Apache-2.0
 *
 * A volume of the container engine, read and written where the engine keeps it on this host. It is not restored into while a
 * container uses it.
 */
#include "backup/engine.h"

#include <errno.h>

#include "backup/docker.h"
#include "backup/files_engine.h"

static int check_job(const struct job *j, struct err *e)
{
	if (!j->volume)
		return err_set(e, EINVAL, "volume: engine volume needs it");
	if (j->path)
		return err_set(e, EINVAL, "path: engine volume backs up all of it");
	return files_engine_check_job(j, e);
}

static int find(const struct engine_call *c, const char *volume, struct buf *path, struct err *e)
{
	if (!c->container_socket)
		return err_set(e, ENOENT, "volume %s: no container engine is known here", volume);
	return docker_volume_path(c->container_socket, volume, path, e);
}

static int probe(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf users = BUF_INIT(4096);
	int r = find(c, c->job->volume, &path, e);

	if (r == 0)
		r = files_engine_probe(buf_str(&path), out, e);
	if (r < 0 || c->job->pause)
		return r;
	if (docker_volume_users(c->container_socket, c->job->volume, &users, NULL) == 0 &&
		users.len) {
		char text[400];

		(void)snprintf(text, sizeof(text),
			"volume %s is used by %.200s meanwhile; with pause = true its files would "
			"be of one moment",
			c->job->volume, buf_str(&users));
		c->warn(c->user, text);
	}
	return 0;
}

static int dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	int r = find(c, c->job->volume, &path, e);

	(void)m;
	return r < 0 ? r : files_engine_dump(c, buf_str(&path), out, e);
}

/* `into` is a folder when it is a path, else another volume. */
static int find_target(const struct engine_call *c, const struct engine_restore *r,
	struct buf *path, struct err *e)
{
	const char *volume = r->into ? r->into : c->job->volume;
	_cleanup_(buf_done) struct buf users = BUF_INIT(4096);
	int result;

	if (volume[0] == '/') {
		buf_adds(path, volume);
		return 0;
	}
	result = find(c, volume, path, e);
	if (result == 0)
		result = docker_volume_users(c->container_socket, volume, &users, e);
	if (result == 0 && users.len)
		return err_set(e, EBUSY, "volume %s is used by %s: stop what uses it first", volume,
			buf_str(&users));
	return result;
}

static int restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	int result = find_target(c, r, &path, e);

	if (result < 0)
		return result;
	if (buf_str(&path)[0] == '/' && !(r->into && r->into[0] == '/'))
		buf_addf(text, "volume %s: ", r->into ? r->into : c->job->volume);
	return files_engine_plan(buf_str(&path), text, destructive, e);
}

static int restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	int result = r->is_drill ? 0 : find_target(c, r, &path, e);

	return result < 0 ? result : files_engine_restore_begin(buf_str(&path), r, t, e);
}

const struct engine engine_volume = {
	.name = "volume",
	.doc = "All files of a Docker volume, with owners, modes, times, links, attributes and "
	       "access lists.",
	.check_job = check_job,
	.probe = probe,
	.dump = dump,
	.restore_plan = restore_plan,
	.restore_begin = restore_begin,
	FILES_ENGINE_COMMON,
};
