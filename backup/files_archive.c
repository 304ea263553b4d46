/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/files_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/files_links.h"
#include "backup/stop.h"
#include "base/buf.h"
#include "base/str.h"

enum {
	PIECE_BYTES = 256 * 1024,
	/* Headers, with attributes of at most 64 KiB each, and one piece of a file. */
	PENDING_MAX = 64 * 1024 * 1024,
};

struct files_source {
	struct source base;
	struct files_walk *walk;
	struct files_links *links;
	struct archive *archive, *disk;
	/* For the library: names that are UTF-8 are written as the standard says, others as bytes and marked so. 0: the system has
	 * no such locale, all are bytes. */
	locale_t utf8;
	struct buf pending; /* of the archive, not read yet */
	size_t taken; /* bytes of it that were */
	char *piece, *zeroes; /* PIECE_BYTES each */
	bool done, given_up;
	/* The file under way. */
	int fd; /* the walk's; -1: none */
	char *path;
	struct stat st;
	int64_t at; /* of st.st_size */
	bool is_short;
	/* Results. */
	int64_t files, folders, n_links, bytes;
	files_warn_fn warn;
	void *user;
	size_t warnings;
};

static struct files_source *self(struct source *s)
{
	return (struct files_source *)(void *)s;
}

/* Of this file and of the walk. */
static void on_warning(void *user, const char *text)
{
	struct files_source *s = user;

	if (s->warnings++ < FILES_WARNINGS_MAX && s->warn)
		s->warn(s->user, text);
}

static void warn_file(struct files_source *s, const char *what)
{
	char path[200], text[400];

	files_path_text(path, sizeof(path), s->path);
	(void)snprintf(text, sizeof(text), "%s: %s", path, what);
	on_warning(s, text);
}

static int bad(struct files_source *s, struct archive *a, const char *path, struct err *e)
{
	char text[200];

	(void)s;
	files_path_text(text, sizeof(text), path);
	return err_set(e, archive_errno(a) > 0 ? archive_errno(a) : EIO, "%s: %s", text,
		archive_error_string(a) ? archive_error_string(a) : "the archive failed");
}

static la_ssize_t on_bytes(struct archive *a, void *user, const void *data, size_t n)
{
	struct files_source *s = user;

	if (s->given_up) {
		archive_set_error(a, ECANCELED, "given up");
		return -1;
	}
	buf_add(&s->pending, data, n);
	if (!s->pending.overflow)
		return (la_ssize_t)n;
	archive_set_error(a, EMSGSIZE, "its attributes are too long");
	return -1;
}

/* --- one entry */

static void describe(struct files_source *s, const struct files_entry *f, struct archive_entry *x)
{
	char fd_path[40];

	archive_entry_copy_pathname(x, f->path);
	if (f->fd >= 0) {
		/* ACLs and attributes of this very file, whatever its path leads to by now. */
		(void)snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", f->fd);
		archive_entry_copy_sourcepath(x, fd_path);
		(void)archive_read_disk_entry_from_file(s->disk, x, f->fd, &f->st);
	} else {
		archive_entry_copy_stat(x, &f->st);
		archive_entry_copy_uname(x, archive_read_disk_uname(s->disk, f->st.st_uid));
		archive_entry_copy_gname(x, archive_read_disk_gname(s->disk, f->st.st_gid));
		if (f->link)
			archive_entry_copy_symlink(x, f->link);
	}
	/* Neither can be restored, and each backup would change the first. */
	archive_entry_unset_atime(x);
	archive_entry_unset_ctime(x);
	archive_entry_set_nlink(x, 1);
}

/* Whether it is a further name of a file that is in already. */
static bool is_further_name(
	struct files_source *s, const struct files_entry *f, struct archive_entry *x)
{
	const char *first;

	if (!S_ISREG(f->st.st_mode) || f->st.st_nlink < 2)
		return false;
	first = files_links_find(s->links, f->st.st_ino);
	if (!first) {
		if (!files_links_add(s->links, f->st.st_ino, f->path))
			on_warning(s, "there are too many files with several names: some are "
				      "stored once for each");
		return false;
	}
	archive_entry_copy_hardlink(x, first);
	archive_entry_unset_size(x);
	archive_entry_sparse_clear(x);
	return true;
}

static void count(struct files_source *s, const struct files_entry *f, bool further)
{
	if (S_ISDIR(f->st.st_mode))
		s->folders++;
	else if (f->link || further)
		s->n_links++;
	else if (S_ISREG(f->st.st_mode)) {
		s->files++;
		s->bytes += f->st.st_size;
	}
}

static bool is_utf8(const char *text)
{
	size_t n;

	while ((n = str_utf8_char(text)) > 0)
		text += n;
	return !*text;
}

static int begin_entry(struct files_source *s, const struct files_entry *f, struct err *e)
{
	struct archive_entry *x = archive_entry_new();
	bool further;
	int r;

	if (!x)
		abort();
	describe(s, f, x);
	further = is_further_name(s, f, x);
	r = archive_write_header(s->archive, x);
	archive_entry_free(x);
	if (r < ARCHIVE_WARN)
		return bad(s, s->archive, f->path, e);
	free(s->path);
	s->path = str_dup(f->path);
	/* A name that is no UTF-8 is warned about, but kept as it is. */
	if (r == ARCHIVE_WARN && is_utf8(f->path) && (!f->link || is_utf8(f->link)))
		warn_file(s, archive_error_string(s->archive));
	count(s, f, further);
	if (S_ISREG(f->st.st_mode) && !further) {
		s->fd = f->fd;
		s->st = f->st;
		s->at = 0;
		s->is_short = false;
	}
	return 0;
}

/* --- its bytes */

static bool is_changed(const struct files_source *s)
{
	struct stat now;

	return fstat(s->fd, &now) < 0 || now.st_size != s->st.st_size ||
	       now.st_mtim.tv_sec != s->st.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != s->st.st_mtim.tv_nsec;
}

static int end_entry(struct files_source *s, struct err *e)
{
	if (s->is_short)
		warn_file(s, "it became shorter while it was read; the rest is zeroes");
	else if (is_changed(s))
		warn_file(s, "it changed while it was read");
	s->fd = -1; /* the walk closes it */
	return archive_write_finish_entry(s->archive) < ARCHIVE_WARN
		       ? bad(s, s->archive, s->path, e)
		       : 0;
}

/* Where the next hole or data begins at or behind s->at; the size when there is none. */
static int64_t next_edge(const struct files_source *s, int whence)
{
	off_t at = lseek(s->fd, s->at, whence);

	return at < 0 || at > s->st.st_size ? s->st.st_size : at;
}

/* The archive wants the bytes of holes too, though it leaves them out. */
static const char *next_piece(struct files_source *s, size_t *n, struct err *e)
{
	int64_t left = s->st.st_size - s->at;
	bool has_holes = s->st.st_blocks * 512 < s->st.st_size;
	int64_t data = has_holes ? next_edge(s, SEEK_DATA) : s->at;
	ssize_t got;

	*n = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
	if (s->is_short)
		return s->zeroes;
	if (data > s->at) {
		if (data - s->at < (int64_t)*n)
			*n = (size_t)(data - s->at);
		return s->zeroes;
	}
	got = pread(s->fd, s->piece, *n, s->at);
	if (got < 0) {
		(void)err_sys(e, "%s: read", s->path);
		return NULL;
	}
	if (got == 0) {
		s->is_short = true;
		return s->zeroes;
	}
	*n = (size_t)got;
	return s->piece;
}

static int go_on(struct files_source *s, struct err *e)
{
	const char *bytes;
	size_t n;

	if (s->at >= s->st.st_size)
		return end_entry(s, e);
	bytes = next_piece(s, &n, e);
	if (!bytes)
		return -EIO;
	if (archive_write_data(s->archive, bytes, n) != (la_ssize_t)n)
		return bad(s, s->archive, s->path, e);
	s->at += (int64_t)n;
	return 0;
}

/* --- the source */

static int step(struct files_source *s, struct err *e)
{
	struct files_entry f;
	int r;

	if (s->fd >= 0)
		return go_on(s, e);
	r = files_walk_next(s->walk, &f, e);
	if (r < 0)
		return r;
	if (r > 0)
		return begin_entry(s, &f, e);
	s->done = true;
	return archive_write_close(s->archive) < ARCHIVE_WARN ? bad(s, s->archive, "archive", e)
							      : 0;
}

static int files_fd(struct source *base)
{
	(void)base;
	return -1;
}

static int fill(struct files_source *s, struct err *e)
{
	locale_t before = uselocale(s->utf8);
	int r = 0;

	buf_clear(&s->pending);
	s->taken = 0;
	while (r == 0 && !s->pending.len && !s->done)
		r = step(s, e);
	(void)uselocale(before);
	return r;
}

static ssize_t files_read(struct source *base, void *to, size_t n, struct err *e)
{
	struct files_source *s = self(base);
	size_t have = s->pending.len - s->taken;
	int r = stop_check(e);

	if (r == 0 && have == 0)
		r = fill(s, e);
	if (r < 0)
		return r;
	have = s->pending.len - s->taken;
	if (n > have)
		n = have;
	if (n)
		memcpy(to, s->pending.data + s->taken, n);
	s->taken += n;
	return (ssize_t)n;
}

static int files_finish(struct source *base, struct err *e)
{
	struct files_source *s = self(base);
	char text[80];

	if (!s->done || s->taken < s->pending.len)
		return err_set(e, EIO, "the archive was not read to its end");
	if (s->warnings > FILES_WARNINGS_MAX && s->warn) {
		(void)snprintf(text, sizeof(text), "and %zu more such files",
			s->warnings - FILES_WARNINGS_MAX);
		s->warn(s->user, text);
	}
	return 0;
}

static void files_free(struct source *base)
{
	struct files_source *s = self(base);

	if (s->utf8)
		freelocale(s->utf8);
	if (s->archive) {
		/* Otherwise it would be closed as a valid, shorter one, with zeroes for what is missing. After archive_write_fail()
		 * the library frees less than all. */
		s->given_up = !s->done;
		(void)archive_write_free(s->archive);
	}
	if (s->disk)
		(void)archive_read_free(s->disk);
	files_walk_free(s->walk);
	files_links_free(s->links);
	buf_done(&s->pending);
	free(s->path);
	free(s->piece);
	free(s->zeroes);
	free(s);
}

static int open_archive(struct files_source *s, struct err *e)
{
	struct archive *a = s->archive = archive_write_new();

	s->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	s->disk = archive_read_disk_new();
	if (!a || !s->disk)
		abort();
	(void)archive_read_disk_set_standard_lookup(s->disk);
	/* Flags such as "immutable" would stop a restore. */
	(void)archive_read_disk_set_behavior(s->disk, ARCHIVE_READDISK_NO_FFLAGS);
	if (archive_write_set_format_pax(a) != ARCHIVE_OK ||
		(!s->utf8 && archive_write_set_format_option(a, "pax", "hdrcharset", "BINARY") !=
				     ARCHIVE_OK) ||
		archive_write_add_filter_none(a) != ARCHIVE_OK ||
		archive_write_set_bytes_per_block(a, 0) != ARCHIVE_OK ||
		archive_write_open(a, s, NULL, on_bytes, NULL) != ARCHIVE_OK)
		return bad(s, a, "archive", e);
	return 0;
}

int files_archive_source(const struct files_walk_options *o, struct source **out, struct err *e)
{
	static const struct source_ops ops = {files_fd, files_read, files_finish, files_free};
	struct files_source *s = calloc(1, sizeof(*s));
	struct files_walk_options walk = *o;
	int r;

	if (!s)
		abort();
	s->base.ops = &ops;
	s->fd = -1;
	s->warn = o->warn;
	s->user = o->user;
	s->links = files_links_new();
	s->piece = malloc(PIECE_BYTES);
	s->zeroes = calloc(1, PIECE_BYTES);
	if (!s->piece || !s->zeroes)
		abort();
	buf_init(&s->pending, PENDING_MAX);
	walk.warn = on_warning;
	walk.user = s;
	r = files_walk_new(&walk, &s->walk, e);
	if (r == 0)
		r = open_archive(s, e);
	if (r < 0) {
		files_free(&s->base);
		return r;
	}
	*out = &s->base;
	return 0;
}

void files_archive_counts(const struct source *base, struct counts *out)
{
	const struct files_source *s = (const struct files_source *)(const void *)base;

	counts_set(out, "files", s->files, false);
	counts_set(out, "folders", s->folders, false);
	counts_set(out, "links", s->n_links, false);
	counts_set(out, "bytes", s->bytes, false);
}
