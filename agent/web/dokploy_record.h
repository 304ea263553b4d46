/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of Dokploy's monitoring protocol (https://github.com/Dokploy/dokploy, apps/monitoring),
 * so that its charts can be fed by this agent. Pure. Formats as there: a server record has its
 * numbers as texts with two decimals, memory and disk in GiB, traffic in MiB since the start of the
 * system; a container record has numbers with a unit beside each. Unlike there the unit of a number
 * is the same in all records of an answer, since Dokploy's charts draw the bare numbers, and bears
 * its right name (MiB, not MB). The protocol has no unknown values: Dokploy's page breaks on null,
 * so they are 0.
 */
#ifndef AGENT_WEB_DOKPLOY_RECORD_H
#define AGENT_WEB_DOKPLOY_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/buf.h"

/* What does not change. Texts may be NULL. */
struct dokploy_facts {
	const char *cpu_model; /* "VENDOR MODEL" */
	int cpu_cores;
	int cpu_physical_cores;
	double cpu_mhz;
	const char *os;
	const char *kernel;
	const char *architecture;
};

/* NaN: unknown. */
struct dokploy_server {
	time_t at;
	double cpu_percent;
	double memory_percent;
	double memory_used_bytes;
	double memory_total_bytes;
	double uptime_seconds;
	double disk_percent; /* of "/" */
	double disk_total_bytes;
	double received_bytes; /* since the start of the system */
	double sent_bytes;
};

void dokploy_server_record(
	struct buf *b, const struct dokploy_facts *f, const struct dokploy_server *s);

struct dokploy_container {
	time_t at;
	double cpu_percent;
	double memory_used_bytes;
	double received_bytes; /* since its start, as the next three */
	double sent_bytes;
	double read_bytes;
	double written_bytes;
};

struct dokploy_container_facts {
	const char *id; /* 12 hex digits */
	const char *name;
	double memory_total_bytes; /* its limit, else the server's memory */
};

/* All records, comma between them. */
void dokploy_container_records(struct buf *b, const struct dokploy_container_facts *f,
	const struct dokploy_container *list, size_t n);

/* Turns rates into what a counter would have shown: out[n - 1] = total_now, and each one before
 * is smaller by what came after it. Never below 0; unknown rates count as 0. An unknown
 * total_now: the counter is taken to start at the first. `stride` as in struct rrd_series. */
void dokploy_accumulate(const double *rates, size_t n, size_t stride, double seconds,
	double total_now, double *out, size_t out_stride);

/* How well a container of the entities list fits an app: 0 not at all. Equal to its stable name
 * or container name, or the name with a swarm task ("app.1.k2x...") or a replica number
 * ("app-1") behind it. */
int dokploy_match(const char *app, const char *key, const char *container_name);

/* The first 12 digits of a container id, from the id itself or the path of its cgroup; ""
 * without one. At least 13 bytes. */
void dokploy_short_id(char *to, const char *text);

/* Number of records asked for: the default for anything that is no positive number, at most
 * DOKPLOY_RECORDS_MAX ("all"). */
enum { DOKPLOY_RECORDS_DEFAULT = 50, DOKPLOY_RECORDS_MAX = 5000 };
size_t dokploy_limit(const char *text);

#endif
