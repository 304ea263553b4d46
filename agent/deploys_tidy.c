/* SPDX-License-Identifier: Apache-2.0
 *
 * What deploys leave on the disk is bounded: sources go when their deploy has ended, also those that an agent left behind which
 * is gone, and of the logs of an app the newest stay.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/deploys_internal.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"

#define GONE ".gone-"

struct deploys_removal {
	struct deploys *deploys;
	struct child *child;
	struct deploys_removal *next;
};

static void forget(struct deploys_removal *r)
{
	struct deploys_removal **at = &r->deploys->removals;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	free(r);
}

static void on_removed(void *user, const struct child_result *r)
{
	if (r->status != 0)
		log_warning("a folder of a deploy cannot be removed: %.*s", (int)r->output_len,
			r->output);
	forget(user);
}

/* In the background: a source may have a hundred thousand files. */
static void remove_now(struct deploys *s, const char *path)
{
	const char *const argv[] = {"rm", "-rf", "--", path, NULL};
	const struct child_options o = {
		.argv = argv, .output_max = 4096, .pass_fd = -1, .nice = 10, .io_idle = true};
	struct deploys_removal *r = calloc(1, sizeof(*r));
	struct err e;

	if (!r)
		abort();
	*r = (struct deploys_removal){s, NULL, s->removals};
	s->removals = r;
	if (child_start(s->o.loop, &o, on_removed, r, &r->child, &e) < 0) {
		log_warning("%s cannot be removed: %s", path, e.msg);
		forget(r);
	}
}

void deploys_removals_end(struct deploys *s)
{
	while (s->removals) {
		child_abandon(s->removals->child); /* the next agent goes on */
		forget(s->removals);
	}
}

void deploys_remove_tree(struct deploys *s, const char *path)
{
	_cleanup_(free_p) char *gone = str_format("%s" GONE "%" PRId64, path, clock_mono_ms());

	if (rename(path, gone) == 0) /* else there is none */
		remove_now(s, gone);
}

struct looking {
	struct deploys *s;
	const char *app;
	int64_t logs[DEPLOYS_LOGS_KEPT + 1]; /* the newest so far, ascending */
	size_t n;
};

static void remove_log(const struct looking *l, int64_t id)
{
	_cleanup_(free_p) char *path = deploys_log_path(l->s, l->app, id);

	(void)unlink(path);
}

static void take_log(struct looking *l, int64_t id)
{
	size_t at = l->n;

	for (; at > 0 && l->logs[at - 1] > id; at--)
		l->logs[at] = l->logs[at - 1];
	l->logs[at] = id;
	if (++l->n <= DEPLOYS_LOGS_KEPT)
		return;
	remove_log(l, l->logs[0]);
	memmove(l->logs, l->logs + 1, DEPLOYS_LOGS_KEPT * sizeof(*l->logs));
	l->n--;
}

/* A source whose deploy is over, or what was being removed when the agent ended. */
static void take_source(const struct looking *l, const char *name)
{
	_cleanup_(free_p) char *path = deploys_path(l->s, l->app, name);

	if (strstr(name, GONE))
		remove_now(l->s, path);
	else if (!deploys_find(l->s, strtoll(name + strlen("work-"), NULL, 10)))
		deploys_remove_tree(l->s, path);
}

static int look(void *user, int dirfd, const char *name)
{
	struct looking *l = user;
	char *end;
	int64_t id = strtoll(name, &end, 10);

	(void)dirfd;
	if (id > 0 && strcmp(end, ".log") == 0)
		take_log(l, id);
	else if (str_starts(name, "work-"))
		take_source(l, name);
	return 0;
}

void deploys_tidy(struct deploys *s, const char *app)
{
	_cleanup_(free_p) char *path = str_format("%s/deploys/%s", s->o.state_dir, app);
	struct looking l = {.s = s, .app = app, .n = 0};

	(void)fs_list(AT_FDCWD, path, look, &l, NULL);
}

void deploys_tidy_all(struct deploys *s)
{
	for (size_t i = 0; i < s->config->n_apps; i++)
		deploys_tidy(s, s->config->apps[i].name);
}
