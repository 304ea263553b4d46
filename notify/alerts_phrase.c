/* SPDX-License-Identifier: Apache-2.0
 *
 * What has happened, in the words of the person it happens to. {e} is the entity, {v} the value, {t}
 * the title of the metric, {w} the window, {g} the target of a forecast.
 */
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "notify/alerts_parts.h"

static const struct phrase {
	const char *metrics; /* shell pattern over CLASS.METRIC */
	const char *now; /* over the limit; NULL: as all others */
	const char *over; /* back again */
} phrases[] = {
	{"host.cpu_used_percent", "CPU is at {v}", "CPU is back to {v}"},
	{"host.cpu_iowait_percent", "CPU waits for disks {v} of the time",
		"CPU waiting for disks is back to {v}"},
	{"host.cpu_steal_percent", "The hypervisor takes {v} of the CPU",
		"CPU taken by the hypervisor is back to {v}"},
	{"host.load*", "{t} is at {v}", "{t} is back to {v}"},
	{"host.memory_used_percent", "Memory is {v} full", "Memory is back to {v}"},
	{"host.memory_available_bytes", "Only {v} of memory is available",
		"{v} of memory is available again"},
	{"host.swap_used_percent", "Swap is {v} full", "Swap is back to {v}"},
	{"host.swap_in_bytes_per_second", "Memory is read back from swap at {v}",
		"Reading back from swap is down to {v}"},
	{"host.pressure_cpu_some_percent", "Programs wait for a CPU {v} of the time",
		"Waiting for a CPU is back to {v}"},
	{"host.pressure_memory_some_percent", "Programs wait for memory {v} of the time",
		"Waiting for memory is back to {v}"},
	{"host.pressure_memory_full_percent", "All programs wait for memory {v} of the time",
		"Waiting for memory is back to {v}"},
	{"host.pressure_io_some_percent", "Programs wait for disks {v} of the time",
		"Waiting for disks is back to {v}"},
	{"host.pressure_io_full_percent", "All programs wait for disks {v} of the time",
		"Waiting for disks is back to {v}"},
	{"host.oom_kills", "The kernel killed a process for lack of memory",
		"No process is killed for lack of memory any more"},
	{"host.clock_offset_seconds", "The clock is off by {v}", "The clock is right again ({v})"},
	{"host.clock_synchronized", "The clock is not kept right by a time service",
		"The clock is kept right again"},
	{"host.reboot_required", "An update waits for a reboot", "No reboot is pending any more"},
	{"host.security_updates_pending", "Security updates pending: {v}",
		"Security updates pending: {v}"},
	{"app.up", "{e} does not answer", "{e} answers again"},
	{"core.used_percent", "CPU core {e} is at {v}", "CPU core {e} is back to {v}"},
	{"filesystem.used_percent", "Disk {e} is {v} full", "Disk {e} is back to {v}"},
	{"filesystem.available_bytes", "Disk {e} has only {v} left", "Disk {e} has {v} left again"},
	{"filesystem.inodes_used_percent", "Disk {e} has used {v} of its inodes",
		"Inodes of disk {e} are back to {v}"},
	{"filesystem.read_only", "Disk {e} is read-only", "Disk {e} can be written again"},
	{"disk.busy_percent", "Disk device {e} is busy {v} of the time",
		"Disk device {e} is back to {v} busy"},
	{"interface.up", "Interface {e} is down", "Interface {e} is up again"},
	{"sensor.temperature_celsius", "{e} is at {v}", "{e} is back to {v}"},
	{"*.oom_kills", "{e} was killed for lack of memory",
		"{e} is not killed for lack of memory any more"},
	{"*.healthy", "{e} is unhealthy", "{e} is healthy again"},
	{"*.running", "{e} does not run", "{e} runs again"},
	{"*.restarts", "{e} keeps restarting: {v} times{w}", "{e} has stopped restarting"},
	{"container.memory_used_percent", "{e} uses {v} of its memory limit",
		"{e} is back to {v} of its memory limit"},
	{"service.memory_used_percent", "{e} uses {v} of its memory limit",
		"{e} is back to {v} of its memory limit"},
	{"container.cpu_limit_used_percent", "{e} uses {v} of its CPU limit",
		"{e} is back to {v} of its CPU limit"},
	{"service.cpu_limit_used_percent", "{e} uses {v} of its CPU limit",
		"{e} is back to {v} of its CPU limit"},
};

/* For the types that ask something else of a metric; the last row is for all others. */
static const struct phrase changes[] = {
	{"filesystem.read_only", "Disk {e} has become read-only", "Disk {e} can be written again"},
	{"*", "{e}: {t} changed by {v}{w}", "{e}: {t} is steady again"},
};
static const struct phrase forecasts[] = {
	{"filesystem.used_percent", "Disk {e} will be full in {v}",
		"Disk {e} is not about to be full any more"},
	{"filesystem.available_bytes", "Disk {e} will be full in {v}",
		"Disk {e} is not about to be full any more"},
	{"filesystem.used_bytes", "Disk {e} will be full in {v}",
		"Disk {e} is not about to be full any more"},
	{"filesystem.inodes_*", "Disk {e} will be out of inodes in {v}",
		"Disk {e} is not about to be out of inodes any more"},
	{"*", "{e}: {t} will reach {g} in {v}", "{e}: {t} is not about to reach {g} any more"},
};
static const struct phrase reached = {
	"*", "{e}: {t} has reached {g}", "{e}: {t} is not about to reach {g} any more"};
static const struct phrase missing = {"*", "{e}: {t} is unknown", "{e}: {t} is known again"};
static const struct phrase stopped = {"*", "{e} does not run any more", "{e} is back"};
static const struct phrase gone = {"*", "{e} is gone", "{e} is back"};
static const struct phrase sums = {"*", "{e}: {t} came to {v}{w}", "{e}: {t} is back to {v}{w}"};
static const struct phrase others = {"*", "{e}: {t} at {v}", "{e}: {t} back to {v}"};

static const struct phrase *find(const struct phrase *list, size_t n, const struct rule *r)
{
	_cleanup_(free_p) char *full =
		str_format("%s.%s", r->class->name, r->class->metrics[r->metric].name);

	for (size_t i = 0; i < n; i++)
		if (fnmatch(list[i].metrics, full, 0) == 0)
			return &list[i];
	return NULL;
}

static const struct phrase *value_phrase(const struct rule *r)
{
	const struct phrase *p = find(phrases, ARRAY_LEN(phrases), r);

	if (p)
		return p;
	return r->how == WINDOW_SUM ? &sums : &others;
}

static const struct phrase *phrase_of(const struct alert *al, bool is_here, bool is_over)
{
	const struct rule *r = al->rule;

	switch (r->type) {
	case RULE_CHANGE:
		return find(changes, ARRAY_LEN(changes), r);
	case RULE_FORECAST:
		return !is_over && al->value <= 0 ? &reached
						  : find(forecasts, ARRAY_LEN(forecasts), r);
	case RULE_MISSING:
		return &missing;
	case RULE_GONE:
		return is_here ? &stopped : &gone;
	default:
		return value_phrase(r);
	}
}

static void add_value(struct buf *b, double v, enum metric_unit unit)
{
	char text[LIMIT_TEXT_MAX];

	limit_print_value(text, sizeof(text), v, unit);
	buf_adds(b, text);
}

static void add_window(struct buf *b, const struct rule *r)
{
	char text[32];

	if (r->window_ms <= 0)
		return;
	str_from_duration_ms(text, sizeof(text), r->window_ms);
	buf_addf(b, " within %s", text);
}

static void add_part(struct buf *b, const struct alert *al, char what)
{
	const struct rule *r = al->rule;
	const struct metric *m = &r->class->metrics[r->metric];

	switch (what) {
	case 'e':
		buf_adds(b, al->entity);
		break;
	case 'v':
		add_value(b, al->value, r->unit);
		break;
	case 't':
		buf_adds(b, m->title);
		break;
	case 'w':
		add_window(b, r);
		break;
	case 'g':
		add_value(b, r->target, m->unit);
		break;
	}
}

/* There is one host, so its name says nothing. */
static const char *without_host(const struct rule *r, const char *text)
{
	bool is_only = r->class == &class_host || r->class == &class_agent;

	return is_only && str_starts(text, "{e}: ") ? text + strlen("{e}: ") : text;
}

void alert_phrase(const struct alert *al, bool is_here, bool is_over, struct buf *out)
{
	const struct phrase *p = phrase_of(al, is_here, is_over);

	for (const char *s = without_host(al->rule, is_over ? p->over : p->now); *s; s++) {
		if (s[0] == '{' && s[1] && s[2] == '}') {
			add_part(out, al, s[1]);
			s += 2;
		} else {
			buf_addc(out, *s);
		}
	}
}

void alert_title(const struct alert *al, struct buf *out)
{
	const struct record *rec = (const struct record *)al;

	alert_phrase(al, rec->watch != NULL, false, out);
}
