/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <jansson.h>

#include "backup/journal_internal.h"
#include "base/fs.h"
#include "base/str.h"

struct journal {
	int folder, fd;
	char name[JOURNAL_NAME_SIZE];
	off_t len; /* of whole lines */
};

static int write_line(struct journal *j, json_t *line, struct err *e)
{
	char *text = json_dumps(line, JSON_COMPACT);
	_cleanup_(free_p) char *with_end = text ? str_format("%s\n", text) : NULL;
	size_t n = with_end ? strlen(with_end) : 0;
	ssize_t written;
	int r = 0;

	json_decref(line);
	free(text);
	if (!n)
		return err_set(e, EINVAL, "journal of uploads: a text is not UTF-8");
	written = pwrite(j->fd, with_end, n, j->len);
	if (written >= 0 && (size_t)written < n)
		errno = ENOSPC;
	if (written < 0 || (size_t)written < n || fdatasync(j->fd) < 0) {
		r = err_sys(e, "journal of uploads %s", j->name);
		(void)!ftruncate(j->fd, j->len);
		return r;
	}
	j->len += written;
	return 0;
}

static int open_folder(const char *state_dir, struct err *e)
{
	_cleanup_(free_p) char *path = str_format("%s/" JOURNAL_FOLDER, state_dir);
	int r = fs_mkdirs(path, 0700, e);

	return r < 0 ? r : fs_open_dir(AT_FDCWD, path, e);
}

/* It gets its name when it is locked and complete: a sweep never sees less. */
static int make_file(struct journal *j, const char *job, const char *id, struct err *e)
{
	char aside[JOURNAL_NAME_SIZE + 8];
	int r;

	(void)snprintf(aside, sizeof(aside), "%s" JOURNAL_NEW, j->name);
	j->fd = openat(j->folder, aside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (j->fd < 0 || flock(j->fd, LOCK_EX | LOCK_NB) < 0)
		return err_sys(e, "journal of uploads %s", aside);
	r = write_line(j, json_pack("{s:s, s:s}", "job", job, "id", id), e);
	if (r < 0) {
		(void)unlinkat(j->folder, aside, 0);
		return r;
	}
	if (renameat(j->folder, aside, j->folder, j->name) < 0 || fsync(j->folder) < 0)
		return err_sys(e, "journal of uploads %s", j->name);
	return 0;
}

int journal_new(
	const char *state_dir, const char *job, const char *id, struct journal **out, struct err *e)
{
	_cleanup_(journal_free_p) struct journal *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		abort();
	j->fd = -1;
	j->folder = open_folder(state_dir, e);
	if (j->folder < 0)
		return j->folder;
	(void)snprintf(j->name, sizeof(j->name), "%.100s.%.40s" JOURNAL_SUFFIX, job, id);
	r = make_file(j, job, id, e);
	if (r < 0)
		return r;
	*out = TAKE_PTR(j);
	return 0;
}

void journal_done(struct journal *j)
{
	(void)unlinkat(j->folder, j->name, 0);
	(void)fsync(j->folder);
	journal_free(j);
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	close_p(&j->fd);
	close_p(&j->folder);
	free(j);
}

int journal_note(
	struct journal *j, const char *store, const char *key, const char *token, struct err *e)
{
	return write_line(
		j, json_pack("{s:s, s:s, s:s}", "store", store, "key", key, "token", token), e);
}

int journal_note_manifest(struct journal *j, const char *store, const char *id, struct err *e)
{
	return write_line(j, json_pack("{s:s, s:s}", "store", store, "manifest", id), e);
}
