/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks a filesystem how full it is. One that depends on a server may never answer, and the call can
 * then not be broken off; so such a one is asked by a process of its own, which lives for this one
 * call. The asker never blocks and never has more than one process per filesystem, whatever happens
 * to the server.
 */
#ifndef COLLECTORS_FS_PROBE_H
#define COLLECTORS_FS_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct fs_usage {
	uint64_t size_bytes;
	uint64_t free_bytes; /* those kept for root included */
	uint64_t available_bytes;
	uint64_t inodes; /* 0: made as needed */
	uint64_t inodes_free;
	bool read_only;
};

/* statvfs(3) of `path` (absolute, taken below root_fd). May block. 0 or a negative errno. */
typedef int (*fs_usage_fn)(int root_fd, const char *path, struct fs_usage *out);
int fs_usage_read(int root_fd, const char *path, struct fs_usage *out);

/* Zeroed memory has never asked. */
struct fs_probe {
	pid_t pid; /* 0: none */
	int fd_plus_1; /* its answer comes here; 0: none is awaited */
	int64_t asked_ns;
	int64_t answered_ns; /* 0: never */
	int result; /* of the last answer */
	struct fs_usage usage; /* valid when result is 0 */
};

/* Starts a process that calls fn. Not while one is still there: fs_probe_is_busy(). */
int fs_probe_ask(struct fs_probe *p, fs_usage_fn fn, int root_fd, const char *path, int64_t now_ns,
	struct err *e);
bool fs_probe_is_busy(const struct fs_probe *p);
/* Takes the answer when it has come and buries the process when it has ended. */
void fs_probe_look(struct fs_probe *p, int64_t now_ns);
/* How long an answer has been awaited; 0 when none is. */
int64_t fs_probe_waiting_ns(const struct fs_probe *p, int64_t now_ns);

/* Kills the process and waits for its end for at most wait_ms. False when it has not ended yet:
 * the kernel cannot end a process inside a dead network filesystem; call again later. */
bool fs_probe_abandon(struct fs_probe *p, int wait_ms);

#endif
