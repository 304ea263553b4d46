/* SPDX-License-Identifier: Apache-2.0
 *
 * What several unit tests need: a folder of their own, removed afterwards, and small files in it.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[64]; /* the folder's path while a test runs */

static inline int scratch_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Both are a fixture: tcase_add_checked_fixture(tc, scratch_make, scratch_remove). */
static inline void scratch_make(void)
{
	(void)snprintf(scratch, sizeof(scratch), "/tmp/agent-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static inline void scratch_remove(void)
{
	(void)nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of a name in the folder; good until the eighth call after this one. */
static inline const char *scratch_path(const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *to = paths[next++ % 8];

	(void)snprintf(to, sizeof(paths[0]), "%s/%s", scratch, name);
	return to;
}

static inline void scratch_write(const char *name, const void *data, size_t n)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
	ck_assert_int_eq(close(fd), 0);
}

/* Bytes of a file of at most `size`. */
static inline size_t scratch_read(const char *name, char *to, size_t size)
{
	int fd = open(scratch_path(name), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = read(fd, to, size);
	ck_assert_int_ge(n, 0);
	(void)close(fd);
	return (size_t)n;
}

static inline bool scratch_has(const char *name)
{
	struct stat st;

	return lstat(scratch_path(name), &st) == 0;
}

static inline bool under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded && strstr(preloaded, "vgpreload");
}

#endif
