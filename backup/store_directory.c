/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder as a store. An object is written as KEY.part, synced, renamed, its folder synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "backup/directory.h"
#include "base/fs.h"
#include "base/str.h"

/* Of a name in the folder of a key. 0 also when it is not there. */
static int unlink_in(const struct directory *d, const char *key, const char *ending, struct err *e)
{
	_cleanup_(directory_place_done) struct directory_place p = {.fd = -1};
	char name[300];
	int r = directory_place(d, key, false, &p, e);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "%.255s%s", p.name, ending);
	if (unlinkat(p.fd, name, 0) < 0 && errno != ENOENT) {
		r = err_sys(e, "folder %s: remove %s", d->path, p.full);
		return r == -EACCES || r == -EROFS ? -EPERM : r;
	}
	if (fsync(p.fd) < 0)
		return err_sys(e, "folder %s: sync the folder of %s", d->path, p.full);
	directory_tidy(d, &p);
	return 0;
}

static int directory_remove(struct store *s, const char *key, struct err *e)
{
	return unlink_in((struct directory *)s, key, "", e);
}

static int directory_abandon(struct store *s, const char *key, const char *token, struct err *e)
{
	(void)token;
	return unlink_in((struct directory *)s, key, DIRECTORY_PART, e);
}

static void check_closed(int fd, const struct directory *d, store_check_fn fn, void *user)
{
	char text[5000], cure[5000];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return;
	(void)snprintf(
		text, sizeof(text), "%s: mode %04o", d->path, (unsigned)(st.st_mode & 07777));
	(void)snprintf(cure, sizeof(cure), "chmod 700 %s", d->path);
	fn(user, "closed to others", !(st.st_mode & 0077), text, st.st_mode & 0077 ? cure : NULL);
}

static void check_free(int fd, const struct directory *d, store_check_fn fn, void *user)
{
	char text[5000], amount[32];
	struct statvfs st;
	bool ok;

	if (fstatvfs(fd, &st) < 0)
		return;
	/* Less than a twentieth: the next backup may be the one that does not fit. */
	ok = st.f_bavail > st.f_blocks / 20;
	str_human_bytes(amount, sizeof(amount), (double)st.f_bavail * (double)st.f_frsize);
	(void)snprintf(text, sizeof(text), "%s: %s are free", d->path, amount);
	fn(user, "free space", ok, text,
		ok ? NULL : "keep fewer backups, or give them a larger disk");
}

static int directory_check(struct store *s, store_check_fn fn, void *user, struct err *e)
{
	static const char probe[] = ".agent-probe";
	const struct directory *d = (const struct directory *)s;
	_cleanup_(close_p) int fd = directory_root(d, true, e);
	struct err why = {""};

	if (fd < 0) {
		fn(user, "folder", false, e->msg, "make the folder, or mount its disk");
		return 0;
	}
	if (fs_write_atomic(fd, probe, "", 0, 0600, &why) < 0) {
		fn(user, "writable", false, why.msg,
			"let the agent's user write there, or choose another folder");
		return 0;
	}
	(void)unlinkat(fd, probe, 0);
	fn(user, "writable", true, d->path, NULL);
	check_closed(fd, d, fn, user);
	check_free(fd, d, fn, user);
	return 0;
}

static void directory_free(struct store *s)
{
	free(s);
}

static const struct store_ops directory_ops = {
	.upload = directory_upload,
	.read = directory_read,
	.list = directory_list,
	.remove = directory_remove,
	.abandon = directory_abandon,
	.unfinished = directory_unfinished,
	.check = directory_check,
	.free = directory_free,
};

static const char *text_of(const json_t *settings, const char *name)
{
	return json_string_value(json_object_get(settings, name));
}

/* What stands in front of keys that are checked themselves. */
static int check_prefix(const char *prefix, struct err *e)
{
	_cleanup_(free_p) char *as_key = str_format("%sx", prefix);
	int r = strlen(prefix) > 256 ? err_set(e, EINVAL, "it is longer than 256 characters")
				     : directory_check_key(as_key, e);

	return err_wrap(e, r, "prefix");
}

static int directory_check_settings(const json_t *settings, struct err *e)
{
	const char *path = text_of(settings, "path"), *prefix = text_of(settings, "prefix");

	if (!path || !*path)
		return err_set(e, EINVAL, "path: is missing");
	if (*path != '/' || strcmp(path, "/") == 0 || strlen(path) > 4000)
		return err_set(e, EINVAL, "path: must be an absolute path of a folder");
	return prefix ? check_prefix(prefix, e) : 0;
}

static int directory_open(
	const json_t *settings, const struct store_context *c, struct store **out, struct err *e)
{
	struct directory *d;
	const char *delete = text_of(settings, "delete");
	int r = directory_check_settings(settings, e);

	if (r < 0)
		return r;
	d = calloc(1, sizeof(*d));
	if (!d)
		abort();
	d->store.ops = &directory_ops;
	d->store.name = text_of(settings, "name");
	d->store.may_delete = !delete || strcmp(delete, "lifecycle") != 0;
	d->journal = c->journal;
	d->path = text_of(settings, "path");
	d->prefix = text_of(settings, "prefix");
	if (!d->prefix)
		d->prefix = "";
	*out = &d->store;
	return 0;
}

const struct store_type store_directory = {
	.name = "directory", .open = directory_open, .check_settings = directory_check_settings};
