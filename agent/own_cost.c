/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/own_cost.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Resident bytes, /proc/PID/statm field 2 (proc(5)); 0 when the process is gone. */
static double resident_bytes(const char *pid)
{
	char path[64];
	unsigned long pages = 0;
	_cleanup_(fclose_p) FILE *f = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%s/statm", pid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		return 0;
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* CPU seconds, /proc/PID/stat fields 14 and 15 in ticks; the name in field 2 may hold anything
 * but ends at the last ')'. */
static double cpu_seconds(const char *pid)
{
	char path[64], text[1024];
	unsigned long user, system;
	_cleanup_(fclose_p) FILE *f = NULL;
	const char *end;

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(text, sizeof(text), f))
		return 0;
	end = strrchr(text, ')');
	if (!end || sscanf(end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			    &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Linux 6.2 and later give the number of open descriptors as the size of the folder; earlier
 * ones give 0, and counting them one by one would cost more than the rest of this file. */
static double count_open_files(void)
{
	struct stat st;

	return stat("/proc/self/fd", &st) == 0 && st.st_size > 0 ? (double)st.st_size : NAN;
}

static double timeval_seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The web process may be replaced at any time; its CPU time must still only grow. */
static double web_cpu_seconds(struct own_cost *c, const char *pid)
{
	if (c->web_pid != c->last_web_pid) {
		c->ended_web_seconds += c->last_web_seconds;
		c->last_web_seconds = 0;
		c->last_web_pid = c->web_pid;
	}
	if (c->web_pid) {
		double now = cpu_seconds(pid);

		if (now > c->last_web_seconds)
			c->last_web_seconds = now;
	}
	return c->ended_web_seconds + c->last_web_seconds;
}

void own_cost_report(struct own_cost *c, struct registry *r)
{
	struct entity *e = registry_get(r, &class_agent, "agent");
	struct rusage self;
	char web[16];

	if (!e || getrusage(RUSAGE_SELF, &self) < 0)
		return;
	(void)snprintf(web, sizeof(web), "%d", (int)c->web_pid);
	entity_read_at(e, clock_mono_ns());
	entity_counter(e, AGENT_cpu_used_percent,
		timeval_seconds(self.ru_utime) + timeval_seconds(self.ru_stime) +
			web_cpu_seconds(c, web));
	entity_gauge(e, AGENT_memory_resident_bytes,
		resident_bytes("self") + (c->web_pid ? resident_bytes(web) : 0));
	if (c->sample_ns)
		entity_gauge(e, AGENT_sample_seconds, (double)c->sample_ns / 1e9);
	entity_gauge(e, AGENT_sample_delay_seconds, (double)c->delay_ms / 1e3);
	entity_gauge(e, AGENT_entities, (double)registry_count(r));
	entity_gauge(e, AGENT_open_files, count_open_files());
	entity_gauge(e, AGENT_alerts_firing, (double)c->alerts_firing);
	entity_gauge(e, AGENT_messages_waiting, (double)c->messages_waiting);
}
