/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/cpuinfo.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { CORES_MAX = 4096, VALUE_MAX = 96 };

struct parse {
	struct cpuinfo *out;
	char vendor[32];
	char model[VALUE_MAX];
	long package; /* of the processor block at hand */
	uint64_t seen[CORES_MAX]; /* package and core */
	int n_seen;
};

static void see_core(struct parse *p, long core)
{
	uint64_t id = (uint64_t)p->package << 32 | (uint64_t)core;

	for (int i = 0; i < p->n_seen; i++)
		if (p->seen[i] == id)
			return;
	if (p->n_seen < CORES_MAX)
		p->seen[p->n_seen++] = id;
}

static void take(struct parse *p, const char *name, const char *value)
{
	if (strcmp(name, "processor") == 0)
		p->out->cores++;
	else if (strcmp(name, "vendor_id") == 0)
		(void)str_copy(p->vendor, sizeof(p->vendor), value);
	else if (strcmp(name, "model name") == 0)
		(void)str_copy(p->model, sizeof(p->model), value);
	else if (strcmp(name, "cpu MHz") == 0 && p->out->mhz == 0)
		(void)str_to_double(value, &p->out->mhz, NULL);
	else if (strcmp(name, "physical id") == 0)
		p->package = strtol(value, NULL, 10);
	else if (strcmp(name, "core id") == 0)
		see_core(p, strtol(value, NULL, 10));
}

/* "name<tabs>: value" */
static void take_line(struct parse *p, const char *line, size_t len)
{
	char name[32], value[VALUE_MAX];
	const char *colon = memchr(line, ':', len);
	size_t n = colon ? (size_t)(colon - line) : 0;

	while (n > 0 && (line[n - 1] == '\t' || line[n - 1] == ' '))
		n--;
	if (n == 0 || n >= sizeof(name))
		return;
	memcpy(name, line, n);
	name[n] = '\0';
	for (colon++; colon < line + len && *colon == ' '; colon++)
		;
	n = (size_t)(line + len - colon);
	if (n >= sizeof(value))
		n = sizeof(value) - 1;
	memcpy(value, colon, n);
	value[n] = '\0';
	take(p, name, value);
}

void cpuinfo_parse(const char *text, struct cpuinfo *out)
{
	struct parse *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	memset(out, 0, sizeof(*out));
	p->out = out;
	while (*text) {
		size_t n = strcspn(text, "\n");

		take_line(p, text, n);
		text += n + (text[n] == '\n');
	}
	out->physical_cores = p->n_seen ? p->n_seen : out->cores;
	(void)snprintf(out->model, sizeof(out->model), "%s%s%s", p->vendor,
		*p->vendor && *p->model ? " " : "", p->model);
	free(p);
}
