/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry: every entity that exists now, with its current values. A collector finds or makes
 * its entities by stable name, hands in what it read, and the registry turns counters into rates:
 *
 *     e = registry_get(r, &class_disk, "vda");       made at the first call, marked as seen
 *     entity_read_at(e, now_ns);                     when these numbers were read
 *     entity_counter(e, DISK_read_bytes_per_second, bytes_total);
 *     entity_gauge(e, DISK_read_latency_seconds, seconds);
 *
 * A rate covers the whole time between two reads of this counter, so a short peak is never missed.
 * Unknown is NaN, never 0: the first read of a counter, a counter that went backwards, and what was
 * not handed in. Pure: no I/O, no clock.
 */
#ifndef COLLECTORS_ENTITY_H
#define COLLECTORS_ENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/metric.h"

enum {
	ENTITY_KEY_MAX = 200, /* bytes; a longer name is cut and given a hash */
	ENTITY_LABELS_MAX = 16,
	ENTITY_LABEL_MAX = 400, /* bytes of a label value; longer ones are cut */
	REGISTRY_ENTITIES_MAX = 20000,
};

struct label {
	const char *name; /* static storage */
	char *value;
};

struct entity {
	const struct entity_class *class;
	char *key; /* stable name, valid UTF-8, no control characters */
	double *values; /* class->n_metrics; NaN: unknown */
	double *increases; /* of counters in this sample, unscaled; NaN: unknown */
	double *totals; /* counters as last read; NaN: never, or gauge */
	int64_t *counted_ns; /* when each of them was */
	const char **missing; /* why a value cannot be had (static storage), or NULL */
	struct label labels[ENTITY_LABELS_MAX];
	size_t n_labels;
	unsigned labelled; /* how often a label has changed */
	/* Here only while one version of an app replaces another: shown, but no history is kept, and nobody is told when it goes. */
	bool passing;
	int64_t read_ns; /* of this sample; 0: not read in this sample */
	int64_t last_read_ns; /* of the sample before; 0: none */
	unsigned seen; /* sample number of the last registry_get() */
	unsigned first_seen;
	void *owner; /* for the store: its state of this entity */
	void *watcher; /* for the rules: theirs */
	struct entity *next; /* registry order: by class, then by age */
	struct entity *next_in_bucket;
};

struct registry;

struct registry *registry_new(void);
void registry_free(struct registry *r);

/* Starts sample number n+1: all values become unknown, nothing is marked as seen. */
void registry_begin(struct registry *r);
unsigned registry_sample(const struct registry *r); /* 0 before the first */

/* Finds or makes. `key` may be anything: it is made valid (control characters and broken UTF-8
 * become '_', cut at ENTITY_KEY_MAX; an empty key becomes "_"). NULL when REGISTRY_ENTITIES_MAX
 * is reached. */
struct entity *registry_get(struct registry *r, const struct entity_class *c, const char *key);
struct entity *registry_find(
	const struct registry *r, const struct entity_class *c, const char *key);
struct entity *registry_first(const struct registry *r); /* then ->next */
size_t registry_count(const struct registry *r);

/* Calls `gone` for each entity not seen in this sample, then removes it. */
typedef void (*registry_gone_fn)(void *user, struct entity *e);
void registry_sweep(struct registry *r, registry_gone_fn gone, void *user);

/* When the numbers that follow were read, CLOCK_MONOTONIC nanoseconds. Before entity_counter();
 * each source that fills the same entity says its own time. Gauges need it too: what was not
 * read in a sample is not stored. */
void entity_read_at(struct entity *e, int64_t now_ns);
/* For an entity known to have started at start_ns with all counters at 0 (a cgroup made a moment
 * ago): its first read already gives rates. Before the first entity_read_at(). */
void entity_started_at(struct entity *e, int64_t start_ns);
/* Forgets all counters: the next read is a first read (the container behind the name was replaced). */
void entity_rebase(struct entity *e);

void entity_gauge(struct entity *e, size_t metric, double v);
/* `total` is the counter as read, in the unit the metric's row scales from. */
void entity_counter(struct entity *e, size_t metric, double total);
/* Says why a metric is unknown; `reason` has static storage, one short sentence for the user. */
void entity_missing(struct entity *e, size_t metric, const char *reason);
double entity_value(const struct entity *e, size_t metric);
/* Increase of a counter in this sample, unscaled; NaN when unknown. */
double entity_increase(const struct entity *e, size_t metric);

/* Sets or replaces a label. `name` has static storage. NULL or "" removes it. */
void entity_label(struct entity *e, const char *name, const char *value);
const char *entity_label_get(const struct entity *e, const char *name); /* NULL when absent */

#endif
