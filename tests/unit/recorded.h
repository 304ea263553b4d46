/* SPDX-License-Identifier: Apache-2.0
 *
 * A collector on a recorded /proc and /sys tree (tests/fixtures/NAME), copied aside so that a test
 * can change counters between samples.
 */
#ifndef TESTS_UNIT_RECORDED_H
#define TESTS_UNIT_RECORDED_H

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <sys/wait.h>

#include "collectors/collector.h"
#include "tests/unit/scratch.h"

#define SECOND_NS 1000000000LL

static struct collect_ctx recorded;
static struct collect_options recorded_options;
static void *recorded_state;
static const struct collector *recorded_collector;
static struct err recorded_error;

static inline void recorded_copy(const char *fixture)
{
	char from[128];
	char cp[] = "cp", flags[] = "-RP";
	char *argv[] = {cp, flags, from, scratch, NULL};
	char *env[] = {NULL};
	int status;
	pid_t pid;

	(void)snprintf(from, sizeof(from), "tests/fixtures/%s/.", fixture);
	ck_assert_int_eq(posix_spawnp(&pid, "cp", NULL, NULL, argv, env), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static inline int recorded_dir(const char *name)
{
	return open(scratch_path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Begins with a copy of the tree and a collector that has not run yet. */
static inline void recorded_begin(const char *fixture, const struct collector *c)
{
	scratch_make();
	recorded_copy(fixture);
	recorded_options = (struct collect_options){0};
	recorded = (struct collect_ctx){
		.registry = registry_new(),
		.problems = problems_new(NULL, NULL),
		.options = &recorded_options,
		.root_fd = recorded_dir("."),
		.proc_fd = recorded_dir("proc"),
		.sys_fd = recorded_dir("sys"),
	};
	ck_assert_int_ge(recorded.sys_fd, 0);
	recorded_collector = c;
	recorded_state = calloc(1, c->state_size);
}

static inline void recorded_end(void)
{
	if (recorded_collector->done)
		recorded_collector->done(recorded_state);
	free(recorded_state);
	(void)close(recorded.root_fd);
	(void)close(recorded.proc_fd);
	(void)close(recorded.sys_fd);
	problems_free(recorded.problems);
	registry_free(recorded.registry);
	scratch_remove();
}

/* One sample at a time in seconds; entities not seen in it are gone afterwards. */
static inline int recorded_sample(int64_t at_s)
{
	int r;

	registry_begin(recorded.registry);
	recorded.now_ns = at_s * SECOND_NS;
	recorded.wall_ms = 1795224123000 + at_s * 1000;
	recorded_error.msg[0] = '\0';
	r = recorded_collector->collect(recorded_state, &recorded, &recorded_error);
	registry_sweep(recorded.registry, NULL, NULL);
	return r;
}

static inline void recorded_write(const char *name, const char *text)
{
	scratch_write(name, text, strlen(text));
}

/* Replaces the one place in a file where `from` stands. */
static inline void recorded_edit(const char *name, const char *from, const char *to)
{
	static char text[65536], out[2 * 65536];
	size_t n = scratch_read(name, text, sizeof(text) - 1);
	char *at;

	text[n] = '\0';
	at = strstr(text, from);
	ck_assert_msg(at != NULL, "%s does not have \"%s\"", name, from);
	ck_assert_msg(!strstr(at + 1, from), "%s has \"%s\" twice", name, from);
	*at = '\0';
	(void)snprintf(out, sizeof(out), "%s%s%s", text, to, at + strlen(from));
	recorded_write(name, out);
}

static inline const struct entity *recorded_find(const struct entity_class *c, const char *key)
{
	return registry_find(recorded.registry, c, key);
}

static inline double recorded_value(const struct entity_class *c, const char *key, size_t metric)
{
	const struct entity *e = recorded_find(c, key);

	ck_assert_msg(e != NULL, "there is no %s %s", c->name, key);
	return entity_value(e, metric);
}

static inline double recorded_host(size_t metric)
{
	return recorded_value(&class_host, "host", metric);
}

static inline const char *recorded_why(size_t metric)
{
	const char *why = recorded_find(&class_host, "host")->missing[metric];

	return why ? why : "";
}

static inline size_t recorded_count(const struct entity_class *c)
{
	size_t n = 0;

	for (const struct entity *e = registry_first(recorded.registry); e; e = e->next)
		n += e->class == c;
	return n;
}

#define ck_near(got, want) ck_assert_double_eq_tol(got, want, 1e-6 * (1 + fabs((double)(want))))

/* Runs the cases of one table. */
static inline int run_tests(const char *name, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *sr = srunner_create(s);
	int failed;

	for (size_t i = 0; i < n; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}

#define RUN_TESTS(name, ...)                                                                       \
	int main(void)                                                                             \
	{                                                                                          \
		const TTest *const tests[] = {__VA_ARGS__};                                        \
		return run_tests(name, tests, sizeof(tests) / sizeof(*tests));                     \
	}

#endif
