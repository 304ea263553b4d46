/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/kernel.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collectors/host.h"
#include "collectors/procfs.h"

enum { VMSTAT_MAX = 16 * 1024 };

static const struct proc_key vmstat_keys[] = {
	{"pgmajfault", offsetof(struct vmstat, major_faults)},
	{"oom_kill", offsetof(struct vmstat, oom_kills)},
	{"pswpin", offsetof(struct vmstat, swap_in_pages)},
	{"pswpout", offsetof(struct vmstat, swap_out_pages)},
};

int vmstat_parse(char *text, struct vmstat *out, struct err *e)
{
	struct vmstat v;
	int r = proc_parse_keys(text, vmstat_keys, ARRAY_LEN(vmstat_keys), &v, e);

	if (r == 0)
		*out = v;
	return r;
}

int file_handles_parse(char *text, struct file_handles *out, struct err *e)
{
	uint64_t v[3];

	for (unsigned i = 0; i < ARRAY_LEN(v); i++)
		if (!proc_next_u64(&text, &v[i]))
			return err_set(e, EINVAL, "line 1: field %u is not a number", i + 1);
	/* Allocated, allocated but unused (0 since 2.6), limit. */
	out->used = v[0] >= v[1] ? (double)(v[0] - v[1]) : 0;
	out->max = (double)v[2];
	return 0;
}

int uptime_parse(char *text, double *out_seconds, struct err *e)
{
	return proc_next_decimal(&text, out_seconds)
		       ? 0
		       : err_set(e, EINVAL, "line 1: field 1 is not a number");
}

struct kernel_state {
	struct kept_file vmstat;
	struct kept_file file_nr;
	struct kept_file uptime;
	double page_size;
};

static int collect_vmstat(
	struct kernel_state *s, const struct collect_ctx *ctx, struct entity *host, struct err *e)
{
	struct vmstat v = {NAN, NAN, NAN, NAN};
	char text[VMSTAT_MAX];
	int r = proc_read_kept(&s->vmstat, ctx->proc_fd, "vmstat", text, sizeof(text), e);

	if (r < 0)
		return r;
	r = vmstat_parse(text, &v, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, "vmstat", r, e);
	counter_if_known(host, HOST_major_faults_per_second, v.major_faults);
	counter_if_known(host, HOST_oom_kills, v.oom_kills);
	counter_if_known(host, HOST_swap_in_bytes_per_second, v.swap_in_pages * s->page_size);
	counter_if_known(host, HOST_swap_out_bytes_per_second, v.swap_out_pages * s->page_size);
	if (isnan(v.oom_kills))
		entity_missing(
			host, HOST_oom_kills, "this kernel does not count OOM kills (since 4.13)");
	return 0;
}

static int collect_file_nr(
	struct kernel_state *s, const struct collect_ctx *ctx, struct entity *host, struct err *e)
{
	static const char path[] = "sys/fs/file-nr";
	struct file_handles v;
	char text[128];
	int r = proc_read_kept(&s->file_nr, ctx->proc_fd, path, text, sizeof(text), e);

	if (r < 0)
		return r;
	r = file_handles_parse(text, &v, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, path, r, e);
	entity_gauge(host, HOST_file_handles_used, v.used);
	entity_gauge(host, HOST_file_handles_max, v.max);
	return 0;
}

static int collect_uptime(
	struct kernel_state *s, const struct collect_ctx *ctx, struct entity *host, struct err *e)
{
	double seconds;
	char text[128];
	int r = proc_read_kept(&s->uptime, ctx->proc_fd, "uptime", text, sizeof(text), e);

	if (r < 0)
		return r;
	r = uptime_parse(text, &seconds, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, "uptime", r, e);
	entity_gauge(host, HOST_uptime_seconds, seconds);
	return 0;
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	static int (*const parts[])(struct kernel_state *, const struct collect_ctx *,
		struct entity *, struct err *) = {collect_vmstat, collect_file_nr, collect_uptime};
	struct kernel_state *s = state;
	struct entity *host = host_entity(ctx);
	int result = 0;

	if (s->page_size <= 0)
		s->page_size = (double)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; host && i < ARRAY_LEN(parts); i++) {
		int r = parts[i](s, ctx, host, result < 0 ? NULL : e);

		if (result == 0)
			result = r;
	}
	return result;
}

static void done(void *state)
{
	struct kernel_state *s = state;

	kept_file_close(&s->vmstat);
	kept_file_close(&s->file_nr);
	kept_file_close(&s->uptime);
}

const struct collector collector_kernel = {
	.name = "kernel",
	.doc = "Page faults, swap traffic, OOM kills, open files, uptime",
	.state_size = sizeof(struct kernel_state),
	.collect = collect,
	.done = done,
};
