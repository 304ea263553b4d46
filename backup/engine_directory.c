/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder of this host. A container whose files these are can be paused meanwhile; it is not restored under while it runs, because
 * a bind mount would go on to show the old folder.
 */
#include "backup/engine.h"

#include <errno.h>

#include "backup/docker.h"
#include "backup/files_engine.h"

static int check_job(const struct job *j, struct err *e)
{
	if (!j->path)
		return err_set(e, EINVAL, "path: engine directory needs it");
	if (j->path[0] != '/' || !j->path[1])
		return err_set(e, EINVAL, "path: it must be a folder's whole path, but not /");
	if (j->volume)
		return err_set(e, EINVAL, "volume: that is for engine volume");
	return files_engine_check_job(j, e);
}

static int probe(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	return files_engine_probe(c->job->path, out, e);
}

static int dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e)
{
	(void)m;
	return files_engine_dump(c, c->job->path, out, e);
}

static const char *target(const struct engine_call *c, const struct engine_restore *r)
{
	return r->into ? r->into : c->job->path;
}

static int check_unused(const struct engine_call *c, struct err *e)
{
	_cleanup_(docker_container_free_p) struct docker_container *d = NULL;

	if (!c->job->container || !c->container_socket ||
		docker_inspect(c->container_socket, c->job->container, &d, NULL) < 0 || !d->running)
		return 0;
	return err_set(
		e, EBUSY, "container %s runs and uses %s: stop it first", d->name, c->job->path);
}

static int restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e)
{
	int result = r->into ? 0 : check_unused(c, e);

	return result < 0 ? result : files_engine_plan(target(c, r), text, destructive, e);
}

static int restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e)
{
	int result = r->into || r->is_drill ? 0 : check_unused(c, e);

	return result < 0 ? result : files_engine_restore_begin(target(c, r), r, t, e);
}

const struct engine engine_directory = {
	.name = "directory",
	.doc = "All files of a folder, with owners, modes, times, links, attributes and access "
	       "lists.",
	.check_job = check_job,
	.probe = probe,
	.dump = dump,
	.restore_plan = restore_plan,
	.restore_begin = restore_begin,
	FILES_ENGINE_COMMON,
};
