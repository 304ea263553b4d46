/* SPDX-License-Identifier: Apache-2.0
 *
 * What rules cost: 200 of them over 1,000 containers whose values change with each sample. Half are
 * plain limits, half look at a window; rules over the same window share it. Prints CPU time per sample
 * and its share of the target, and memory. Ends with 1 when the target is missed.
 *
 *   rules [ENTITIES [RULES [WINDOWS]]]    WINDOWS: different windows per entity
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/str.h"
#include "notify/alerts.h"

enum {
	WARM_UP = 50,
	SAMPLES = 200,
	INTERVAL_MS = 20000,
	RULES_BENCH_MAX = 1000,
	CACHES_BYTES = 128 << 20
};

static const double target_ms = 2;
static const char *const schema[] = {ALERTS_SCHEMA SILENCE_SCHEMA};

static const char *const metrics[] = {"cpu_used_percent", "cpu_user_percent", "cpu_system_percent",
	"cpu_limit_used_percent", "cpu_throttled_percent", "memory_used_bytes",
	"memory_used_percent", "memory_anon_bytes", "memory_file_bytes", "memory_swap_bytes",
	"disk_read_bytes_per_second", "disk_written_bytes_per_second", "disk_reads_per_second",
	"disk_writes_per_second", "network_received_bytes_per_second",
	"network_sent_bytes_per_second", "processes", "pressure_cpu_some_percent",
	"pressure_memory_some_percent", "pressure_io_some_percent"};
static const char *const hows[] = {"average", "maximum", "minimum", "sum"};

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "%s\n", what);
	exit(1);
}

/* Never over its limit: what is measured is the ordinary sample. */
static struct rule_settings one_rule(size_t i, size_t windows)
{
	size_t n = sizeof(metrics) / sizeof(metrics[0]);
	bool has_window = i % 2 == 1;
	size_t which = has_window ? i / 2 % windows : i / 2;
	struct rule_settings s;

	rule_settings_init(&s);
	s.name = str_format("bench-%zu", i);
	s.metric = str_format("container.%s", metrics[which % n]);
	s.warning = "> 2000";
	s.critical = "> 3000";
	s.for_ms = 60000;
	if (has_window) {
		s.how = hows[which / n % 4];
		s.window_ms = (int64_t)(5 + which / n / 4 * 5) * 60000;
	}
	if (s.how && *s.how == 's')
		s.warning = s.critical = "> 200000";
	return s;
}

static struct rule_set *make_rules(size_t n, size_t windows)
{
	static struct rule_settings all[RULES_BENCH_MAX + 200];
	struct rule_set *set;
	struct err e;
	size_t i = 0;

	for (; i < n; i++)
		all[i] = one_rule(i, windows);
	for (size_t j = 0; j < rules_builtin_count; j++) {
		rule_settings_init(&all[i]);
		all[i].name = rules_builtin[j].name;
		all[i++].enabled = 0;
	}
	if (rule_set_new(all, i, &set, &e) < 0)
		die(e.msg);
	return set;
}

static void fill(struct registry *r, size_t n_entities, unsigned sample)
{
	char key[32];

	registry_begin(r);
	for (size_t i = 0; i < n_entities; i++) {
		struct entity *e;

		(void)snprintf(key, sizeof(key), "shop-%zu", i);
		e = registry_get(r, &class_container, key);
		if (!e)
			die("too many entities");
		for (size_t m = 0; m < e->class->n_metrics; m++)
			e->values[m] = (double)((i * 7 + m * 13 + sample * 31) % 1000);
	}
	registry_sweep(r, NULL, NULL);
}

/* Twenty seconds lie between two samples: what they left in the caches is gone by then. */
static void cool_caches(void)
{
	static unsigned char other[CACHES_BYTES];

	for (size_t i = 0; i < sizeof(other); i += 64)
		other[i]++;
}

static double cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double measure(struct alerts *a, struct registry *r, size_t n_entities)
{
	double spent = 0;

	for (unsigned i = 0; i < WARM_UP + SAMPLES; i++) {
		double before;

		fill(r, n_entities, i);
		cool_caches();
		before = cpu_ms();
		alerts_evaluate(a, r, 1795237260000 + (int64_t)i * INTERVAL_MS);
		if (i >= WARM_UP)
			spent += cpu_ms() - before;
	}
	if (alerts_has_changes(a))
		die("a rule of the bench fired");
	return spent / SAMPLES;
}

static size_t number(int argc, char **argv, int i, size_t otherwise, size_t most)
{
	uint64_t v;
	struct err e;

	if (i >= argc)
		return otherwise;
	if (str_to_u64(argv[i], &v, &e) < 0 || v == 0 || v > most)
		die("usage: rules [ENTITIES [RULES [WINDOWS]]]");
	return (size_t)v;
}

int main(int argc, char **argv)
{
	size_t n_entities = number(argc, argv, 1, 1000, REGISTRY_ENTITIES_MAX);
	size_t n_rules = number(argc, argv, 2, 200, RULES_BENCH_MAX);
	size_t n_windows = number(argc, argv, 3, 20, RULES_BENCH_MAX);
	struct alerts_options o = {.host = "bench", .interval_ms = INTERVAL_MS};
	struct registry *r = registry_new();
	struct silences *silences;
	struct alerts *a;
	struct db *db;
	struct err e;
	size_t before, after;
	double ms;

	if (db_open(":memory:", schema, 1, &db, &e) < 0 || silences_new(db, 0, &silences, &e) < 0)
		die(e.msg);
	fill(r, n_entities, 0);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	if (alerts_new(db, &o, make_rules(n_rules, n_windows), silences, &a, &e) < 0)
		die(e.msg);
	ms = measure(a, r, n_entities);
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	(void)printf("rules: %zu rules over %zu containers, %zu windows each: %.2f ms of CPU per "
		     "sample (target %.0f ms: %.0f %%), %.1f ns per rule and container, %.1f MB\n",
		n_rules, n_entities, n_windows, ms, target_ms, ms / target_ms * 100,
		ms * 1e6 / (double)(n_rules * n_entities), (double)(after - before) / 1e6);
	alerts_free(a);
	silences_free(silences);
	registry_free(r);
	db_close(db);
	return ms > target_ms;
}
