/* SPDX-License-Identifier: Apache-2.0
 *
 * The containers of a recorded server (tests/fixtures/cgroup-*), sample by sample.
 */
#ifndef TESTS_UNIT_CONTAINERS_CASE_H
#define TESTS_UNIT_CONTAINERS_CASE_H

#include "collectors/containers.h"
#include "tests/unit/recorded.h"

#define ID_A "a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718"
#define ID_B "b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7"
#define ID_C "c0ffee00c0ffee11c0ffee00c0ffee11c0ffee00c0ffee11c0ffee00c0ffee11"
#define ID_E "e5e6e7e8e9eaebece5e6e7e8e9eaebece5e6e7e8e9eaebece5e6e7e8e9eaebec"
#define SCOPE(id) "sys/fs/cgroup/system.slice/docker-" id ".scope"
#define DOCKER_FILE(id) "var/lib/docker/containers/" id "/config.v2.json"

static struct containers *containers;
static struct containers_options containers_options;

static inline void containers_case_begin(const char *fixture)
{
	scratch_make();
	recorded_copy(fixture);
	recorded = (struct collect_ctx){
		.registry = registry_new(),
		.problems = problems_new(NULL, NULL),
		.root_fd = recorded_dir("."),
		.proc_fd = recorded_dir("proc"),
		.sys_fd = recorded_dir("sys"),
	};
	containers_options.root_fd = recorded.root_fd;
	containers_options.proc_fd = recorded.proc_fd;
	containers_options.sys_fd = recorded.sys_fd;
	ck_assert_int_eq(containers_new(NULL, NULL, &containers_options, recorded.problems,
				 &containers, &recorded_error),
		0);
}

static inline void containers_case_end(void)
{
	containers_free(containers);
	(void)close(recorded.root_fd);
	(void)close(recorded.proc_fd);
	(void)close(recorded.sys_fd);
	problems_free(recorded.problems);
	registry_free(recorded.registry);
	containers_options = (struct containers_options){0};
	scratch_remove();
}

static inline void containers_case_sample(int64_t at_s)
{
	registry_begin(recorded.registry);
	recorded.now_ns = at_s * SECOND_NS;
	recorded.wall_ms = 1795237567000 + at_s * 1000;
	ck_assert_int_eq(containers_sample(containers, &recorded, &recorded_error), 0);
	registry_sweep(recorded.registry, NULL, NULL);
}

static inline double container_value(const char *key, enum cgroup_metric m)
{
	return recorded_value(&class_container, key, m);
}

static inline const char *container_why(const char *key, enum cgroup_metric m)
{
	const struct entity *e = recorded_find(&class_container, key);

	ck_assert_msg(e != NULL, "there is no container %s", key);
	return e->missing[m] ? e->missing[m] : "";
}

static inline const char *container_label(const char *key, const char *label)
{
	const struct entity *e = recorded_find(&class_container, key);
	const char *value;

	ck_assert_msg(e != NULL, "there is no container %s", key);
	value = entity_label_get(e, label);
	return value ? value : "";
}

static inline void write_cpu(
	const char *cgroup, unsigned usec, unsigned periods, unsigned throttled)
{
	char path[400], text[300];

	(void)snprintf(path, sizeof(path), "%s/cpu.stat", cgroup);
	(void)snprintf(text, sizeof(text),
		"usage_usec %u\nuser_usec %u\nsystem_usec 0\nnr_periods %u\nnr_throttled %u\n"
		"throttled_usec 0\n",
		usec, usec, periods, throttled);
	recorded_write(path, text);
}

static inline void add_container(const char *id, const char *procs)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "sys/fs/cgroup/system.slice/docker-%s.scope", id);
	ck_assert_int_eq(mkdir(scratch_path(path), 0700), 0);
	write_cpu(path, 0, 0, 0);
	(void)snprintf(
		path, sizeof(path), "sys/fs/cgroup/system.slice/docker-%s.scope/cgroup.procs", id);
	recorded_write(path, procs);
}

static inline void write_config(
	const char *id, const char *name, const char *started, const char *labels)
{
	char path[300], text[1000];

	(void)snprintf(path, sizeof(path), "var/lib/docker/containers/%s", id);
	(void)mkdir(scratch_path(path), 0700);
	(void)snprintf(path, sizeof(path), DOCKER_FILE("%s"), id);
	(void)snprintf(text, sizeof(text),
		"{\"ID\":\"%s\",\"Name\":\"/%s\",\"RestartCount\":0,\"State\":{\"Running\":true,"
		"\"StartedAt\":\"%s\"},\"Config\":{\"Image\":\"i\",\"Labels\":{%s}}}",
		id, name, started, labels);
	recorded_write(path, text);
}

static inline void containers_case_remove(const char *name)
{
	(void)nftw(scratch_path(name), scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
