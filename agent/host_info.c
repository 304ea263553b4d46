/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/host_info.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

enum { CORES_MAX = 4096 };

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" */
static void read_os(char *to, size_t size)
{
	_cleanup_(fclose_p) FILE *f = fopen("/etc/os-release", "re");
	char line[512];

	(void)str_copy(to, size, "Linux");
	while (f && fgets(line, sizeof(line), f)) {
		char *v = line + strlen("PRETTY_NAME=");

		if (!str_starts(line, "PRETTY_NAME="))
			continue;
		v[strcspn(v, "\n")] = '\0';
		if (*v == '"') {
			v++;
			v[strcspn(v, "\"")] = '\0';
		}
		(void)str_copy(to, size, v);
		return;
	}
}

/* The value of a "key\t: value" line, or NULL when it is another key. */
static char *value_of(char *line, const char *key)
{
	char *colon = strchr(line, ':');
	size_t n = strlen(key);

	if (!colon || strncmp(line, key, n) != 0 ||
		(line[n] != '\t' && line[n] != ' ' && line[n] != ':'))
		return NULL;
	colon++;
	colon += strspn(colon, " \t");
	colon[strcspn(colon, "\n")] = '\0';
	return colon;
}

/* Counts distinct pairs of package and core. */
struct cores {
	long package;
	long seen[CORES_MAX];
	size_t n;
};

static void add_core(struct cores *c, long core)
{
	long id = c->package * 65536 + core;

	for (size_t i = 0; i < c->n; i++)
		if (c->seen[i] == id)
			return;
	if (c->n < CORES_MAX)
		c->seen[c->n++] = id;
}

static void take_cpu_line(struct host_info *h, struct cores *c, char *line)
{
	char *v;

	if ((v = value_of(line, "model name")) && !*h->cpu_model)
		(void)str_copy(h->cpu_model, sizeof(h->cpu_model), v);
	else if ((v = value_of(line, "vendor_id")) && !*h->cpu_vendor)
		(void)str_copy(h->cpu_vendor, sizeof(h->cpu_vendor), v);
	else if ((v = value_of(line, "cpu MHz")) && h->cpu_mhz == 0)
		(void)str_to_double(v, &h->cpu_mhz, NULL);
	else if ((v = value_of(line, "physical id")))
		c->package = strtol(v, NULL, 10);
	else if ((v = value_of(line, "core id")))
		add_core(c, strtol(v, NULL, 10));
}

static void read_cpu(struct host_info *h)
{
	_cleanup_(free_p) struct cores *c = calloc(1, sizeof(*c));
	_cleanup_(fclose_p) FILE *f = fopen("/proc/cpuinfo", "re");
	char line[4096];

	if (!c)
		abort();
	while (f && fgets(line, sizeof(line), f))
		take_cpu_line(h, c, line);
	h->cpu_cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
	h->cpu_physical_cores = c->n ? (int)c->n : h->cpu_cores;
}

static int64_t read_boot_time(void)
{
	_cleanup_(fclose_p) FILE *f = fopen("/proc/stat", "re");
	char line[4096];
	int64_t t = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "btime %" SCNd64, &t) == 1)
			break;
	return t;
}

void host_info_read(struct host_info *h)
{
	struct utsname u;

	*h = (struct host_info){0};
	read_os(h->os, sizeof(h->os));
	if (uname(&u) == 0) {
		(void)str_copy(h->kernel, sizeof(h->kernel), u.release);
		(void)str_copy(h->architecture, sizeof(h->architecture), u.machine);
	}
	read_cpu(h);
	h->boot_time = read_boot_time();
}
