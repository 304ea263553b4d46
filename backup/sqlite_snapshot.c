/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a temporary file: the pages of one moment can only be had in order through SQLite's backup interface
 * (https://sqlite.org/backup.html), and while they are read an application without WAL cannot write. A local copy takes seconds, an
 * upload may take hours.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backup/sqlite_db.h"
#include "backup/sqlite_internal.h"
#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

enum {
	STEP_PAGES = 1000,
	SPARE_BYTES = 16 * 1024 * 1024, /* of the state folder's disk, for everybody else */
};

static int check_space(const char *folder, int64_t bytes, struct err *e)
{
	char free_text[32], needed[32];
	struct statvfs st;
	double free_bytes;

	if (statvfs(folder, &st) < 0)
		return err_sys(e, "%s", folder);
	free_bytes = (double)st.f_bavail * (double)st.f_frsize;
	if (free_bytes >= (double)bytes + SPARE_BYTES)
		return 0;
	str_human_bytes(free_text, sizeof(free_text), free_bytes);
	str_human_bytes(needed, sizeof(needed), (double)bytes + SPARE_BYTES);
	return err_set(e, ENOSPC,
		"%s: %s are free, a copy of the database for the time of the backup needs %s",
		folder, free_text, needed);
}

/* The copy is not read by anybody else and worth nothing after a crash. */
static int open_copy(const char *path, sqlite3 **out, struct err *e)
{
	if (sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
		sqlite3_exec(*out,
			"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
			"PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -2000;",
			NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return sqlite_failed(*out, path, e);
}

static int copy_pages(
	sqlite3 *from, const char *path, sqlite3 *to, const char *to_path, struct err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int step = SQLITE_OK, r = 0;

	if (!b)
		return sqlite_failed(to, to_path, e);
	while (step == SQLITE_OK && (r = stop_check(e)) == 0)
		step = sqlite3_backup_step(b, STEP_PAGES);
	/* What went wrong is told for the copy, whichever side it was. */
	if (sqlite3_backup_finish(b) != SQLITE_OK && r == 0)
		r = err_wrap(e, sqlite_failed(to, to_path, e), "copy of %s", path);
	if (r == 0 && step != SQLITE_DONE)
		r = err_set(e, EIO, "copy of %s: %s", path, sqlite3_errstr(step));
	return r;
}

static int copy_into(sqlite3 *from, const char *path, const char *copy, struct err *e)
{
	sqlite3 *to = NULL;
	int r = open_copy(copy, &to, e);

	/* From here on it has no name: whatever ends this process ends the file. */
	(void)unlink(copy);
	if (r == 0)
		r = copy_pages(from, path, to, copy, e);
	if (sqlite3_close(to) != SQLITE_OK && r == 0)
		r = err_set(e, EIO, "copy of %s: it cannot be closed", path);
	return r;
}

static int snapshot(sqlite3 *from, const char *path, const char *folder, int64_t *bytes,
	struct counts *counts, struct err *e)
{
	_cleanup_(free_p) char *copy = str_format("%s/sqlite-XXXXXX", folder);
	_cleanup_(close_p) int fd = -1;
	int64_t want = 0;
	int r = sqlite_begin(from, path, e);

	if (r == 0)
		r = sqlite_size(from, path, &want, e);
	if (r == 0)
		r = check_space(folder, want, e);
	if (r == 0)
		r = sqlite_count(from, path, counts, e);
	if (r < 0)
		return r;
	fd = mkostemp(copy, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "create %s", copy);
	r = copy_into(from, path, copy, e);
	if (r < 0)
		return r;
	*bytes = lseek(fd, 0, SEEK_END);
	if (*bytes != want || lseek(fd, 0, SEEK_SET) != 0)
		return err_set(e, EIO, "copy of %s: it has %" PRId64 " bytes instead of %" PRId64,
			path, *bytes, want);
	return take_fd(&fd);
}

int sqlite_db_snapshot(const char *path, const char *state_dir, int64_t *bytes,
	struct counts *counts, struct err *e)
{
	_cleanup_(free_p) char *folder = str_format("%s/backup", state_dir);
	struct counts c = {.n_items = 0};
	int64_t n = 0;
	sqlite3 *from;
	int r = fs_mkdirs(folder, 0700, e);

	if (r == 0)
		r = sqlite_open(path, SQLITE_OPEN_READONLY, &from, e);
	if (r < 0)
		return r;
	r = snapshot(from, path, folder, &n, &c, e);
	(void)sqlite3_close(from);
	if (r < 0)
		return r;
	*bytes = n;
	*counts = c;
	return r;
}
