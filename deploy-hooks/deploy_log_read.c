/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "deploy-hooks/deploy_log.h"

enum { READ_BYTES = 65536, LINE_ROOM = 64 };

/* The first byte at or after `offset` that is not of a hole; `size` when there is none. */
static uint64_t data_after(int fd, uint64_t offset, uint64_t size)
{
	char bytes[4096];
	off_t at = lseek(fd, (off_t)offset, SEEK_DATA);
	ssize_t n;

	if (at < 0)
		return errno == ENXIO ? size : offset;
	/* A hole ends within a block, whose start is zeros. */
	while ((n = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i])
				return (uint64_t)(at + i);
		at += n;
	}
	return size;
}

static void say_left_out(struct buf *out, uint64_t bytes)
{
	char size[32];

	str_human_bytes(size, sizeof(size), (double)bytes);
	buf_addf(out, "... %s left out ...\n", size);
}

/* How many of these bytes are whole lines of text. */
static size_t whole_lines(const char *bytes, size_t n)
{
	const char *end;

	n = strnlen(bytes, n);
	end = memrchr(bytes, '\n', n);
	return end ? (size_t)(end - bytes) + 1 : 0;
}

int deploy_log_read(
	const char *path, uint64_t offset, struct buf *out, uint64_t *next, struct err *e)
{
	_cleanup_(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_(free_p) char *bytes = malloc(READ_BYTES);
	uint64_t size;
	struct stat st;

	if (!bytes)
		abort();
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "log %s", path);
	size = (uint64_t)st.st_size;
	while (offset < size && out->max - out->len > LINE_ROOM) {
		size_t room = out->max - out->len;
		ssize_t n = pread(fd, bytes, room < READ_BYTES ? room : READ_BYTES, (off_t)offset);
		size_t whole;

		if (n <= 0)
			break;
		if (bytes[0] == '\0') {
			uint64_t from = offset;

			offset = data_after(fd, offset, size);
			say_left_out(out, offset - from);
			continue;
		}
		whole = whole_lines(bytes, (size_t)n);
		/* Text without a line end before a hole, or longer than any line: the end of a torn one. */
		if (whole == 0 && (memchr(bytes, '\0', (size_t)n) || n == READ_BYTES))
			whole = strnlen(bytes, (size_t)n);
		if (whole == 0)
			break;
		buf_add(out, bytes, whole);
		offset += whole;
	}
	*next = offset < size ? offset : size;
	return 0;
}
