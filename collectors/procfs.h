/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the text files of /proc, /sys and cgroups: whole-file reads, kept descriptors, and
 * cursors that walk lines and fields without copying. Parsers are strict about what they need and
 * indifferent to what they do not know.
 */
#ifndef COLLECTORS_PROCFS_H
#define COLLECTORS_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Opened once, read by pread(2) each sample: a third of the cost of opening it each time. Zeroed
 * memory is a closed file. */
struct kept_file {
	int fd_plus_1; /* 0: closed */
};

/* Reads at most size - 1 bytes into `text` and terminates it. Returns the length, or a negative
 * errno (-EFBIG when it does not fit). `path` is relative to dirfd; messages name the file in
 * full. proc_read_kept opens at the first call, and again when the kept descriptor is of no use
 * any more (the device behind it went and came back). */
int proc_read(int dirfd, const char *path, char *text, size_t size, struct err *e);
int proc_read_kept(
	struct kept_file *f, int dirfd, const char *path, char *text, size_t size, struct err *e);
void kept_file_close(struct kept_file *f);

/* Puts the full name of the file in front of the message of a parser: "/proc/meminfo: line 3:
 * ...". Returns r. */
int proc_wrap(int dirfd, const char *path, int r, struct err *e);

/* A whole file that is one unsigned number. */
int proc_read_u64(int dirfd, const char *path, uint64_t *out, struct err *e);

/* Calls fn for each line of a file of any length, in pieces through `buf` of `size` bytes; a
 * longer line is cut to size - 1 bytes. Stops at the first result of fn that is not 0 and
 * returns it. Reads with pread(2) from the start. */
typedef int (*proc_line_fn)(void *user, char *line);
int proc_each_line(int fd, char *buf, size_t size, proc_line_fn fn, void *user);

/* Walks the lines: sets *line to the next one and terminates it in place. False at the end. */
bool proc_next_line(char **cursor, char **line);
/* Walks fields separated by spaces and tabs, terminated in place. */
bool proc_next_field(char **cursor, char **field);
/* Takes an unsigned number at the cursor (spaces before it are skipped); false when there is
 * none or it is too large. */
bool proc_next_u64(char **cursor, uint64_t *out);
/* Takes a decimal such as "12.34" at the cursor, in the same way. No sign, no exponent. */
bool proc_next_decimal(char **cursor, double *out);

/* The number that follows the key in a "key value" or "key: value kB" line: `text` begins right
 * behind the key. False unless the number is followed by a blank or the end. */
bool proc_u64(const char *text, uint64_t *out);

/* Files of "key value" lines, such as meminfo, vmstat and memory.stat: which key goes where.
 * Unknown keys are passed over. */
struct proc_key {
	const char *key;
	size_t offset; /* of a double in the result */
};
/* Stores the number of the line when its key is one of them. -EINVAL names the line and the key
 * whose number is none. */
int proc_match_key(const struct proc_key *keys, size_t n, const char *line, unsigned line_number,
	void *out, struct err *e);
/* The whole text. Keys that do not occur leave NaN. */
int proc_parse_keys(char *text, const struct proc_key *keys, size_t n, void *out, struct err *e);

#endif
