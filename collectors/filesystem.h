/* SPDX-License-Identifier: Apache-2.0
 *
 * How full each filesystem is: the table of mounts.h, read when the kernel says that it has
 * changed, and statvfs(3). Filesystems that may hang are asked by fs_probe.h, at most once a
 * minute.
 */
#ifndef COLLECTORS_FILESYSTEM_H
#define COLLECTORS_FILESYSTEM_H

#include "collectors/fs_probe.h"
#include "collectors/mounts.h"

enum {
	FILESYSTEM_ABANDONED_MAX = 16,
	FILESYSTEM_ASK_SECONDS = 60, /* between two questions to a filesystem that may hang */
	FILESYSTEM_ANSWER_SECONDS = 180, /* how long an answer of such a one is shown */
	FILESYSTEM_PATIENCE_SECONDS = 10, /* then its silence is a problem */
};

struct filesystem_watch {
	struct mount mount;
	struct fs_probe probe; /* used when the mount may hang */
};

/* The collector's state; open to tests, which put a function of their own in place of statvfs. */
struct filesystem_state {
	fs_usage_fn usage; /* NULL: the real one, on a live system only */
	int mountinfo_fd_plus_1;
	unsigned read_sample; /* when the table was read; 0: never */
	struct filesystem_watch *list;
	size_t n;
	struct fs_probe abandoned[FILESYSTEM_ABANDONED_MAX]; /* of mounts that are gone */
	int table_result;
	struct err table_error;
};

extern const struct collector collector_filesystem;

#endif
