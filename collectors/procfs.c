/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* "/proc/meminfo" for (fd of /proc, "meminfo"). Only for messages, so it may be slow. */
static void full_name(int dirfd, const char *path, char *to, size_t size)
{
	char link[64];
	char dir[256];
	ssize_t n = -1;

	if (*path != '/' && dirfd >= 0) {
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
		n = readlink(link, dir, sizeof(dir));
	}
	if (n <= 0 || (size_t)n == sizeof(dir))
		(void)snprintf(to, size, "%s", path);
	else
		(void)snprintf(to, size, "%.*s/%s", n == 1 && *dir == '/' ? 0 : (int)n, dir, path);
}

int proc_wrap(int dirfd, const char *path, int r, struct err *e)
{
	char name[PATH_MAX];

	if (!e)
		return r;
	full_name(dirfd, path, name, sizeof(name));
	return err_wrap(e, r, "%s", name);
}

static int fail(int dirfd, const char *path, int r, struct err *e)
{
	(void)err_set(e, -r, "%s", err_text(r));
	return proc_wrap(dirfd, path, r, e);
}

static ssize_t pread_retry(int fd, void *to, size_t n, off_t at)
{
	ssize_t got;

	do
		got = pread(fd, to, n, at);
	while (got < 0 && errno == EINTR);
	return got;
}

/* A file of /proc gives what fits its own buffer at each read, so only a read of 0 bytes is the
 * end. */
static int read_all(int fd, char *text, size_t size)
{
	size_t len = 0;

	for (;;) {
		char one_more;
		bool full = len == size - 1;
		ssize_t n = pread_retry(
			fd, full ? &one_more : text + len, full ? 1 : size - 1 - len, (off_t)len);

		if (n < 0)
			return errno ? -errno : -EIO;
		if (n == 0)
			break;
		if (full)
			return -EFBIG;
		len += (size_t)n;
	}
	text[len] = '\0';
	return (int)len;
}

int proc_read(int dirfd, const char *path, char *text, size_t size, struct err *e)
{
	_cleanup_(close_p) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return fail(dirfd, path, -errno, e);
	r = read_all(fd, text, size);
	return r < 0 ? fail(dirfd, path, r, e) : r;
}

int proc_read_kept(
	struct kept_file *f, int dirfd, const char *path, char *text, size_t size, struct err *e)
{
	int r;

	if (f->fd_plus_1) {
		r = read_all(f->fd_plus_1 - 1, text, size);
		if (r >= 0)
			return r;
		kept_file_close(f);
	}
	f->fd_plus_1 = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY) + 1;
	if (!f->fd_plus_1)
		return fail(dirfd, path, -errno, e);
	r = read_all(f->fd_plus_1 - 1, text, size);
	if (r < 0) {
		kept_file_close(f);
		return fail(dirfd, path, r, e);
	}
	return r;
}

void kept_file_close(struct kept_file *f)
{
	if (f->fd_plus_1)
		(void)close(f->fd_plus_1 - 1);
	f->fd_plus_1 = 0;
}

int proc_read_u64(int dirfd, const char *path, uint64_t *out, struct err *e)
{
	char text[64];
	char *p = text;
	uint64_t v;
	int r = proc_read(dirfd, path, text, sizeof(text), e);

	if (r < 0)
		return r;
	if (!proc_next_u64(&p, &v) || (*p && *p != '\n')) {
		r = err_set(e, EINVAL, "not a whole number");
		return proc_wrap(dirfd, path, r, e);
	}
	*out = v;
	return 0;
}

/* Hands out the whole lines among the first *len bytes; what is left moves to the front. `cut`:
 * the rest of a line that was too long is being skipped. */
static int take_lines(char *buf, size_t *len, bool *cut, proc_line_fn fn, void *user)
{
	char *p = buf;
	char *end = buf + *len;
	char *eol;
	int r = 0;

	while (r == 0 && (eol = memchr(p, '\n', (size_t)(end - p)))) {
		*eol = '\0';
		if (!*cut)
			r = fn(user, p);
		*cut = false;
		p = eol + 1;
	}
	*len = (size_t)(end - p);
	memmove(buf, p, *len);
	return r;
}

int proc_each_line(int fd, char *buf, size_t size, proc_line_fn fn, void *user)
{
	size_t len = 0;
	off_t at = 0;
	bool cut = false;

	for (;;) {
		ssize_t n = pread_retry(fd, buf + len, size - 1 - len, at);
		int r;

		if (n < 0)
			return errno ? -errno : -EIO;
		if (n == 0)
			break;
		at += n;
		len += (size_t)n;
		r = take_lines(buf, &len, &cut, fn, user);
		if (r != 0)
			return r;
		if (len < size - 1)
			continue;
		buf[len] = '\0';
		r = cut ? 0 : fn(user, buf);
		if (r != 0)
			return r;
		cut = true;
		len = 0;
	}
	buf[len] = '\0';
	return len && !cut ? fn(user, buf) : 0;
}

bool proc_next_line(char **cursor, char **line)
{
	char *p = *cursor;
	char *eol;

	if (!*p)
		return false;
	*line = p;
	eol = strchr(p, '\n');
	if (eol) {
		*eol = '\0';
		*cursor = eol + 1;
	} else {
		*cursor = p + strlen(p);
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool proc_next_field(char **cursor, char **field)
{
	char *p = *cursor;

	while (is_blank(*p))
		p++;
	*cursor = p;
	if (!*p)
		return false;
	*field = p;
	while (*p && !is_blank(*p))
		p++;
	if (*p)
		*p++ = '\0';
	*cursor = p;
	return true;
}

/* Length of the number at s with the blanks before it, or 0. */
static size_t scan_u64(const char *s, uint64_t *out)
{
	const char *p = s;
	const char *start;
	uint64_t v = 0;

	while (is_blank(*p))
		p++;
	for (start = p; *p >= '0' && *p <= '9'; p++) {
		uint64_t d = (uint64_t)(*p - '0');

		if (v > (UINT64_MAX - d) / 10)
			return 0;
		v = v * 10 + d;
	}
	if (p == start)
		return 0;
	*out = v;
	return (size_t)(p - s);
}

bool proc_next_u64(char **cursor, uint64_t *out)
{
	size_t n = scan_u64(*cursor, out);

	*cursor += n;
	return n > 0;
}

bool proc_next_decimal(char **cursor, double *out)
{
	uint64_t whole;
	char *p = *cursor + scan_u64(*cursor, &whole);
	double v, place = 0.1;

	if (p == *cursor)
		return false;
	v = (double)whole;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, place /= 10)
			v += (*p - '0') * place;
	*cursor = p;
	*out = v;
	return true;
}

bool proc_u64(const char *text, uint64_t *out)
{
	uint64_t v;
	size_t n;

	if (*text == ':')
		text++;
	n = scan_u64(text, &v);
	if (n == 0 || (text[n] && !is_blank(text[n]) && text[n] != '\n'))
		return false;
	*out = v;
	return true;
}

int proc_match_key(const struct proc_key *keys, size_t n, const char *line, unsigned line_number,
	void *out, struct err *e)
{
	size_t len = strcspn(line, ": \t");

	for (size_t i = 0; i < n; i++) {
		uint64_t v;
		double d;

		if (strncmp(keys[i].key, line, len) != 0 || keys[i].key[len])
			continue;
		if (!proc_u64(line + len, &v))
			return err_set(e, EINVAL, "line %u: %s is not followed by a number",
				line_number, keys[i].key);
		d = (double)v;
		memcpy((char *)out + keys[i].offset, &d, sizeof(d));
		break;
	}
	return 0;
}

int proc_parse_keys(char *text, const struct proc_key *keys, size_t n, void *out, struct err *e)
{
	const double unknown = NAN;
	unsigned number = 0;
	char *line;

	for (size_t i = 0; i < n; i++)
		memcpy((char *)out + keys[i].offset, &unknown, sizeof(unknown));
	while (proc_next_line(&text, &line)) {
		int r = proc_match_key(keys, n, line, ++number, out, e);

		if (r < 0)
			return r;
	}
	return 0;
}
