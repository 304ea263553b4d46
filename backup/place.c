/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/place.h"

#include <errno.h>
#include <stdlib.h>

#include "backup/place_internal.h"
#include "backup/redact.h"

struct place_source {
	struct source base;
	struct running *running;
};

struct place_target {
	struct sink base;
	struct running *running;
};

void place_free(struct place *p)
{
	if (p)
		p->ops->free(p);
}

const char *place_title(const struct place *p)
{
	return p->title;
}

bool place_is_host(const struct place *p)
{
	return !p->docker;
}

const struct docker_container *place_docker(const struct place *p)
{
	return p->docker;
}

void place_hide(const char *secret)
{
	redact_add(secret);
}

bool place_has(struct place *p, const char *program)
{
	return p->ops->has(p, program);
}

/* All of the input, or as much as the program wants. */
static int feed(struct running *r, const void *data, size_t n, struct err *e)
{
	const char *bytes = data;

	while (n) {
		ssize_t put = r->ops->write(r, bytes, n, e);

		if (put < 0)
			return (int)put;
		if (put == 0)
			return 1;
		bytes += put;
		n -= (size_t)put;
	}
	return 0;
}

static void end_p(struct running **r)
{
	if (*r)
		(*r)->ops->free(*r);
}

/* Waits for the end; 0 only for a good one. */
static int conclude(struct running *r, struct err *e)
{
	int err = r->ops->wait(r, -1, e);

	if (err == 0)
		err = running_verdict(r, e);
	if (err == 0 && r->collect_overflow)
		err = err_set(e, EFBIG, "%s: its output is longer than %zu bytes", r->name,
			r->collect->max);
	return err;
}

int place_run(struct place *p, const struct place_command *c, int64_t deadline_ms, struct buf *out,
	struct err *e)
{
	struct running_options o = {
		.command = c,
		.has_input = c->input != NULL,
		.collect = out,
		.collects = true,
		.deadline_ms = deadline_ms,
	};
	_cleanup_(end_p) struct running *r = NULL;
	int err = p->ops->start(p, &o, &r, e);

	if (err == 0 && c->input) {
		err = feed(r, c->input, c->input_len, e);
		r->ops->close_input(r);
	}
	return err < 0 ? err : conclude(r, e);
}

/* --- a program's stdout as a source */

static struct running *of_source(const struct source *s)
{
	return ((const struct place_source *)(const void *)s)->running;
}

static int from_fd(struct source *s)
{
	struct running *r = of_source(s);

	return r->ops->fd(r);
}

static ssize_t from_read(struct source *s, void *to, size_t n, struct err *e)
{
	struct running *r = of_source(s);

	return r->ops->read(r, to, n, e);
}

static int from_finish(struct source *s, struct err *e)
{
	return conclude(of_source(s), e);
}

static void from_free(struct source *s)
{
	struct running *r = of_source(s);

	r->ops->free(r);
	free(s);
}

int place_source(struct place *p, const struct place_command *c, struct source **out, struct err *e)
{
	static const struct source_ops ops = {from_fd, from_read, from_finish, from_free};
	struct running_options o = {.command = c, .has_input = c->input != NULL};
	_cleanup_(end_p) struct running *r = NULL;
	struct place_source *s;
	int err = p->ops->start(p, &o, &r, e);

	/* Passwords and the like: small, read before there is output to wait for. */
	if (err == 0 && c->input) {
		err = feed(r, c->input, c->input_len, e);
		r->ops->close_input(r);
	}
	if (err < 0)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->base.ops = &ops;
	s->running = TAKE_PTR(r);
	*out = &s->base;
	return 0;
}

/* --- a program's stdin as a target */

static struct running *of_target(const struct sink *s)
{
	return ((const struct place_target *)(const void *)s)->running;
}

static int to_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct running *r = of_target(s);
	int err = feed(r, data, n, e);

	if (err <= 0)
		return err;
	err = r->ops->wait(r, RUNNING_GRACE_MS, e);
	if (err == 0)
		err = running_verdict(r, e);
	return err < 0 ? err : running_error(r, EPIPE, "ended before it had read everything", e);
}

static int to_finish(struct sink *s, struct err *e)
{
	struct running *r = of_target(s);

	r->ops->close_input(r);
	return conclude(r, e);
}

static void to_free(struct sink *s)
{
	struct running *r = of_target(s);

	r->ops->free(r);
	free(s);
}

int place_target(struct place *p, const struct place_command *c, struct buf *out,
	struct sink **target, struct err *e)
{
	static const struct sink_ops ops = {to_write, to_finish, to_free};
	struct running_options o = {
		.command = c, .has_input = true, .collect = out, .collects = true};
	_cleanup_(end_p) struct running *r = NULL;
	struct place_target *t;
	int err = p->ops->start(p, &o, &r, e);

	if (err == 0 && c->input)
		err = feed(r, c->input, c->input_len, e);
	if (err < 0)
		return err;
	t = calloc(1, sizeof(*t));
	if (!t)
		abort();
	t->base.ops = &ops;
	t->running = TAKE_PTR(r);
	*target = &t->base;
	return 0;
}

const char *place_target_stderr(const struct sink *s)
{
	return running_stderr(of_target(s));
}
