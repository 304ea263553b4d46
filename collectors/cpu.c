/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/cpu.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "collectors/host.h"
#include "collectors/procfs.h"

enum {
	STAT_MAX = 256 * 1024, /* 1,000 cores and 10,000 interrupt sources */
	JITTER_TICKS = 1000, /* idle time that runs back by more was reset */
};

static const struct proc_key stat_keys[] = {
	{"intr", offsetof(struct proc_stat, interrupts)},
	{"ctxt", offsetof(struct proc_stat, context_switches)},
	{"btime", offsetof(struct proc_stat, boot_time)},
	{"processes", offsetof(struct proc_stat, forks)},
	{"procs_running", offsetof(struct proc_stat, running)},
	{"procs_blocked", offsetof(struct proc_stat, blocked)},
};

static int parse_ticks(char *p, unsigned line, struct cpu_ticks *out, struct err *e)
{
	enum { MODES_AT_LEAST = 4 };

	*out = (struct cpu_ticks){0};
	for (unsigned i = 0; i < CPU_MODES; i++) {
		if (proc_next_u64(&p, &out->of[i]))
			continue;
		if (i < MODES_AT_LEAST || *p)
			return err_set(e, EINVAL, "line %u: field %u is not a number", line, i + 2);
		break;
	}
	return 0;
}

/* A line that begins with "cpu": the sum ("cpu ") or one core ("cpu12 "). */
static int parse_cpu_line(char *line, unsigned line_number, struct proc_stat *out, bool *have_all,
	cpu_core_fn core, void *user, struct err *e)
{
	struct cpu_ticks t;
	uint64_t number;
	char *p = line + 3;
	bool one = *p != ' ';
	int r;

	if (one && (!proc_next_u64(&p, &number) || number > 65535))
		return err_set(e, EINVAL, "line %u: \"%.20s\" is not a core", line_number, line);
	r = parse_ticks(p, line_number, &t, e);
	if (r < 0)
		return r;
	if (one) {
		out->cores++;
		core(user, (unsigned)number, &t);
	} else {
		out->all = t;
		*have_all = true;
	}
	return 0;
}

int stat_parse(char *text, struct proc_stat *out, cpu_core_fn core, void *user, struct err *e)
{
	struct proc_stat s = {.interrupts = NAN,
		.context_switches = NAN,
		.boot_time = NAN,
		.forks = NAN,
		.running = NAN,
		.blocked = NAN};
	bool have_all = false;
	unsigned number = 0;
	char *line;

	while (proc_next_line(&text, &line)) {
		int r;

		number++;
		if (str_starts(line, "cpu"))
			r = parse_cpu_line(line, number, &s, &have_all, core, user, e);
		else
			r = proc_match_key(stat_keys, ARRAY_LEN(stat_keys), line, number, &s, e);
		if (r < 0)
			return r;
	}
	if (!have_all)
		return err_set(e, EINVAL, "there is no line \"cpu\"");
	if (s.cores == 0)
		s.cores = 1;
	*out = s;
	return 0;
}

static bool is_jitter(unsigned mode, uint64_t now, uint64_t last)
{
	return (mode == CPU_IDLE || mode == CPU_IOWAIT) && last - now <= JITTER_TICKS;
}

void cpu_shares_add(struct cpu_shares *s, const struct cpu_ticks *now, unsigned cores)
{
	for (unsigned i = 0; i < CPU_MODES; i++) {
		if (now->of[i] >= s->last.of[i] || is_jitter(i, now->of[i], s->last.of[i]))
			continue;
		*s = (struct cpu_shares){.last = *now};
		return;
	}
	for (unsigned i = 0; i < CPU_MODES; i++) {
		if (now->of[i] <= s->last.of[i])
			continue;
		s->total[i] += (double)(now->of[i] - s->last.of[i]) / cores;
		s->last.of[i] = now->of[i];
	}
}

struct cpu_state {
	struct kept_file stat;
	struct cpu_shares shares;
	bool began;
};

/* Sum of the values of some metrics, at most 100: ticks are coarse. Unknown when one of them is. */
static void gauge_sum(struct entity *e, size_t metric, const size_t *parts, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += entity_value(e, parts[i]);
	if (!isnan(sum))
		entity_gauge(e, metric, fmin(sum, 100));
}

/* Idle times that ran back a little, as in cpu_shares_add(). */
static double steady(const struct entity *e, size_t metric, unsigned mode, uint64_t now)
{
	double last = e->totals[metric];

	return (double)now < last && is_jitter(mode, now, (uint64_t)last) ? last : (double)now;
}

static void fill_core(void *user, unsigned number, const struct cpu_ticks *t)
{
	static const size_t metrics[CPU_MODES] = {CORE_user_percent, CORE_nice_percent,
		CORE_system_percent, CORE_idle_percent, CORE_iowait_percent, CORE_irq_percent,
		CORE_softirq_percent, CORE_steal_percent};
	static const size_t used[] = {CORE_user_percent, CORE_nice_percent, CORE_system_percent,
		CORE_irq_percent, CORE_softirq_percent, CORE_steal_percent};
	const struct collect_ctx *ctx = user;
	struct entity *e;
	char key[16];

	(void)snprintf(key, sizeof(key), "cpu%u", number);
	e = registry_get(ctx->registry, &class_core, key);
	if (!e)
		return;
	if (entity_is_new(ctx, e))
		entity_label(e, "cpu", key + strlen("cpu"));
	entity_read_at(e, ctx->now_ns);
	for (unsigned i = 0; i < CPU_MODES; i++)
		entity_counter(e, metrics[i], steady(e, metrics[i], i, t->of[i]));
	gauge_sum(e, CORE_used_percent, used, ARRAY_LEN(used));
}

static void fill_cpu(struct entity *host, const double *total)
{
	static const size_t used[] = {HOST_cpu_user_percent, HOST_cpu_nice_percent,
		HOST_cpu_system_percent, HOST_cpu_irq_percent, HOST_cpu_steal_percent};

	entity_counter(host, HOST_cpu_user_percent, total[CPU_USER]);
	entity_counter(host, HOST_cpu_nice_percent, total[CPU_NICE]);
	entity_counter(host, HOST_cpu_system_percent, total[CPU_SYSTEM]);
	entity_counter(host, HOST_cpu_iowait_percent, total[CPU_IOWAIT]);
	entity_counter(host, HOST_cpu_irq_percent, total[CPU_IRQ] + total[CPU_SOFTIRQ]);
	entity_counter(host, HOST_cpu_steal_percent, total[CPU_STEAL]);
	gauge_sum(host, HOST_cpu_used_percent, used, ARRAY_LEN(used));
}

static void fill_kernel(struct entity *host, const struct proc_stat *s)
{
	counter_if_known(host, HOST_context_switches_per_second, s->context_switches);
	counter_if_known(host, HOST_interrupts_per_second, s->interrupts);
	counter_if_known(host, HOST_forks_per_second, s->forks);
	gauge_if_known(host, HOST_processes_running, s->running);
	gauge_if_known(host, HOST_processes_blocked, s->blocked);
	gauge_if_known(host, HOST_boot_time_seconds, s->boot_time);
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	struct cpu_state *s = state;
	struct entity *host = host_entity(ctx);
	struct collect_ctx mine = *ctx;
	struct proc_stat now;
	char text[STAT_MAX];
	int r;

	r = proc_read_kept(&s->stat, ctx->proc_fd, "stat", text, sizeof(text), e);
	if (r < 0)
		return r;
	r = stat_parse(text, &now, fill_core, &mine, e);
	if (r < 0)
		return proc_wrap(ctx->proc_fd, "stat", r, e);
	if (!host)
		return 0;
	if (!s->began)
		s->shares.last = now.all;
	s->began = true;
	cpu_shares_add(&s->shares, &now.all, now.cores);
	fill_cpu(host, s->shares.total);
	fill_kernel(host, &now);
	entity_gauge(host, HOST_cpu_cores, now.cores);
	return 0;
}

static void done(void *state)
{
	struct cpu_state *s = state;

	kept_file_close(&s->stat);
}

const struct collector collector_cpu = {
	.name = "cpu",
	.doc = "CPU time by mode, of all cores and of each; context switches, interrupts, "
	       "processes",
	.state_size = sizeof(struct cpu_state),
	.collect = collect,
	.done = done,
};
