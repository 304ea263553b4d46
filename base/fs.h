/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: whole reads with a bound, durable writes, folders. Paths are relative to `dirfd`
 * (AT_FDCWD for the working directory). Every descriptor is close-on-exec.
 */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Reads the whole file, replacing what `out` held. -EFBIG when it is larger than out->max, other
 * negative errno with a message that names the path. Works for /proc files, whose size is not
 * known before. */
int fs_read(int dirfd, const char *path, struct buf *out, struct err *e);

/* Writes aside, fsyncs, renames over `path`, fsyncs the folder: after success the new content
 * survives a power cut, after failure the old one is untouched. */
int fs_write_atomic(
	int dirfd, const char *path, const void *data, size_t n, mode_t mode, struct err *e);

/* mkdir -p. A folder that exists is fine. */
int fs_mkdirs(const char *path, mode_t mode, struct err *e);

/* Calls fn for each name in the folder but "." and ".."; stops at its first non-zero result and
 * returns that. */
typedef int (*fs_list_fn)(void *user, int dirfd, const char *name);
int fs_list(int dirfd, const char *path, fs_list_fn fn, void *user, struct err *e);

/* 0 when the file may hold a secret: a regular file that group and others cannot read, or owned
 * by root with group read at most. Otherwise -EPERM with a message that names the cure (chmod). */
int fs_check_secret(int dirfd, const char *path, struct err *e);

/* From the root, without "." and empty parts. ".." stays, which may lead elsewhere over a link, and so does a '/' at the end.
 * The caller frees it. */
char *fs_absolute(const char *path);

/* Opens a folder. Returns the descriptor, or a negative errno. */
int fs_open_dir(int dirfd, const char *path, struct err *e);

#endif
