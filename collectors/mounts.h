/* SPDX-License-Identifier: Apache-2.0
 *
 * Which filesystems are worth watching: a table made from /proc/self/mountinfo
 * (Documentation/filesystems/proc.rst, 3.5). Pure: knows no system calls. A filesystem is there
 * once, however often it is mounted, and one that is mounted over is not.
 */
#ifndef COLLECTORS_MOUNTS_H
#define COLLECTORS_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "collectors/collector.h"

/* One line; texts point into it, with octal escapes undone. */
struct mount_line {
	unsigned major;
	unsigned minor;
	/* what of the filesystem is mounted: "/" unless it is a part (bind mount, btrfs
	 * subvolume) */
	char *root;
	char *point;
	char *options;
	char *type;
	char *source;
	char *super_options;
};
/* -EINVAL names the field. */
int mount_parse_line(char *line, struct mount_line *out, struct err *e);

enum mount_kind {
	MOUNT_PSEUDO, /* has no size: proc, sysfs, cgroup */
	MOUNT_MEMORY, /* tmpfs, overlay: watched as "/" and "/tmp" */
	MOUNT_IMAGE, /* squashfs, iso9660: always full */
	MOUNT_LOCAL,
	/* depends on a server or a program, and may hang with it: NFS, CIFS, 9p, FUSE */
	MOUNT_REMOTE,
};
enum mount_kind mount_kind_of(const char *type);

/* Whether to watch it when no pattern says otherwise. */
bool mount_watched_by_default(const char *type, const char *point, bool network_filesystems);

struct mount {
	unsigned major;
	unsigned minor;
	char *point;
	char *type;
	char *source;
	bool whole; /* not just a part of the filesystem */
	bool read_only;
	bool watched;
	/* Looking at it may block for ever: it is remote, or lies below a mount that is. */
	bool may_hang;
};

void mount_done(struct mount *m); /* frees its texts */

enum { MOUNTS_MAX = 1024 };

struct mounts {
	struct mount *list;
	size_t n;
	size_t room;
};

/* Lines in the order of the file, then mounts_finish(), after which the list has what is to be
 * watched. Zeroed memory is an empty table. Mounts beyond MOUNTS_MAX are left out. */
void mounts_add(struct mounts *t, const struct mount_line *l, const struct collect_options *o);
void mounts_finish(struct mounts *t);
void mounts_done(struct mounts *t); /* empty again */

#endif
