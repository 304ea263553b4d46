/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/expire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/rrd_layout.h"

/* What history_expire() decided to remove; the catalogue cannot be changed while it is walked. */
struct expiry {
	const char *folder;
	int64_t longest_seconds;
	const struct registry *r;
	time_t now;
	struct {
		const struct entity_class *class;
		char *key;
	} old[64];
	size_t n;
};

static int find_old(void *user, const struct entity_class *class, const char *key,
	int64_t first_seen, int64_t last_seen)
{
	struct expiry *x = user;
	char name[RRD_NAME_MAX], path[4096];
	struct stat st;

	if (registry_find(x->r, class, key))
		return 0;
	/* After a crash the file knows better than the catalogue when the entity was last seen. */
	rrd_file_name(name, sizeof(name), class, key);
	(void)snprintf(path, sizeof(path), "%s/%s", x->folder, name);
	if (stat(path, &st) == 0 && st.st_mtime > last_seen && st.st_mtime <= x->now)
		last_seen = st.st_mtime;
	if (x->now - last_seen <= catalogue_keep_seconds(first_seen, last_seen, x->longest_seconds))
		return 0;
	x->old[x->n].class = class;
	x->old[x->n++].key = str_dup(key);
	return x->n == ARRAY_LEN(x->old);
}

void history_expire(const char *folder, int64_t longest_seconds, struct catalogue *catalogue,
	const struct registry *r, struct problems *problems, time_t now)
{
	struct expiry x = {
		.folder = folder, .longest_seconds = longest_seconds, .r = r, .now = now};
	struct err e;

	if (catalogue_each(catalogue, find_old, &x, &e) < 0)
		problem_set(problems, "store.catalogue", "%s", e.msg);
	for (size_t i = 0; i < x.n; i++) {
		char name[RRD_NAME_MAX], path[4096];

		rrd_file_name(name, sizeof(name), x.old[i].class, x.old[i].key);
		(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (unlink(path) < 0 && errno != ENOENT)
			problem_set(
				problems, "store.write", "remove %s: %s", path, err_text(errno));
		else if (catalogue_remove(catalogue, x.old[i].class, x.old[i].key, &e) < 0)
			problem_set(problems, "store.catalogue", "%s", e.msg);
		free(x.old[i].key);
	}
}
