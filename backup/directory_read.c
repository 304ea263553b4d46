/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "backup/directory.h"
#include "backup/stop.h"
#include "base/str.h"

struct directory_reader {
	struct reader reader;
	char *title; /* for messages */
	int fd;
	int64_t left;
};

static ssize_t read_some(struct reader *reader, void *to, size_t n, struct err *e)
{
	struct directory_reader *f = (struct directory_reader *)reader;
	int stopped = stop_check(e);
	ssize_t r;

	if (stopped < 0)
		return stopped;
	if (f->left == 0)
		return 0;
	if ((int64_t)n > f->left)
		n = (size_t)f->left;
	do
		r = read(f->fd, to, n);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, "read %s", f->title);
	if (r == 0)
		return err_set(e, EBADMSG, "%s ends %" PRId64 " bytes early", f->title, f->left);
	f->left -= r;
	return r;
}

static void reader_done(struct reader *reader)
{
	struct directory_reader *f = (struct directory_reader *)reader;

	close_p(&f->fd);
	free(f->title);
	free(f);
}

static const struct reader_ops reader_ops = {read_some, reader_done};

/* Of an open file; returns its size. */
static int64_t check_file(int fd, const char *title, int64_t offset, int64_t bytes, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", title);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EBADMSG, "%s is no file", title);
	if (bytes >= 0 && st.st_size != bytes)
		return err_set(e, EBADMSG,
			"%s has %" PRId64 " bytes, not the %" PRId64 " that were stored", title,
			(int64_t)st.st_size, bytes);
	if (offset > st.st_size || lseek(fd, offset, SEEK_SET) < 0)
		return err_set(e, EINVAL, "%s has no byte %" PRId64, title, offset);
	return st.st_size;
}

int directory_read(struct store *s, const char *key, int64_t offset, int64_t bytes,
	struct reader **out, struct err *e)
{
	const struct directory *d = (const struct directory *)s;
	_cleanup_(directory_place_done) struct directory_place p = {.fd = -1};
	_cleanup_(free_p) char *title = NULL;
	_cleanup_(close_p) int fd = -1;
	struct directory_reader *f;
	int64_t size;
	int r = directory_place(d, key, false, &p, e);

	if (r < 0)
		return r;
	title = str_format("%s/%s", d->path, p.full);
	fd = openat(p.fd, p.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", title);
	size = check_file(fd, title, offset, bytes, e);
	if (size < 0)
		return (int)size;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	f = calloc(1, sizeof(*f));
	if (!f)
		abort();
	f->reader.ops = &reader_ops;
	f->title = TAKE_PTR(title);
	f->fd = take_fd(&fd);
	f->left = size - offset;
	*out = &f->reader;
	return 0;
}
