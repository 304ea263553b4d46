/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "backup/directory.h"
#include "backup/journal.h"
#include "backup/stop.h"
#include "base/str.h"

/* So often what was written is sent on its way to the disk, so that the end has little left to wait for and the server's own
 * files stay in memory. */
enum { FLUSH_BYTES = 16 * 1024 * 1024 };

struct directory_upload {
	struct upload upload;
	struct directory *d;
	struct directory_place place;
	char part[300]; /* name while it is not whole */
	char *key;
	int fd;
	int64_t written, flushed;
	bool is_made;
};

static int check_space(int fd, const struct directory *d, int64_t needed, struct err *e)
{
	char free_text[32], needed_text[32];
	struct statvfs st;
	double free_bytes;

	if (needed <= 0 || fstatvfs(fd, &st) < 0)
		return 0;
	free_bytes = (double)st.f_bavail * (double)st.f_frsize;
	if (free_bytes >= (double)needed)
		return 0;
	str_human_bytes(free_text, sizeof(free_text), free_bytes);
	str_human_bytes(needed_text, sizeof(needed_text), (double)needed);
	return err_set(e, ENOSPC, "folder %s: %s are free, about %s are needed", d->path, free_text,
		needed_text);
}

static int write_failed(const struct directory_upload *u, struct err *e)
{
	char written[32];

	str_human_bytes(written, sizeof(written), (double)u->written);
	return err_sys(e, "folder %s: write %s after %s", u->d->path, u->place.full, written);
}

static void flush(struct directory_upload *u)
{
	off64_t before = u->flushed, n = u->written - u->flushed;

	(void)sync_file_range(u->fd, before, n, SYNC_FILE_RANGE_WRITE);
	if (before >= FLUSH_BYTES) {
		(void)sync_file_range(u->fd, before - FLUSH_BYTES, FLUSH_BYTES,
			SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				SYNC_FILE_RANGE_WAIT_AFTER);
		(void)posix_fadvise(u->fd, 0, before, POSIX_FADV_DONTNEED);
	}
	u->flushed = u->written;
}

static int upload_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct directory_upload *u = (struct directory_upload *)s;
	const char *from = data;

	while (n > 0) {
		ssize_t r = write(u->fd, from, n);

		if (r < 0 && errno == EINTR) {
			int stopped = stop_check(e);

			if (stopped < 0)
				return stopped;
			continue;
		}
		if (r < 0)
			return write_failed(u, e);
		from += r;
		n -= (size_t)r;
		u->written += r;
		u->upload.room -= r;
		if (u->written - u->flushed >= FLUSH_BYTES)
			flush(u);
	}
	return 0;
}

static int upload_finish(struct sink *s, struct err *e)
{
	struct directory_upload *u = (struct directory_upload *)s;

	return fsync(u->fd) < 0 ? write_failed(u, e) : 0;
}

/* Two objects never share a key: what is there already stays. */
static int rename_new(int fd, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(fd, from, fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* File systems that do not know it (NFS, FUSE). */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(fd, from, fd, to);
}

static int directory_commit(struct upload *up, struct store_object *out, struct err *e)
{
	struct directory_upload *u = (struct directory_upload *)up;
	struct stat st;

	if (fsync(u->fd) < 0 || fstat(u->fd, &st) < 0)
		return write_failed(u, e);
	if (st.st_size != u->written)
		return err_set(e, EIO,
			"folder %s: %s has %" PRId64 " bytes, %" PRId64 " were written", u->d->path,
			u->place.full, (int64_t)st.st_size, u->written);
	if (close(take_fd(&u->fd)) < 0)
		return write_failed(u, e);
	if (rename_new(u->place.fd, u->part, u->place.name) < 0)
		return err_sys(e, "folder %s: rename %s", u->d->path, u->place.full);
	u->is_made = false;
	if (fsync(u->place.fd) < 0) {
		int r = err_sys(e, "folder %s: sync the folder of %s", u->d->path, u->place.full);

		/* What is told as failed must not be a backup. */
		(void)unlinkat(u->place.fd, u->place.name, 0);
		return r;
	}
	memset(out, 0, sizeof(*out));
	(void)str_copy(out->key, sizeof(out->key), u->key);
	out->bytes = st.st_size;
	out->modified_ms = (int64_t)st.st_mtim.tv_sec * 1000;
	return 0;
}

static void upload_done(struct sink *s)
{
	struct directory_upload *u = (struct directory_upload *)s;

	close_p(&u->fd);
	if (u->is_made)
		(void)unlinkat(u->place.fd, u->part, 0);
	if (u->place.fd >= 0)
		directory_tidy(u->d, &u->place);
	directory_place_done(&u->place);
	free(u->key);
	free(u);
}

static const struct sink_ops upload_ops = {upload_write, upload_finish, upload_done};

int directory_upload(struct store *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e)
{
	struct directory_upload *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		abort();
	u->upload.sink.ops = &upload_ops;
	u->upload.commit = directory_commit;
	u->upload.room = INT64_MAX;
	u->d = (struct directory *)s;
	u->fd = u->place.fd = -1;
	u->key = str_dup(key);
	r = directory_place(u->d, key, true, &u->place, e);
	if (r == 0) {
		(void)snprintf(u->part, sizeof(u->part), "%.255s" DIRECTORY_PART, u->place.name);
		r = check_space(u->place.fd, u->d, o->expected_bytes, e);
	}
	if (r == 0 && u->d->journal)
		r = journal_note(u->d->journal, s->name, key, "", e);
	if (r == 0) {
		u->fd = openat(u->place.fd, u->part,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		r = u->fd < 0 ? err_sys(e, "folder %s: create %s", u->d->path, u->place.full) : 0;
		u->is_made = r == 0;
	}
	if (r < 0) {
		upload_done(&u->upload.sink);
		return r;
	}
	*out = &u->upload;
	return 0;
}
