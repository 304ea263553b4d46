/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "collectors/host.h"
#include "collectors/procfs.h"

#define SECOND_NS INT64_C(1000000000)

enum {
	LINE_MAX_BYTES = 32 * 1024, /* overlays of many layers have long options */
	READ_SAMPLES = 15, /* the table is read that often even without a change */
	END_WAIT_MS = 100,
};

static const char mountinfo[] = "self/mountinfo";

struct table {
	const struct collect_options *options;
	struct mounts mounts;
	unsigned line;
	int result;
	struct err *e;
};

/* Goes on behind a bad line; the first one is reported. */
static int add_line(void *user, char *text)
{
	struct table *t = user;
	struct mount_line l;
	struct err bad;
	int r = mount_parse_line(text, &l, &bad);

	t->line++;
	if (r == 0)
		mounts_add(&t->mounts, &l, t->options);
	else if (t->result == 0)
		t->result = err_set(t->e, -r, "line %u: %s", t->line, bad.msg);
	return 0;
}

static void problem_key(char *to, size_t size, const struct mount *m)
{
	(void)snprintf(to, size, "filesystem.%u:%u", m->major, m->minor);
}

/* The mount is gone; a process that hangs in it is remembered until the kernel lets it end. */
static void abandon(
	struct filesystem_state *s, struct filesystem_watch *w, const struct collect_ctx *ctx)
{
	char key[64];

	problem_key(key, sizeof(key), &w->mount);
	problem_clear(ctx->problems, key);
	if (fs_probe_abandon(&w->probe, 0))
		return;
	for (size_t i = 0; i < FILESYSTEM_ABANDONED_MAX; i++) {
		if (fs_probe_is_busy(&s->abandoned[i]))
			continue;
		s->abandoned[i] = w->probe;
		return;
	}
	if (w->probe.fd_plus_1)
		(void)close(w->probe.fd_plus_1 - 1);
}

static bool is_same(const struct mount *a, const struct mount *b)
{
	return a->major == b->major && a->minor == b->minor && strcmp(a->point, b->point) == 0;
}

/* Puts the new table in place; questions under way go over to the same mount. */
static void replace_list(
	struct filesystem_state *s, struct mounts *t, const struct collect_ctx *ctx)
{
	struct filesystem_watch *old = s->list;
	size_t n_old = s->n;

	s->n = t->n;
	s->list = calloc(t->n + 1, sizeof(*s->list));
	if (!s->list)
		abort();
	for (size_t i = 0; i < t->n; i++) {
		s->list[i].mount = t->list[i];
		for (size_t j = 0; j < n_old; j++) {
			if (!is_same(&old[j].mount, &t->list[i]))
				continue;
			s->list[i].probe = old[j].probe;
			old[j].probe = (struct fs_probe){0};
		}
	}
	t->n = 0; /* the texts have moved */
	mounts_done(t);
	for (size_t j = 0; j < n_old; j++) {
		if (fs_probe_is_busy(&old[j].probe))
			abandon(s, &old[j], ctx);
		mount_done(&old[j].mount);
	}
	free(old);
}

static int read_table(struct filesystem_state *s, const struct collect_ctx *ctx, struct err *e)
{
	struct table t = {.options = ctx->options, .e = e};
	char text[LINE_MAX_BYTES];
	int r;

	r = proc_each_line(s->mountinfo_fd_plus_1 - 1, text, sizeof(text), add_line, &t);
	if (r < 0) {
		mounts_done(&t.mounts);
		(void)err_set(e, -r, "%s", err_text(r));
		return proc_wrap(ctx->proc_fd, mountinfo, r, e);
	}
	mounts_finish(&t.mounts);
	replace_list(s, &t.mounts, ctx);
	s->read_sample = registry_sample(ctx->registry);
	return t.result < 0 ? proc_wrap(ctx->proc_fd, mountinfo, t.result, e) : 0;
}

/* The kernel marks the descriptor when mounts have changed since the last look (proc(5)). */
static bool table_is_due(const struct filesystem_state *s, const struct collect_ctx *ctx)
{
	struct pollfd p = {.fd = s->mountinfo_fd_plus_1 - 1, .events = POLLPRI};
	bool changed = poll(&p, 1, 0) > 0;

	return changed || !ctx->live || !s->read_sample ||
	       registry_sample(ctx->registry) - s->read_sample >= READ_SAMPLES;
}

static int refresh_table(struct filesystem_state *s, const struct collect_ctx *ctx)
{
	struct err *e = &s->table_error;

	if (!s->mountinfo_fd_plus_1) {
		s->mountinfo_fd_plus_1 = openat(ctx->proc_fd, mountinfo, O_RDONLY | O_CLOEXEC) + 1;
		if (!s->mountinfo_fd_plus_1) {
			int r = err_set(e, errno, "%s", err_text(errno));

			return proc_wrap(ctx->proc_fd, mountinfo, r, e);
		}
	}
	return table_is_due(s, ctx) ? read_table(s, ctx, e) : s->table_result;
}

static void fill_inodes(struct entity *e, const struct fs_usage *u)
{
	if (!u->inodes) {
		entity_missing(e, FILESYSTEM_inodes_used_percent, "inodes are made as needed");
		return;
	}
	entity_gauge(e, FILESYSTEM_inodes_total, (double)u->inodes);
	entity_gauge(e, FILESYSTEM_inodes_free, (double)u->inodes_free);
	if (u->inodes_free <= u->inodes)
		entity_gauge(e, FILESYSTEM_inodes_used_percent,
			100 * (double)(u->inodes - u->inodes_free) / (double)u->inodes);
}

static void fill(struct entity *e, const struct fs_usage *u)
{
	double used = u->size_bytes > u->free_bytes ? (double)(u->size_bytes - u->free_bytes) : 0;
	double usable = used + (double)u->available_bytes;

	entity_gauge(e, FILESYSTEM_size_bytes, (double)u->size_bytes);
	entity_gauge(e, FILESYSTEM_free_bytes, (double)u->free_bytes);
	entity_gauge(e, FILESYSTEM_available_bytes, (double)u->available_bytes);
	entity_gauge(e, FILESYSTEM_used_bytes, used);
	if (usable > 0)
		entity_gauge(e, FILESYSTEM_used_percent, 100 * used / usable);
	fill_inodes(e, u);
	entity_gauge(e, FILESYSTEM_read_only, u->read_only);
}

static void unknown(struct entity *e, const char *reason)
{
	for (size_t i = 0; i < e->class->n_metrics; i++)
		entity_missing(e, i, reason);
}

static struct entity *get(const struct collect_ctx *ctx, const struct mount *m)
{
	struct entity *e = registry_get(ctx->registry, &class_filesystem, m->point);

	if (!e)
		return NULL;
	entity_read_at(e, ctx->now_ns);
	entity_label(e, "device", m->source);
	entity_label(e, "fstype", m->type);
	entity_label(e, "mountpoint", m->point);
	return e;
}

static void collect_local(const struct mount *m, const struct collect_ctx *ctx, fs_usage_fn usage)
{
	struct fs_usage u;
	struct entity *e;
	int r = usage(ctx->root_fd, m->point, &u);

	if (r == 0 && !u.size_bytes)
		return; /* of a kind this program does not know, and nothing that could get full */
	e = get(ctx, m);
	if (!e)
		return;
	if (r == 0)
		fill(e, &u);
	else
		unknown(e, r == -EACCES ? "no permission to look at the mount point"
					: "the mount point cannot be looked at");
}

static void report_silence(const struct filesystem_watch *w, const struct collect_ctx *ctx)
{
	int64_t seconds = fs_probe_waiting_ns(&w->probe, ctx->now_ns) / SECOND_NS;
	char key[64];

	problem_key(key, sizeof(key), &w->mount);
	if (seconds >= FILESYSTEM_PATIENCE_SECONDS)
		problem_set(ctx->problems, key,
			"%s (%s, %s) has not answered for %" PRId64
			" s: its server is gone or overloaded; programs that use it hang too",
			w->mount.point, w->mount.source, w->mount.type, seconds);
	else
		problem_clear(ctx->problems, key);
}

static bool is_fresh(const struct fs_probe *p, int64_t now_ns)
{
	return p->answered_ns && now_ns - p->answered_ns < FILESYSTEM_ANSWER_SECONDS * SECOND_NS;
}

static int collect_slow(
	struct filesystem_watch *w, const struct collect_ctx *ctx, fs_usage_fn usage, struct err *e)
{
	struct fs_probe *p = &w->probe;
	struct entity *entity = get(ctx, &w->mount);
	bool due;
	int r = 0;

	fs_probe_look(p, ctx->now_ns);
	report_silence(w, ctx);
	due = !p->asked_ns || ctx->now_ns - p->asked_ns >= FILESYSTEM_ASK_SECONDS * SECOND_NS;
	if (due && !fs_probe_is_busy(p))
		r = fs_probe_ask(p, usage, ctx->root_fd, w->mount.point, ctx->now_ns, e);
	if (!entity)
		return r;
	if (!is_fresh(p, ctx->now_ns))
		unknown(entity, "the filesystem has not answered yet");
	else if (p->result < 0)
		unknown(entity, "the filesystem answers with an error");
	else
		fill(entity, &p->usage);
	return r;
}

/* A recorded tree has no filesystems to ask. */
static void collect_recorded(const struct mount *m, const struct collect_ctx *ctx)
{
	struct entity *e = get(ctx, m);

	if (!e)
		return;
	unknown(e, "only a mounted filesystem can be asked");
	entity_gauge(e, FILESYSTEM_read_only, m->read_only);
}

static int collect_one(
	struct filesystem_watch *w, const struct collect_ctx *ctx, fs_usage_fn usage, struct err *e)
{
	if (!usage)
		collect_recorded(&w->mount, ctx);
	else if (w->mount.may_hang)
		return collect_slow(w, ctx, usage, e);
	else
		collect_local(&w->mount, ctx, usage);
	return 0;
}

/* Problems of an earlier state of this collector (the options were read again) may be about
 * mounts that are not watched now. */
static void clear_problems(const struct collect_ctx *ctx)
{
	for (size_t i = problems_count(ctx->problems); i > 0; i--) {
		struct problem p = *problems_at(ctx->problems, i - 1);

		if (str_starts(p.key, "filesystem."))
			problem_clear(ctx->problems, p.key);
	}
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	struct filesystem_state *s = state;
	fs_usage_fn usage = s->usage ? s->usage : ctx->live ? fs_usage_read : NULL;
	int result;

	if (!s->read_sample)
		clear_problems(ctx);
	for (size_t i = 0; i < FILESYSTEM_ABANDONED_MAX; i++)
		if (fs_probe_is_busy(&s->abandoned[i]))
			(void)fs_probe_abandon(&s->abandoned[i], 0);
	result = s->table_result = refresh_table(s, ctx);
	if (result < 0 && e)
		*e = s->table_error;
	for (size_t i = 0; i < s->n; i++) {
		int r = collect_one(&s->list[i], ctx, usage, result < 0 ? NULL : e);

		if (result == 0)
			result = r;
	}
	return result;
}

static void done(void *state)
{
	struct filesystem_state *s = state;

	for (size_t i = 0; i < s->n; i++) {
		(void)fs_probe_abandon(&s->list[i].probe, END_WAIT_MS);
		if (s->list[i].probe.fd_plus_1)
			(void)close(s->list[i].probe.fd_plus_1 - 1);
		mount_done(&s->list[i].mount);
	}
	for (size_t i = 0; i < FILESYSTEM_ABANDONED_MAX; i++)
		if (s->abandoned[i].fd_plus_1)
			(void)close(s->abandoned[i].fd_plus_1 - 1);
	free(s->list);
	if (s->mountinfo_fd_plus_1)
		(void)close(s->mountinfo_fd_plus_1 - 1);
}

const struct collector collector_filesystem = {
	.name = "filesystem",
	.doc = "Space and inodes of each mounted filesystem",
	.state_size = sizeof(struct filesystem_state),
	.collect = collect,
	.done = done,
};
