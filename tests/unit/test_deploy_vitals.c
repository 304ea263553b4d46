/* SPDX-License-Identifier: Apache-2.0
 *
 * What deploys know from the measurements.
 */
#include <sys/statvfs.h>

#include "agent/deploy_vitals.h"
#include "tests/unit/containers_case.h"

static struct entity *host(struct registry *r)
{
	struct entity *e;

	registry_begin(r);
	e = registry_get(r, &class_host, "host");
	entity_read_at(e, 1000000000);
	return e;
}

START_TEST(room_is_what_is_free_where_there_is_least)
{
	struct registry *r = registry_new();
	int64_t disk = 0, memory = 0;
	struct statvfs v;

	entity_gauge(host(r), HOST_memory_available_bytes, 5e8);
	deploy_vitals_room(r, "/proc", "/", &disk, &memory);
	ck_assert_int_eq(disk, 0);
	ck_assert_int_eq(memory, 500000000);
	deploy_vitals_room(r, "/", "/proc", &disk, &memory);
	ck_assert_int_eq(disk, 0);
	/* A server without Docker. */
	deploy_vitals_room(r, "/", "/nonexistent/docker", &disk, &memory);
	ck_assert_int_eq(statvfs("/", &v), 0);
	ck_assert_int_gt(disk, 0);
	ck_assert_int_le(disk, (int64_t)(v.f_bfree * v.f_frsize) + (1 << 30));
	registry_free(r);
}
END_TEST

START_TEST(what_is_not_known_holds_nothing_up)
{
	struct registry *r = registry_new();
	int64_t disk = 0, memory = 0;

	deploy_vitals_room(r, "/nonexistent", NULL, &disk, &memory);
	ck_assert_int_eq(disk, INT64_MAX);
	ck_assert_int_eq(memory, INT64_MAX);
	ck_assert(!deploy_vitals_is_tight(r, NULL, 0));
	registry_free(r);
}
END_TEST

static const struct {
	double some, full;
	bool tight;
} pressures[] = {
	{0, 0, false},
	{39, 9, false},
	{40, 0, true},
	{10, 10, true},
	{NAN, NAN, false},
	{NAN, 80, true},
};

START_TEST(there_is_no_memory_for_a_build_while_programs_wait_for_it)
{
	struct registry *r = registry_new();
	struct entity *e = host(r);
	int64_t disk, memory;
	char why[100] = "";

	entity_gauge(e, HOST_memory_available_bytes, 5e8);
	entity_gauge(e, HOST_pressure_memory_some_percent, pressures[_i].some);
	e->values[HOST_pressure_memory_some_percent] = pressures[_i].some;
	e->values[HOST_pressure_memory_full_percent] = pressures[_i].full;
	ck_assert_int_eq(deploy_vitals_is_tight(r, why, sizeof(why)), pressures[_i].tight);
	deploy_vitals_room(r, "/", NULL, &disk, &memory);
	ck_assert_int_eq(memory, pressures[_i].tight ? 0 : 500000000);
	ck_assert_int_eq(*why != '\0', pressures[_i].tight);
	if (_i == 5)
		ck_assert_str_eq(why, "programs wait for memory 80 % of the time");
	registry_free(r);
}
END_TEST

START_TEST(a_version_is_known_by_its_container)
{
	struct deploys_vitals v = {.known = true};

	deploy_vitals_read(NULL, "shop-11", &v);
	ck_assert(!v.known);
	containers_case_begin("cgroup-v2-docker");
	write_config(ID_E, "shop-11", "2026-11-21T05:00:00Z",
		"\"agent.app\":\"shop\",\"agent.deploy\":\"11\"");
	recorded_edit(DOCKER_FILE(ID_E), "\"RestartCount\":0", "\"RestartCount\":2");
	add_container(ID_E, "");
	containers_case_sample(100);
	deploy_vitals_read(containers, "shop-11", &v);
	ck_assert(v.known && v.running);
	ck_assert_uint_eq(v.restarts, 2);
	ck_assert_uint_eq(v.oom_kills, 0);
	deploy_vitals_read(containers, "shop-10", &v);
	ck_assert(!v.known && !v.running);
	deploy_vitals_read(containers, "/nix/var/nix/profiles/agent-shop", &v);
	ck_assert(!v.known);
	containers_case_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_vitals");
	TCase *tc = tcase_create("deploy_vitals");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, room_is_what_is_free_where_there_is_least);
	tcase_add_test(tc, what_is_not_known_holds_nothing_up);
	tcase_add_loop_test(tc, there_is_no_memory_for_a_build_while_programs_wait_for_it, 0,
		(int)(sizeof(pressures) / sizeof(*pressures)));
	tcase_add_test(tc, a_version_is_known_by_its_container);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
