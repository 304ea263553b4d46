/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/pressure.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/host.h"
#include "collectors/procfs.h"

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234" */
static int parse_total(char *line, unsigned number, double *out, struct err *e)
{
	char *field;
	uint64_t v;

	while (proc_next_field(&line, &field)) {
		if (!str_starts(field, "total="))
			continue;
		field += strlen("total=");
		if (!proc_next_u64(&field, &v) || *field)
			break;
		*out = (double)v;
		return 0;
	}
	return err_set(e, EINVAL, "line %u: there is no total=NUMBER", number);
}

int pressure_parse(char *text, struct pressure *out, struct err *e)
{
	struct pressure p = {NAN, NAN};
	unsigned number = 0;
	char *line;
	int r = 0;

	while (r == 0 && proc_next_line(&text, &line)) {
		number++;
		if (str_starts(line, "some "))
			r = parse_total(line, number, &p.some, e);
		else if (str_starts(line, "full "))
			r = parse_total(line, number, &p.full, e);
	}
	if (r < 0)
		return r;
	if (isnan(p.some))
		return err_set(e, EINVAL, "there is no line \"some\"");
	*out = p;
	return 0;
}

enum { NO_METRIC = -1 };

static const struct {
	const char *path;
	int some;
	int full;
} files[] = {
	/* "full" has no meaning for the CPU of a whole system. */
	{"pressure/cpu", HOST_pressure_cpu_some_percent, NO_METRIC},
	{"pressure/io", HOST_pressure_io_some_percent, HOST_pressure_io_full_percent},
	{"pressure/memory", HOST_pressure_memory_some_percent, HOST_pressure_memory_full_percent},
};

struct pressure_state {
	struct kept_file files[ARRAY_LEN(files)];
};

static void missing(struct entity *host, const char *reason)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		entity_missing(host, (size_t)files[i].some, reason);
		if (files[i].full != NO_METRIC)
			entity_missing(host, (size_t)files[i].full, reason);
	}
}

static int collect_file(struct pressure_state *s, size_t i, const struct collect_ctx *ctx,
	struct entity *host, struct err *e)
{
	struct pressure p;
	char text[512];
	int r = proc_read_kept(&s->files[i], ctx->proc_fd, files[i].path, text, sizeof(text), e);

	if (r < 0)
		return r;
	r = pressure_parse(text, &p, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, files[i].path, r, e);
	entity_counter(host, (size_t)files[i].some, p.some);
	if (files[i].full != NO_METRIC)
		counter_if_known(host, (size_t)files[i].full, p.full);
	return 0;
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	struct pressure_state *s = state;
	struct entity *host = host_entity(ctx);
	int result = 0;

	for (size_t i = 0; host && i < ARRAY_LEN(files); i++) {
		int r = collect_file(s, i, ctx, host, result < 0 ? NULL : e);

		if (r == -ENOENT) {
			missing(host, "this kernel does not measure pressure (PSI, since 4.20)");
			return COLLECTOR_ABSENT;
		}
		if (r == -EOPNOTSUPP) {
			missing(host, "pressure is switched off; boot with psi=1 to measure it");
			return COLLECTOR_ABSENT;
		}
		if (r < 0 && result == 0)
			result = r;
	}
	return result;
}

static void done(void *state)
{
	struct pressure_state *s = state;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		kept_file_close(&s->files[i]);
}

const struct collector collector_pressure = {
	.name = "pressure",
	.doc = "Time in which tasks waited for CPU, memory and disks",
	.state_size = sizeof(struct pressure_state),
	.collect = collect,
	.done = done,
};
