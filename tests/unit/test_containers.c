/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "tests/unit/containers_case.h"

START_TEST(containers_and_services_have_names_values_and_labels)
{
	containers_case_begin("cgroup-v2-docker");
	ck_assert_str_eq(containers_cgroup_mode(containers), "v2");
	containers_case_sample(100);
	ck_assert_double_eq(container_value("shop-web", CGROUP_memory_used_bytes), 83886080);
	ck_assert_double_eq(container_value("shop-web", CGROUP_running), 1);
	ck_assert_double_eq(container_value("shop-web", CGROUP_healthy), 1);
	ck_assert_double_eq(container_value("shop-web", CGROUP_start_time_seconds), 1795233600.5);
	ck_assert_str_eq(container_label("shop-web", "id"), "/system.slice/docker-" ID_A ".scope");
	ck_assert_str_eq(container_label("shop-web", "container_id"), ID_A);
	ck_assert_str_eq(container_label("shop-web", "name"), "shop_web_1");
	ck_assert_str_eq(container_label("shop-web", "image"), "shop/web:1.4");
	ck_assert_str_eq(container_label("shop-web", "engine"), "docker");
	ck_assert_str_eq(container_label("shop-web", "state"), "running");
	ck_assert_str_eq(container_label("shop-web", "project"), "shop");
	ck_assert_str_eq(container_label("shop-web", "network"), "bridge");
	ck_assert_str_eq(container_label("dind", "network"), "host");
	ck_assert_str_eq(container_label("probe", "network"), "shared with shop_web_1");
	ck_assert_str_eq(container_why("probe", CGROUP_healthy), "it has no health check");
	ck_assert_double_eq(
		recorded_value(&class_service, "nginx", CGROUP_memory_used_bytes), 9437184);
	ck_near(recorded_value(&class_service, "nginx", CGROUP_start_time_seconds), 1795001234.5);
	ck_assert_uint_eq(recorded_count(&class_service), 1);
	ck_assert_uint_eq(problems_count(recorded.problems), 0);
	containers_case_end();
}
END_TEST

START_TEST(rates_cover_the_time_between_samples)
{
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	ck_assert(isnan(container_value("shop-web", CGROUP_cpu_used_percent)));
	ck_assert_str_eq(
		container_why("shop-web", CGROUP_cpu_used_percent), "a rate needs a second sample");
	ck_assert_str_eq(container_why("shop-web", CGROUP_cpu_limit_used_percent),
		"a rate needs a second sample");
	write_cpu(SCOPE(ID_A), 35000000, 1100, 300);
	containers_case_sample(120);
	ck_near(container_value("shop-web", CGROUP_cpu_used_percent), 25);
	ck_near(container_value("shop-web", CGROUP_cpu_limit_used_percent), 50);
	ck_near(container_value("shop-web", CGROUP_cpu_throttled_percent), 50);
	ck_near(container_value("dind", CGROUP_cpu_used_percent), 0);
	ck_assert_str_eq(container_why("dind", CGROUP_cpu_throttled_percent), "no limit is set");
	/* A limit, but no period in which it ran: nothing was throttled. */
	containers_case_sample(140);
	ck_assert_double_eq(container_value("shop-web", CGROUP_cpu_throttled_percent), 0);
	containers_case_end();
}
END_TEST

/* C.4, trap 8. */
START_TEST(trap_a_counter_that_jumps_raises_no_alarm)
{
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	write_cpu(SCOPE(ID_A), 4000000000, 1000, 250);
	write_cpu(SCOPE(ID_C), 9000000 + 21000000 * 2, 0, 0);
	containers_case_sample(120);
	ck_assert(isnan(container_value("shop-web", CGROUP_cpu_used_percent)));
	ck_assert_str_eq(
		container_why("shop-web", CGROUP_cpu_used_percent), "the kernel's counter jumped");
	/* A little over two cores, on two cores, is the clock's doing. */
	ck_assert_double_eq(container_value("dind", CGROUP_cpu_used_percent), 200);
	containers_case_end();
}
END_TEST

/* C.4, trap 8: restarted in place. */
START_TEST(trap_a_counter_that_goes_back_is_a_new_first_read)
{
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	write_cpu(SCOPE(ID_A), 1000, 0, 0);
	containers_case_sample(120);
	ck_assert(isnan(container_value("shop-web", CGROUP_cpu_used_percent)));
	write_cpu(SCOPE(ID_A), 1000 + 2000000, 0, 0);
	containers_case_sample(140);
	ck_near(container_value("shop-web", CGROUP_cpu_used_percent), 10);
	containers_case_end();
}
END_TEST

/* C.4, trap 3: docker in docker, and systemd's services in a container. */
START_TEST(trap_nested_cgroups_are_part_of_their_container)
{
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	ck_assert_uint_eq(recorded_count(&class_container), 4); /* three that run, one that ended */
	ck_assert_ptr_null(recorded_find(&class_service, "cron"));
	ck_assert_double_eq(container_value("dind", CGROUP_memory_usage_bytes), 209715200);
	containers_case_end();
}
END_TEST

/* C.4, trap 7. */
START_TEST(trap_a_network_used_by_two_is_counted_once)
{
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	recorded_edit("proc/700/net/dev", "1000000", "1020000");
	recorded_edit("proc/720/net/dev", "1000000", "1020000");
	containers_case_sample(120);
	ck_near(container_value("shop-web", CGROUP_network_received_bytes_per_second), 1000);
	ck_assert(isnan(container_value("probe", CGROUP_network_received_bytes_per_second)));
	ck_assert_ptr_nonnull(
		strstr(container_why("probe", CGROUP_network_received_bytes_per_second), "shares"));
	ck_assert_str_eq(container_why("dind", CGROUP_network_received_bytes_per_second),
		"it uses the server's own network");
	/* When the owner goes, the other one is the owner: a first read, then rates. */
	containers_case_remove(SCOPE(ID_A));
	containers_case_sample(140);
	recorded_edit("proc/720/net/dev", "1020000", "1060000");
	containers_case_sample(160);
	ck_near(container_value("probe", CGROUP_network_received_bytes_per_second), 2000);
	containers_case_end();
}
END_TEST

/* C.4, trap 1. */
START_TEST(trap_a_container_that_ends_goes_without_an_error)
{
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	containers_case_remove(SCOPE(ID_B));
	containers_case_remove("var/lib/docker/containers/" ID_B);
	containers_case_sample(120);
	ck_assert_ptr_null(recorded_find(&class_container, "probe"));
	ck_assert_uint_eq(problems_count(recorded.problems), 0);
	containers_case_end();
}
END_TEST

START_TEST(a_container_that_is_stopped_stays_with_running_0)
{
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	ck_assert_double_eq(container_value("old-job", CGROUP_running), 0);
	ck_assert_str_eq(container_label("old-job", "state"), "exited");
	ck_assert_str_eq(container_why("old-job", CGROUP_memory_used_bytes), "it does not run");
	ck_assert(isnan(container_value("old-job", CGROUP_memory_used_bytes)));
	/* Docker notes the end a moment after the cgroup is gone. */
	containers_case_remove(SCOPE(ID_B));
	containers_case_sample(120);
	ck_assert_double_eq(container_value("probe", CGROUP_running), 0);
	ck_assert_str_eq(container_label("probe", "state"), "exited");
	recorded_edit(DOCKER_FILE(ID_B), "\"Running\":true", "\"Running\":false");
	containers_case_sample(140);
	ck_assert_double_eq(container_value("probe", CGROUP_running), 0);
	containers_case_end();
}
END_TEST

START_TEST(a_replaced_container_continues_the_same_series)
{
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	write_config(ID_E, "shop_web_2", "2026-11-21T05:05:00Z",
		"\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\"");
	add_container(ID_E, "");
	write_cpu(SCOPE(ID_E), 50000000, 0, 0);
	containers_case_sample(120);
	/* Both run: the name is the new one's, and its counters are not those of the old one. */
	ck_assert_str_eq(container_label("shop-web", "container_id"), ID_E);
	ck_assert(isnan(container_value("shop-web", CGROUP_cpu_used_percent)));
	ck_assert_str_eq(container_label("shop-web@a1b2c3d4e5f6", "container_id"), ID_A);
	containers_case_remove(SCOPE(ID_A));
	write_cpu(SCOPE(ID_E), 52000000, 0, 0);
	containers_case_sample(140);
	ck_assert_ptr_null(recorded_find(&class_container, "shop-web@a1b2c3d4e5f6"));
	ck_near(container_value("shop-web", CGROUP_cpu_used_percent), 10);
	containers_case_end();
}
END_TEST

START_TEST(restarts_are_seen_across_a_new_cgroup_of_the_same_container)
{
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	containers_case_remove(SCOPE(ID_A));
	recorded_edit(DOCKER_FILE(ID_A), "\"RestartCount\":1", "\"RestartCount\":3");
	recorded_edit(DOCKER_FILE(ID_A), "\"Running\":true", "\"Running\":false");
	containers_case_sample(120);
	ck_assert_double_eq(container_value("shop-web", CGROUP_restarts), 2);
	recorded_edit(DOCKER_FILE(ID_A), "\"Running\":false", "\"Running\":true");
	add_container(ID_A, "");
	containers_case_sample(140);
	ck_assert_double_eq(container_value("shop-web", CGROUP_running), 1);
	ck_assert_str_eq(container_label("shop-web", "state"), "running");
	containers_case_end();
}
END_TEST

START_TEST(containers_without_a_known_name_are_shown_by_their_id)
{
	containers_case_begin("cgroup-hybrid");
	ck_assert_str_eq(containers_cgroup_mode(containers), "hybrid");
	containers_case_sample(100);
	ck_assert_double_eq(container_value("a1b2c3d4e5f6", CGROUP_processes), 3);
	ck_assert_str_eq(
		container_why("a1b2c3d4e5f6", CGROUP_restarts), "its engine cannot be asked");
	containers_case_end();
}
END_TEST

START_TEST(podman_containers_are_found_in_every_place)
{
	containers_case_begin("cgroup-v2-podman");
	containers_case_sample(100);
	ck_assert_uint_eq(recorded_count(&class_container), 3);
	ck_assert_str_eq(container_label("db", "image"), "docker.io/library/postgres:15");
	ck_assert_str_eq(container_label("db", "engine"), "podman");
	ck_assert_double_eq(container_value("db", CGROUP_memory_used_bytes), 41943040);
	ck_assert_double_eq(container_value("b0b1b2b3b4b5", CGROUP_processes), 2);
	ck_assert_double_eq(container_value("systemd-web", CGROUP_memory_usage_bytes), 29000000);
	ck_assert_double_eq(
		recorded_value(&class_service, "web", CGROUP_memory_usage_bytes), 30000000);
	containers_case_end();
}
END_TEST

START_TEST(v1_containers_are_found)
{
	containers_case_begin("cgroup-v1");
	ck_assert_str_eq(containers_cgroup_mode(containers), "v1");
	containers_case_sample(100);
	ck_assert_double_eq(container_value("web", CGROUP_memory_used_bytes), 83886080);
	ck_assert_uint_eq(recorded_count(&class_container), 1);
	ck_assert_uint_eq(recorded_count(&class_service), 1);
	containers_case_end();
}
END_TEST

START_TEST(patterns_choose_by_stable_name)
{
	static const char *const some[] = {"!shop-*", "!old-job"}, *const none[] = {"!*"};

	containers_options.containers = (struct patterns){some, 2};
	containers_options.services = (struct patterns){none, 1};
	containers_case_begin("cgroup-v2-docker");
	containers_case_sample(100);
	ck_assert_ptr_null(recorded_find(&class_container, "shop-web"));
	ck_assert_ptr_null(recorded_find(&class_container, "old-job"));
	ck_assert_ptr_nonnull(recorded_find(&class_container, "probe"));
	ck_assert_uint_eq(recorded_count(&class_service), 0);
	containers_case_end();
}
END_TEST

START_TEST(a_server_without_cgroups_has_a_problem_and_no_error)
{
	containers_case_begin("host-v2");
	recorded_write("proc/self/mountinfo", "27 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
	containers_free(containers);
	ck_assert_int_eq(containers_new(NULL, NULL, &containers_options, recorded.problems,
				 &containers, &recorded_error),
		0);
	containers_case_sample(100);
	ck_assert_uint_eq(problems_count(recorded.problems), 1);
	ck_assert_str_eq(problems_at(recorded.problems, 0)->key, "containers.cgroup");
	ck_assert_str_eq(containers_cgroup_mode(NULL), "none");
	containers_case_end();
}
END_TEST

START_TEST(a_hostile_name_becomes_a_valid_key)
{
	containers_case_begin("cgroup-v2-docker");
	write_config(ID_A, "../../etc/\\u0001\\u00e9", "2026-11-21T04:00:00Z", "");
	containers_case_sample(100);
	ck_assert_ptr_nonnull(recorded_find(&class_container, "../../etc/\001\303\251"));
	ck_assert_ptr_nonnull(recorded_find(&class_container, "../../etc/_\303\251"));
	containers_case_end();
}
END_TEST

RUN_TESTS("containers", containers_and_services_have_names_values_and_labels,
	rates_cover_the_time_between_samples, trap_a_counter_that_jumps_raises_no_alarm,
	trap_a_counter_that_goes_back_is_a_new_first_read,
	trap_nested_cgroups_are_part_of_their_container, trap_a_network_used_by_two_is_counted_once,
	trap_a_container_that_ends_goes_without_an_error,
	a_container_that_is_stopped_stays_with_running_0,
	a_replaced_container_continues_the_same_series,
	restarts_are_seen_across_a_new_cgroup_of_the_same_container,
	containers_without_a_known_name_are_shown_by_their_id,
	podman_containers_are_found_in_every_place, v1_containers_are_found,
	patterns_choose_by_stable_name, a_server_without_cgroups_has_a_problem_and_no_error,
	a_hostile_name_becomes_a_valid_key)
