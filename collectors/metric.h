/* SPDX-License-Identifier: Apache-2.0
 *
 * The metric tables: the single source for RRD data sources, JSON keys, Prometheus names and help,
 * rule names, dashboard titles and units, and the reference page. The rows are in metrics.def, one
 * per metric; a row gives the table entry and the enum value CLASS_name used by the code that reads
 * it.
 */
#ifndef COLLECTORS_METRIC_H
#define COLLECTORS_METRIC_H

#include <stdbool.h>
#include <stddef.h>

enum metric_kind {
	METRIC_GAUGE, /* a level, used as it is */
	METRIC_RATE, /* read as a counter; the value is its increase per second times `scale` */
	/* a counter too; the value is its increase since the last sample times `scale` */
	METRIC_DELTA,
};

enum metric_unit {
	UNIT_NONE, /* a count */
	UNIT_PERCENT,
	UNIT_BYTES,
	UNIT_BYTES_PER_SECOND,
	UNIT_PER_SECOND,
	UNIT_SECONDS,
	UNIT_CORES,
	UNIT_CELSIUS,
	UNIT_BOOLEAN,
};

struct metric {
	/* as in rules, JSON: "cpu_used_percent"; the full name is "host.cpu_used_percent" */
	const char *name;
	/* RRD data source, 1 to 19 characters [a-zA-Z0-9_]; NULL when it is not stored */
	const char *ds;
	enum metric_kind kind;
	enum metric_unit unit;
	double scale;
	const char *title; /* for a chart: "CPU used" */
	const char *doc; /* one sentence */
	const char *prom; /* Prometheus metric; NULL when it is not exported */
	const char *prom_labels; /* fixed labels: "mode=\"user\""; may be NULL */
	double prom_scale; /* exported value = (counter total or gauge value) x prom_scale */
};

enum { CLASS_MAX_LABELS = 6 };

/* A kind of thing that has a chart page. */
struct entity_class {
	const char *name; /* "container" */
	const char *plural; /* "containers" */
	const char *doc;
	const struct metric *metrics;
	size_t n_metrics;
	/* Entity labels exported to Prometheus, {entity label, Prometheus label}, ended by NULL. */
	const char *prom_labels[CLASS_MAX_LABELS][2];
};

#define METRIC_ENUM(class_, name, ...) class_##_##name,
enum host_metric {
#define HOST(...) METRIC_ENUM(HOST, __VA_ARGS__)
#include "collectors/metrics.def"
	HOST_METRICS
};
enum core_metric {
#define CORE(...) METRIC_ENUM(CORE, __VA_ARGS__)
#include "collectors/metrics.def"
	CORE_METRICS
};
enum filesystem_metric {
#define FILESYSTEM(...) METRIC_ENUM(FILESYSTEM, __VA_ARGS__)
#include "collectors/metrics.def"
	FILESYSTEM_METRICS
};
enum disk_metric {
#define DISK(...) METRIC_ENUM(DISK, __VA_ARGS__)
#include "collectors/metrics.def"
	DISK_METRICS
};
enum interface_metric {
#define INTERFACE(...) METRIC_ENUM(INTERFACE, __VA_ARGS__)
#include "collectors/metrics.def"
	INTERFACE_METRICS
};
enum sensor_metric {
#define SENSOR(...) METRIC_ENUM(SENSOR, __VA_ARGS__)
#include "collectors/metrics.def"
	SENSOR_METRICS
};
/* Containers and systemd services are both cgroups and share one table. */
enum cgroup_metric {
#define CGROUP(...) METRIC_ENUM(CGROUP, __VA_ARGS__)
#include "collectors/metrics.def"
	CGROUP_METRICS
};
/* An app that the agent deploys, asked by itself (health.path). */
enum app_metric {
#define APP(...) METRIC_ENUM(APP, __VA_ARGS__)
#include "collectors/metrics.def"
	APP_METRICS
};
enum agent_metric {
#define AGENT(...) METRIC_ENUM(AGENT, __VA_ARGS__)
#include "collectors/metrics.def"
	AGENT_METRICS
};

extern const struct entity_class class_agent;
extern const struct entity_class class_app;
extern const struct entity_class class_container;
extern const struct entity_class class_core;
extern const struct entity_class class_disk;
extern const struct entity_class class_filesystem;
extern const struct entity_class class_host;
extern const struct entity_class class_interface;
extern const struct entity_class class_sensor;
extern const struct entity_class class_service;

/* All classes, alphabetical, ended by NULL. */
extern const struct entity_class *const entity_classes[];

/* NULL when there is none of that name. */
const struct entity_class *entity_class_find(const char *name);
/* Index of the metric, or -1. */
int metric_find(const struct entity_class *c, const char *name);
const char *metric_unit_name(enum metric_unit u); /* "percent", "bytes", "bytes_per_second", ... */

#endif
