/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the text files of /proc, /sys and cgroups: whole-file reads, kept descriptors, and cursors that walk lines and
 * fields without copying. Parsers are strict about what they need and indifferent to what they do not know.
 */
#ifndef COLLECTORS_PROCFS_H
#define COLLECTORS_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Opened once, read by pread(2) each sample: a third of the cost of opening it each time. Zeroed memory is a closed file. */
struct kept_file {
	int fd_plus_1; /* 0: closed */
};

/* Reads at most size - 1 bytes into `text` and terminates it. Returns the length, or a negative errno (-EFBIG when it does not
 * fit). `path` is relative to dirfd. proc_read_kept opens at the first call and again after an error. */
int proc_read(int dirfd, const char *path, char *text, size_t size, struct err *e);
int proc_read_kept(
	struct kept_file *f, int dirfd, const char *path, char *text, size_t size, struct err *e);
void kept_file_close(struct kept_file *f);

/* A whole file that is one unsigned number. */
int proc_read_u64(int dirfd, const char *path, uint64_t *out, struct err *e);

/* Walks the lines: sets *line to the next one and terminates it in place. False at the end. */
bool proc_next_line(char **cursor, char **line);
/* Walks fields separated by spaces and tabs, terminated in place. */
bool proc_next_field(char **cursor, char **field);
/* Takes an unsigned number at the cursor (spaces before it are skipped); false when there is none or it is too large. */
bool proc_next_u64(char **cursor, uint64_t *out);

/* A number of a "key value" or "key: value" line. */
bool proc_u64(const char *text, uint64_t *out);

#endif
