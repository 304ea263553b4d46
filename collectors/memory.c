/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/memory.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "collectors/host.h"
#include "collectors/procfs.h"

enum {
	MEMINFO_MAX = 8 * 1024,
	ARCSTATS_MAX = 32 * 1024,
};

static const struct proc_key keys[] = {
	{"MemTotal", offsetof(struct memory, total)},
	{"MemFree", offsetof(struct memory, free)},
	{"MemAvailable", offsetof(struct memory, available)},
	{"Buffers", offsetof(struct memory, buffers)},
	{"Cached", offsetof(struct memory, cached)},
	{"Shmem", offsetof(struct memory, shared)},
	{"SReclaimable", offsetof(struct memory, reclaimable)},
	{"SwapTotal", offsetof(struct memory, swap_total)},
	{"SwapFree", offsetof(struct memory, swap_free)},
};

static double or_zero(double v)
{
	return isnan(v) ? 0 : v;
}

/* What can be dropped: caches without shared memory, which has no file behind it. */
static double estimate_available(const struct memory *m)
{
	double cache = or_zero(m->cached) + or_zero(m->buffers) + or_zero(m->reclaimable) -
		       or_zero(m->shared);

	return fmin(m->free + fmax(cache, 0), m->total);
}

int memory_parse(char *text, struct memory *out, struct err *e)
{
	struct memory m;
	double *all = &m.total;
	int r = proc_parse_keys(text, keys, ARRAY_LEN(keys), &m, e);

	if (r < 0)
		return r;
	if (isnan(m.total) || isnan(m.free))
		return err_set(e, EINVAL, "there is no line \"%s\"",
			isnan(m.total) ? "MemTotal" : "MemFree");
	for (size_t i = 0; i < sizeof(m) / sizeof(*all); i++)
		all[i] *= 1024; /* the file's "kB" */
	if (isnan(m.available))
		m.available = estimate_available(&m);
	*out = m;
	return 0;
}

int memory_parse_arc(char *text, double *out_bytes, struct err *e)
{
	unsigned number = 0;
	char *line, *field;

	while (proc_next_line(&text, &line)) {
		uint64_t type, v;

		number++;
		if (!proc_next_field(&line, &field) || strcmp(field, "size") != 0)
			continue;
		if (!proc_next_u64(&line, &type) || !proc_next_u64(&line, &v))
			return err_set(e, EINVAL, "line %u: size is not a number", number);
		*out_bytes = (double)v;
		return 0;
	}
	return err_set(e, EINVAL, "there is no line \"size\"");
}

struct memory_state {
	struct kept_file meminfo;
	struct kept_file arcstats;
};

static void fill_memory(struct entity *host, const struct memory *m)
{
	double used = fmax(m->total - m->available, 0);

	entity_gauge(host, HOST_memory_total_bytes, m->total);
	entity_gauge(host, HOST_memory_free_bytes, m->free);
	entity_gauge(host, HOST_memory_available_bytes, m->available);
	entity_gauge(host, HOST_memory_used_bytes, used);
	if (m->total > 0)
		entity_gauge(host, HOST_memory_used_percent, 100 * used / m->total);
	gauge_if_known(host, HOST_memory_buffers_bytes, m->buffers);
	gauge_if_known(host, HOST_memory_cached_bytes, m->cached);
	gauge_if_known(host, HOST_memory_shared_bytes, m->shared);
	gauge_if_known(host, HOST_memory_reclaimable_bytes, m->reclaimable);
	if (!isnan(m->cached))
		entity_gauge(host, HOST_memory_cache_bytes,
			fmax(m->cached + or_zero(m->reclaimable) - or_zero(m->shared), 0));
}

static void fill_swap(struct entity *host, const struct memory *m)
{
	double used = m->swap_total - m->swap_free;

	gauge_if_known(host, HOST_swap_total_bytes, m->swap_total);
	gauge_if_known(host, HOST_swap_free_bytes, m->swap_free);
	gauge_if_known(host, HOST_swap_used_bytes, used);
	if (m->swap_total > 0)
		gauge_if_known(host, HOST_swap_used_percent, 100 * used / m->swap_total);
	else
		entity_missing(host, HOST_swap_used_percent, "there is no swap space");
}

static int collect_meminfo(
	struct memory_state *s, const struct collect_ctx *ctx, struct entity *host, struct err *e)
{
	struct memory m;
	char text[MEMINFO_MAX];
	int r = proc_read_kept(&s->meminfo, ctx->proc_fd, "meminfo", text, sizeof(text), e);

	if (r < 0)
		return r;
	r = memory_parse(text, &m, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, "meminfo", r, e);
	fill_memory(host, &m);
	fill_swap(host, &m);
	return 0;
}

static int collect_arc(
	struct memory_state *s, const struct collect_ctx *ctx, struct entity *host, struct err *e)
{
	static const char path[] = "spl/kstat/zfs/arcstats";
	char text[ARCSTATS_MAX];
	double bytes;
	int r = proc_read_kept(&s->arcstats, ctx->proc_fd, path, text, sizeof(text), e);

	if (r == -ENOENT) {
		entity_missing(host, HOST_memory_arc_bytes, "ZFS is not loaded");
		return 0;
	}
	if (r < 0)
		return r;
	r = memory_parse_arc(text, &bytes, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, path, r, e);
	entity_gauge(host, HOST_memory_arc_bytes, bytes);
	return 0;
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	struct memory_state *s = state;
	struct entity *host = host_entity(ctx);
	int r, r2;

	if (!host)
		return 0;
	r = collect_meminfo(s, ctx, host, e);
	r2 = collect_arc(s, ctx, host, r < 0 ? NULL : e);
	return r < 0 ? r : r2;
}

static void done(void *state)
{
	struct memory_state *s = state;

	kept_file_close(&s->meminfo);
	kept_file_close(&s->arcstats);
}

const struct collector collector_memory = {
	.name = "memory",
	.doc = "Memory and swap space, and the cache of ZFS",
	.state_size = sizeof(struct memory_state),
	.collect = collect,
	.done = done,
};
