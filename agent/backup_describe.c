/* SPDX-License-Identifier: Apache-2.0
 *
 * A job in words for people.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/backup_config.h"
#include "agent/json_view.h"
#include "base/fs.h"
#include "base/str.h"

enum { MOUNTS_MAX = 4 << 20 };

static void add_databases(const json_t *s, struct buf *out)
{
	size_t n = json_array_size(json_object_get(s, "database"));

	if (n == 0) {
		buf_adds(out, "all databases");
		return;
	}
	buf_adds(out, n == 1 ? "database " : "databases ");
	json_view_join(s, "database", out);
}

/* Where the server is. */
static void add_place(const json_t *s, struct buf *out)
{
	const char *container = json_view_text(s, "container"), *host = json_view_text(s, "host");

	if (*container)
		buf_addf(out, " in container %s", container);
	if (*host)
		buf_addf(out, " on %s", host);
	else if (!*container)
		buf_adds(out, " on this host");
}

void backup_job_source(const struct backup_job *j, struct buf *out)
{
	const json_t *s = j->settings;
	const char *path = json_view_text(s, "path"), *volume = json_view_text(s, "volume");
	const char *program = json_string_value(json_array_get(json_object_get(s, "command"), 0));

	if (*volume)
		buf_addf(out, "volume %s", volume);
	if (*volume && *path)
		buf_adds(out, ", ");
	if (*path)
		buf_adds(out, path);
	if (program)
		buf_addf(out, "output of %s", program);
	if (strcmp(j->engine, "redis") == 0) {
		buf_adds(out, "all keys");
		add_place(s, out);
	} else if (!*volume && !*path && !program) {
		add_databases(s, out);
		add_place(s, out);
	} else if (*json_view_text(s, "container") && (*path || program)) {
		buf_addf(out, " in container %s", json_view_text(s, "container"));
	}
}

void backup_job_keep(const struct backup_job *j, struct buf *out)
{
	static const char *const rows[] = {"last", "daily", "weekly", "monthly", "yearly"};
	const json_t *keep = json_object_get(j->settings, "keep");
	int64_t age_ms = json_view_int(keep, "min_age");
	const char *comma = "";
	char age[64];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_int_t n = json_view_int(keep, rows[i]);

		if (!n)
			continue;
		buf_addf(out, "%s%s %lld", comma, rows[i], (long long)n);
		comma = ", ";
	}
	if (!*comma) {
		buf_adds(out, "all");
	} else if (age_ms) {
		str_from_duration_ms(age, sizeof(age), age_ms);
		buf_addf(out, ", at least %s", age);
	}
}

/* The device ("8:1") that is mounted where the path is; proc_pid_mountinfo(5). The folder itself is not touched: it may be on a
 * server that hangs. */
static void device_of(const char *mounts, const char *path, char *to, size_t size)
{
	size_t best = 0;

	(void)str_copy(to, size, "");
	for (const char *p = mounts; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		char device[32], at[1024];
		size_t n;

		if (sscanf(p, "%*d %*d %31s %*s %1023s", device, at) != 2)
			continue;
		n = strcmp(at, "/") == 0 ? 0 : strlen(at);
		if (n < best || strncmp(at, path, n) != 0 || (path[n] && path[n] != '/'))
			continue;
		best = n;
		(void)str_copy(to, size, device);
	}
}

bool backup_mounts_are_one(const char *mounts, const char *a, const char *b)
{
	char first[32], second[32];

	device_of(mounts, a, first, sizeof(first));
	device_of(mounts, b, second, sizeof(second));
	return *first && strcmp(first, second) == 0;
}

const char *backup_store_error(const char *store, const char *error)
{
	_cleanup_(free_p) char *prefix = str_format("store %s: ", store);

	return str_starts(error, prefix) ? error + strlen(prefix) : error;
}

bool backup_job_is_on_this_disk(const struct backup_job *j)
{
	_cleanup_(buf_done) struct buf mounts = BUF_INIT(MOUNTS_MAX);
	const json_t *store;
	size_t i;

	if (fs_read(AT_FDCWD, "/proc/self/mountinfo", &mounts, NULL) < 0)
		return false;
	json_array_foreach(j->stores, i, store)
	{
		if (strcmp(json_view_text(store, "type"), "directory") != 0 ||
			!backup_mounts_are_one(
				buf_str(&mounts), json_view_text(store, "path"), "/"))
			return false;
	}
	return json_array_size(j->stores) > 0;
}
