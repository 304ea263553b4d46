/* SPDX-License-Identifier: Apache-2.0
 *
 * The cgroups that are watched, by path. Internal to containers*.c.
 */
#ifndef COLLECTORS_CONTAINER_TABLE_H
#define COLLECTORS_CONTAINER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/cgroup_net.h"
#include "collectors/cgroup_path.h"
#include "collectors/cgroup_reader.h"
#include "collectors/container_info.h"

enum { CONTAINER_BUCKETS = 1024 };

struct cgroup_oom_watch;
struct container_oom;

struct container_item {
	struct cgroup cgroup;
	struct cgroup_name name;
	struct cgroup_net net;
	int result; /* of cgroup_read() in this sample */
	/* Set by container_names_settle(). */
	char *stable; /* the name that outlives this container */
	char *key; /* the entity's; NULL: not settled yet */
	const struct container_info *info; /* the engine's view; NULL: not known */
	const struct container_info
		*joined; /* the container whose network it uses; NULL: none known */
	struct container_item *heir; /* ended, and its name is this one's now */
	bool is_version; /* of an app: container_info.version, also when the engine has forgotten it */
	bool passing; /* a version of an app whose name is another's now; as of struct entity */
	bool hidden; /* excluded by a pattern */
	bool fed; /* the entity of that key has had numbers of this cgroup */
	bool fresh; /* was seen to appear: its counters began at 0, at found_ns */
	bool labelled; /* the entity's labels are up to date */
	bool ended; /* its cgroup is gone; in the table until the next sample */
	/* Of container_oom.h: kills of this cgroup, of its predecessors that were not shown in
	 * time, and the sum as last shown. */
	double oom_kills, oom_carried, oom_shown;
	struct container_oom *oom;
	struct cgroup_oom_watch *oom_watch;
	bool oom_tried; /* it cannot be watched */
	bool oom_uncounted; /* the kernel keeps no count: announcements are counted */
	bool oom_announced; /* and the count has not risen yet */
	unsigned oom_signals, oom_checks;
	uint64_t oom_signals_after_end;
	int64_t ended_ns; /* monotonic */
	int64_t found_ns; /* monotonic */
	double found_at; /* Unix seconds */
	unsigned scan; /* the last scan that saw it */
	struct container_item *next, *next_in_bucket;
};

struct container_table {
	struct container_item *first;
	struct container_item *buckets[CONTAINER_BUCKETS];
	size_t n;
};

struct container_item *container_table_find(const struct container_table *t, const char *path);
/* A new item; the path must not be there yet. */
struct container_item *container_table_add(struct container_table *t, const char *path);
/* Closes its files: the cgroup has ended. */
void container_item_close(struct container_item *item, struct cgroup_reader *r);
/* Closes its files and frees it. Its OOM watch was ended before. */
void container_table_remove(
	struct container_table *t, struct cgroup_reader *r, struct container_item *item);

#endif
