/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/load.h"

#include <errno.h>

#include "collectors/host.h"
#include "collectors/procfs.h"

int load_parse(char *text, struct load *out, struct err *e)
{
	struct load v;
	uint64_t running, tasks;

	for (unsigned i = 0; i < 3; i++)
		if (!proc_next_decimal(&text, &v.average[i]))
			return err_set(e, EINVAL, "line 1: field %u is not a number", i + 1);
	if (!proc_next_u64(&text, &running) || *text++ != '/' || !proc_next_u64(&text, &tasks))
		return err_set(e, EINVAL, "line 1: field 4 is not \"running/all\"");
	v.tasks = (double)tasks;
	*out = v;
	return 0;
}

struct load_state {
	struct kept_file loadavg;
};

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	struct load_state *s = state;
	struct entity *host = host_entity(ctx);
	struct load v;
	char text[256];
	int r = proc_read_kept(&s->loadavg, ctx->proc_fd, "loadavg", text, sizeof(text), e);

	if (r < 0)
		return r;
	r = load_parse(text, &v, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, "loadavg", r, e);
	if (!host)
		return 0;
	entity_gauge(host, HOST_load1, v.average[0]);
	entity_gauge(host, HOST_load5, v.average[1]);
	entity_gauge(host, HOST_load15, v.average[2]);
	entity_gauge(host, HOST_processes_total, v.tasks);
	return 0;
}

static void done(void *state)
{
	struct load_state *s = state;

	kept_file_close(&s->loadavg);
}

const struct collector collector_load = {
	.name = "load",
	.doc = "Load averages and the number of processes",
	.state_size = sizeof(struct load_state),
	.collect = collect,
	.done = done,
};
