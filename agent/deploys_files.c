/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of a deploy: its log, the folder of its source, what git says has changed.
 *
 *   STATE/deploys/APP/ID.log     the log
 *   STATE/deploys/APP/work-ID    the source; gone when it has ended
 *   STATE/deploys/APP/cache      stays: what was fetched, layers, "changed"
 *   STATE/deploys/.state         of all apps: addresses of the switch
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/deploy_secrets.h"
#include "agent/deploys_internal.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "deploy-hooks/delivery.h"

enum { FOLDER_MODE = 0700, TAIL_BYTES = 8192, READ_MAX = 512 * 1024, CHANGED_MAX = 4 << 20 };

char *deploys_path(const struct deploys *s, const char *app, const char *name)
{
	return str_format("%s/deploys/%s/%s", s->o.state_dir, app, name);
}

char *deploys_work_folder(const struct deploys_work *w)
{
	_cleanup_(free_p) char *name = str_format("work-%" PRId64, w->d->id);

	return deploys_path(w->deploys, w->d->app, name);
}

int deploys_open_log(struct deploys_work *w, struct err *e)
{
	const struct deploy_app *a = deploys_app_of(w);
	_cleanup_(free_p) char *path = NULL;
	int r;

	if (w->log)
		return 0;
	path = deploys_log_path(w->deploys, w->d->app, w->d->id);
	r = deploy_log_open(path, &w->log, e);
	if (r == 0 && a)
		deploy_secrets_hide(a, w->deploys->o.state_dir, w->log);
	return r;
}

void deploys_say(struct deploys_work *w, const char *stage, const char *fmt, ...)
{
	char text[1000];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (deploys_open_log(w, NULL) == 0)
		deploy_log_say(w->log, stage, text, clock_wall_ms());
}

int deploys_make_folders(struct deploys_work *w, struct err *e)
{
	struct deploys *s = w->deploys;
	_cleanup_(free_p) char *work = deploys_work_folder(w);
	_cleanup_(free_p) char *cache = deploys_path(s, w->d->app, "cache");
	_cleanup_(free_p) char *state = str_format("%s/deploys/.state", s->o.state_dir);
	int r;

	/* What an attempt left that was cut short. */
	if (w->step.stage && strcmp(w->step.stage, "fetch") == 0)
		deploys_remove_tree(s, work);
	r = fs_mkdirs(work, FOLDER_MODE, e);
	if (r == 0)
		r = fs_mkdirs(cache, FOLDER_MODE, e);
	return r < 0 ? r : fs_mkdirs(state, FOLDER_MODE, e);
}

/* "2026-11-21T03:00:00Z build | text" */
static const char *text_of(const char *line, const char *stage)
{
	const char *at = strchr(line, ' ');
	size_t n = strlen(stage);

	if (!at || strncmp(at + 1, stage, n) != 0 || !str_starts(at + 1 + n, " | "))
		return NULL;
	return at + 1 + n + 3;
}

void deploys_log_tail(struct deploys *s, const struct deploy *d, size_t max, struct buf *out)
{
	_cleanup_(free_p) char *path = deploys_log_path(s, d->app, d->id);
	struct stat st;
	uint64_t at, next;

	if (stat(path, &st) < 0)
		return;
	at = (uint64_t)st.st_size > max ? (uint64_t)st.st_size - max : 0;
	(void)deploy_log_read(path, at, out, &next, NULL);
}

void deploys_last_line(struct deploys_work *w, const char *stage, char *to, size_t size)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(READ_MAX);
	char *line, *rest;

	*to = '\0';
	deploys_log_tail(w->deploys, w->d, TAIL_BYTES, &b);
	buf_addc(&b, '\0');
	if (b.overflow)
		return;
	for (line = strtok_r(b.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *text = text_of(line, stage);

		if (text && *text)
			delivery_text(to, size, text, strlen(text));
	}
}

/* Names of the files, each ended by a NUL, into pointers; free() them. */
static char **split(const struct buf *b, size_t *n)
{
	char **files = calloc(DELIVERY_FILES_MAX, sizeof(*files));
	char *at = b->data, *end = b->data + b->len;

	if (!files)
		abort();
	for (*n = 0; at < end && *n < DELIVERY_FILES_MAX; at += strlen(at) + 1)
		if (*at)
			files[(*n)++] = at;
	return files;
}

bool deploys_paths_match(struct deploys_work *w)
{
	const struct deploy_app *a = deploys_app_of(w);
	_cleanup_(free_p) char *path = deploys_path(w->deploys, w->d->app, "cache/changed");
	_cleanup_(buf_done) struct buf b = BUF_INIT(CHANGED_MAX);
	struct delivery_change c = {.kind = DELIVERY_PUSH, .files_known = true};
	const json_t *known = json_object_get(w->d->document, "files_known");
	enum filter_verdict v;

	/* Who asks by hand wants it; where the sender knew the files they were looked at before. */
	if (!a || strcmp(w->d->trigger, "webhook") != 0 || !json_is_false(known) ||
		!a->webhook.filter.n_paths || str_starts(w->d->ref, "refs/tags/"))
		return true;
	/* No such file, or more than can be looked at: it is not known, so it is deployed. */
	if (fs_read(AT_FDCWD, path, &b, NULL) < 0)
		return true;
	buf_addc(&b, '\0');
	if (b.overflow)
		return true;
	(void)str_copy(c.ref, sizeof(c.ref), w->d->ref);
	c.files = split(&b, &c.n_files);
	if (c.n_files == DELIVERY_FILES_MAX)
		c.files_known = false;
	v = filter_judge(&a->webhook.filter, &c);
	free(c.files);
	return v != FILTER_PATHS;
}
