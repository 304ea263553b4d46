/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/entity.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { BUCKETS = 256 };

/* The list is kept in the order of entity_classes[], so that consumers see one class after the
 * other. */
struct registry {
	struct entity *first;
	struct entity *buckets[BUCKETS];
	size_t count;
	unsigned sample;
};

static void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

/* FNV-1a, 32 bits (IETF draft-eastlake-fnv). */
static uint32_t hash_text(const char *s)
{
	uint32_t h = 2166136261U;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return h;
}

static struct entity **bucket_of(
	const struct registry *r, const struct entity_class *c, const char *key)
{
	uint32_t h = hash_text(key) * 31 + (unsigned char)c->name[0] + (unsigned char)c->name[1];

	return (struct entity **)&r->buckets[h % BUCKETS];
}

struct registry *registry_new(void)
{
	return xcalloc(1, sizeof(struct registry));
}

static void entity_free(struct entity *e)
{
	for (size_t i = 0; i < e->n_labels; i++)
		free(e->labels[i].value);
	free(e->key);
	free(e->values);
	free(e->totals);
	free(e->missing);
	free(e->increases);
	free(e->counted_ns);
	free(e);
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	while (r->first) {
		struct entity *e = r->first;

		r->first = e->next;
		entity_free(e);
	}
	free(r);
}

static void fill_unknown(double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = NAN;
}

void registry_begin(struct registry *r)
{
	r->sample++;
	for (struct entity *e = r->first; e; e = e->next) {
		size_t n = e->class->n_metrics;

		fill_unknown(e->values, n);
		fill_unknown(e->increases, n);
		memset(e->missing, 0, n * sizeof(*e->missing));
		if (e->read_ns)
			e->last_read_ns = e->read_ns;
		e->read_ns = 0;
	}
}

unsigned registry_sample(const struct registry *r)
{
	return r->sample;
}

size_t registry_count(const struct registry *r)
{
	return r->count;
}

struct entity *registry_first(const struct registry *r)
{
	return r->first;
}

/* A valid key: UTF-8 without control characters, of bounded length, never empty. */
static void clean_key(char *to, const char *key)
{
	size_t n = 0;

	while (*key && n < ENTITY_KEY_MAX) {
		size_t len = str_utf8_char(key);
		bool bad = len == 0 || (unsigned char)*key < 0x20 || *key == 0x7f;

		if (!bad && n + len > ENTITY_KEY_MAX)
			break;
		if (bad) {
			to[n++] = '_';
			key++;
			continue;
		}
		memcpy(to + n, key, len);
		n += len;
		key += len;
	}
	to[n] = '\0';
	if (n == 0)
		memcpy(to, "_", 2);
}

static void make_key(char *to, const char *key)
{
	const size_t tail = 9; /* "~" and 8 digits */
	size_t at = ENTITY_KEY_MAX - tail;

	clean_key(to, key);
	if (strlen(key) <= ENTITY_KEY_MAX)
		return;
	while (at > 0 && ((unsigned char)to[at] & 0xc0) == 0x80)
		at--;
	(void)snprintf(to + at, tail + 1, "~%08x", hash_text(key));
}

static struct entity *find_clean(
	const struct registry *r, const struct entity_class *c, const char *key)
{
	for (struct entity *e = *bucket_of(r, c, key); e; e = e->next_in_bucket)
		if (e->class == c && strcmp(e->key, key) == 0)
			return e;
	return NULL;
}

struct entity *registry_find(
	const struct registry *r, const struct entity_class *c, const char *key)
{
	char clean[ENTITY_KEY_MAX + 1];

	make_key(clean, key);
	return find_clean(r, c, clean);
}

static size_t class_rank(const struct entity_class *c)
{
	size_t i = 0;

	while (entity_classes[i] && entity_classes[i] != c)
		i++;
	return i;
}

static void insert(struct registry *r, struct entity *e)
{
	struct entity **at = &r->first;
	struct entity **bucket = bucket_of(r, e->class, e->key);
	size_t rank = class_rank(e->class);

	while (*at && class_rank((*at)->class) <= rank)
		at = &(*at)->next;
	e->next = *at;
	*at = e;
	e->next_in_bucket = *bucket;
	*bucket = e;
	r->count++;
}

static struct entity *entity_new(const struct entity_class *c, const char *key)
{
	struct entity *e = xcalloc(1, sizeof(*e));

	e->class = c;
	e->key = str_dup(key);
	e->values = xcalloc(c->n_metrics, sizeof(*e->values));
	e->totals = xcalloc(c->n_metrics, sizeof(*e->totals));
	e->increases = xcalloc(c->n_metrics, sizeof(*e->increases));
	e->counted_ns = xcalloc(c->n_metrics, sizeof(*e->counted_ns));
	e->missing = xcalloc(c->n_metrics, sizeof(*e->missing));
	fill_unknown(e->values, c->n_metrics);
	fill_unknown(e->totals, c->n_metrics);
	fill_unknown(e->increases, c->n_metrics);
	return e;
}

struct entity *registry_get(struct registry *r, const struct entity_class *c, const char *key)
{
	char clean[ENTITY_KEY_MAX + 1];
	struct entity *e;

	make_key(clean, key);
	e = find_clean(r, c, clean);
	if (!e) {
		if (r->count >= REGISTRY_ENTITIES_MAX)
			return NULL;
		e = entity_new(c, clean);
		e->first_seen = r->sample;
		insert(r, e);
	}
	e->seen = r->sample;
	return e;
}

static void remove_from_bucket(struct registry *r, const struct entity *e)
{
	struct entity **at = bucket_of(r, e->class, e->key);

	while (*at != e)
		at = &(*at)->next_in_bucket;
	*at = e->next_in_bucket;
}

void registry_sweep(struct registry *r, registry_gone_fn gone, void *user)
{
	struct entity **at = &r->first;

	while (*at) {
		struct entity *e = *at;

		if (e->seen == r->sample) {
			at = &e->next;
			continue;
		}
		if (gone)
			gone(user, e);
		*at = e->next;
		remove_from_bucket(r, e);
		r->count--;
		entity_free(e);
	}
}

void entity_read_at(struct entity *e, int64_t now_ns)
{
	e->read_ns = now_ns;
}

void entity_started_at(struct entity *e, int64_t start_ns)
{
	assert(!e->last_read_ns);
	e->last_read_ns = start_ns;
	for (size_t i = 0; i < e->class->n_metrics; i++) {
		if (e->class->metrics[i].kind == METRIC_GAUGE)
			continue;
		e->totals[i] = 0;
		e->counted_ns[i] = start_ns;
	}
}

void entity_rebase(struct entity *e)
{
	e->last_read_ns = 0;
	fill_unknown(e->totals, e->class->n_metrics);
}

void entity_gauge(struct entity *e, size_t metric, double v)
{
	assert(metric < e->class->n_metrics);
	e->values[metric] = v * e->class->metrics[metric].scale;
}

void entity_counter(struct entity *e, size_t metric, double total)
{
	const struct metric *m = &e->class->metrics[metric];
	double last = e->totals[metric];
	double seconds = (double)(e->read_ns - e->counted_ns[metric]) / 1e9;

	assert(metric < e->class->n_metrics && m->kind != METRIC_GAUGE && e->read_ns);
	e->totals[metric] = total;
	e->counted_ns[metric] = e->read_ns;
	/* A counter that went backwards was reset at an unknown moment: this is a new first read. */
	if (isnan(last) || total < last || seconds <= 0)
		return;
	e->increases[metric] = total - last;
	e->values[metric] = (total - last) * m->scale;
	if (m->kind == METRIC_RATE)
		e->values[metric] /= seconds;
}

void entity_missing(struct entity *e, size_t metric, const char *reason)
{
	assert(metric < e->class->n_metrics);
	e->missing[metric] = reason;
}

double entity_value(const struct entity *e, size_t metric)
{
	return e->values[metric];
}

double entity_increase(const struct entity *e, size_t metric)
{
	return e->increases[metric];
}

/* Returns whether it is another one now. */
static bool set_value(struct label *l, const char *value)
{
	char cut[ENTITY_LABEL_MAX + 1];

	(void)str_copy(cut, sizeof(cut), value);
	if (l->value && strcmp(l->value, cut) == 0)
		return false;
	free(l->value);
	l->value = str_dup(cut);
	return true;
}

void entity_label(struct entity *e, const char *name, const char *value)
{
	size_t i = 0;

	while (i < e->n_labels && strcmp(e->labels[i].name, name) != 0)
		i++;
	if (value && *value) {
		if (i == ENTITY_LABELS_MAX)
			return;
		if (i == e->n_labels)
			e->labels[e->n_labels++] = (struct label){name, NULL};
		e->labelled += set_value(&e->labels[i], value);
	} else if (i < e->n_labels) {
		free(e->labels[i].value);
		e->labels[i] = e->labels[--e->n_labels];
		e->labelled++;
	}
}

const char *entity_label_get(const struct entity *e, const char *name)
{
	for (size_t i = 0; i < e->n_labels; i++)
		if (strcmp(e->labels[i].name, name) == 0)
			return e->labels[i].value;
	return NULL;
}
