/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/sampler.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"

struct sampler {
	struct collect_ctx ctx;
	void **states; /* one per collector */
};

static size_t count_collectors(void)
{
	size_t n = 0;

	while (collectors[n])
		n++;
	return n;
}

static void *zeroed(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		abort();
	return p;
}

DEFINE_CLEANUP(struct sampler *, sampler_free);

int sampler_new(const char *root, const struct collect_options *options, struct registry *registry,
	struct problems *problems, struct sampler **out, struct err *e)
{
	_cleanup_(sampler_free_p) struct sampler *s = zeroed(sizeof(*s));
	struct collect_ctx *x = &s->ctx;

	x->root_fd = x->proc_fd = x->sys_fd = -1;
	x->registry = registry;
	x->problems = problems;
	x->options = options;
	x->live = strcmp(root, "/") == 0;
	x->root_fd = fs_open_dir(AT_FDCWD, root, e);
	if (x->root_fd < 0)
		return x->root_fd;
	x->proc_fd = fs_open_dir(x->root_fd, "proc", e);
	if (x->proc_fd < 0)
		return x->proc_fd;
	x->sys_fd = fs_open_dir(x->root_fd, "sys", e);
	if (x->sys_fd < 0)
		return x->sys_fd;
	s->states = zeroed(count_collectors() * sizeof(*s->states));
	for (size_t i = 0; collectors[i]; i++)
		s->states[i] = zeroed(collectors[i]->state_size);
	*out = TAKE_PTR(s);
	return 0;
}

static void drop_states(struct sampler *s)
{
	for (size_t i = 0; s->states && collectors[i]; i++) {
		if (s->states[i] && collectors[i]->done)
			collectors[i]->done(s->states[i]);
		free(s->states[i]);
		s->states[i] = NULL;
	}
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	drop_states(s);
	free(s->states);
	close_fd(s->ctx.sys_fd);
	close_fd(s->ctx.proc_fd);
	close_fd(s->ctx.root_fd);
	free(s);
}

const struct collect_ctx *sampler_context(const struct sampler *s)
{
	return &s->ctx;
}

const struct collect_ctx *sampler_collect(struct sampler *s, int64_t wall_ms)
{
	struct collect_ctx *x = &s->ctx;

	registry_begin(x->registry);
	x->wall_ms = wall_ms;
	for (size_t i = 0; collectors[i]; i++) {
		char key[64];
		struct err e;
		int r;

		x->now_ns = clock_mono_ns();
		r = collectors[i]->collect(s->states[i], x, &e);
		(void)snprintf(key, sizeof(key), "collector.%s", collectors[i]->name);
		if (r < 0)
			problem_set(x->problems, key, "%s", e.msg);
		else
			problem_clear(x->problems, key);
	}
	x->now_ns = clock_mono_ns();
	return x;
}

void sampler_set_options(struct sampler *s, const struct collect_options *options)
{
	drop_states(s);
	for (size_t i = 0; collectors[i]; i++)
		s->states[i] = zeroed(collectors[i]->state_size);
	s->ctx.options = options;
}
