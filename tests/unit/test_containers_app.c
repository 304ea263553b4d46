/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers of an app that the agent deploys: one series for all versions of it, and none for what runs beside it for a while.
 */
#include "tests/unit/containers_case.h"

#define ID_F "f0f1f2f3f4f5f6f7f0f1f2f3f4f5f6f7f0f1f2f3f4f5f6f7f0f1f2f3f4f5f6f7"
#define VERSION(n) "\"agent.app\":\"shop\",\"agent.deploy\":\"" n "\""

static void begin(void)
{
	containers_case_begin("cgroup-v2-docker");
	write_config(ID_E, "shop-11", "2026-11-21T05:00:00Z", VERSION("11"));
	add_container(ID_E, "");
	write_cpu(SCOPE(ID_E), 1000000, 0, 0);
	containers_case_sample(100);
}

/* The next version, beside the one that serves. */
static void start_next(const char *name, const char *labels)
{
	write_config(ID_F, name, "2026-11-21T05:05:00Z", labels);
	add_container(ID_F, "");
	write_cpu(SCOPE(ID_F), 50000000, 0, 0);
	containers_case_sample(120);
}

START_TEST(the_key_of_an_app_is_its_name_whatever_the_version)
{
	begin();
	ck_assert_str_eq(container_label("shop", "name"), "shop-11");
	ck_assert_str_eq(container_label("shop", "app"), "shop");
	start_next("shop-12", VERSION("12"));
	ck_assert_str_eq(container_label("shop", "name"), "shop-12");
	ck_assert_str_eq(container_label("shop@e5e6e7e8e9ea", "name"), "shop-11");
	ck_assert(isnan(container_value("shop", CGROUP_cpu_used_percent)));
	ck_assert(!recorded_find(&class_container, "shop")->passing);
	ck_assert(recorded_find(&class_container, "shop@e5e6e7e8e9ea")->passing);
	/* The old one stops, and is kept. */
	containers_case_remove(SCOPE(ID_E));
	recorded_edit(DOCKER_FILE(ID_E), "\"Running\":true", "\"Running\":false");
	write_cpu(SCOPE(ID_F), 52000000, 0, 0);
	containers_case_sample(140);
	ck_assert_ptr_null(recorded_find(&class_container, "shop@e5e6e7e8e9ea"));
	ck_assert_ptr_null(recorded_find(&class_container, "shop-11"));
	ck_near(container_value("shop", CGROUP_cpu_used_percent), 10);
	containers_case_end();
}
END_TEST

START_TEST(a_version_that_is_removed_gives_the_name_back)
{
	begin();
	start_next("shop-12", VERSION("12"));
	containers_case_remove(SCOPE(ID_F));
	containers_case_remove("var/lib/docker/containers/" ID_F);
	write_cpu(SCOPE(ID_E), 3000000, 0, 0);
	containers_case_sample(140);
	ck_assert_str_eq(container_label("shop", "name"), "shop-11");
	ck_assert_double_eq(container_value("shop", CGROUP_running), 1);
	ck_assert(!recorded_find(&class_container, "shop")->passing);
	ck_assert_ptr_null(recorded_find(&class_container, "shop@f0f1f2f3f4f5"));
	containers_case_end();
}
END_TEST

/* Labels of an image are inherited by what anybody runs from it. */
START_TEST(what_is_run_by_hand_from_an_image_of_the_app_is_not_the_app)
{
	begin();
	start_next("eager_pike", VERSION("12"));
	ck_assert_str_eq(container_label("eager_pike", "name"), "eager_pike");
	ck_assert_str_eq(container_label("eager_pike", "app"), "");
	ck_assert_str_eq(container_label("shop", "name"), "shop-11");
	containers_case_end();
}
END_TEST

START_TEST(a_version_can_be_looked_at_by_the_name_of_its_container)
{
	struct container_state_now now;

	begin();
	ck_assert(containers_look(containers, "shop-11", &now));
	ck_assert(now.running && now.restarts == 0 && now.oom_kills == 0);
	ck_assert(!containers_look(containers, "shop-12", &now));
	ck_assert(!containers_look(containers, "", &now));
	ck_assert(!containers_look(containers, "shop", &now));
	recorded_edit(DOCKER_FILE(ID_E), "\"RestartCount\":0", "\"RestartCount\":2");
	recorded_edit(DOCKER_FILE(ID_E), "\"Running\":true",
		"\"Running\":false,\"OOMKilled\":true,\"Pid\":0");
	containers_case_remove(SCOPE(ID_E));
	containers_case_sample(120);
	ck_assert(containers_look(containers, "shop-11", &now));
	ck_assert(!now.running && now.restarts == 2 && now.oom_kills == 1);
	ck_assert(containers_look(containers, "nginx.service", &now));
	ck_assert(now.running);
	ck_assert(!containers_look(containers, "nginx", &now));
	containers_case_end();
}
END_TEST

RUN_TESTS("containers_app", the_key_of_an_app_is_its_name_whatever_the_version,
	a_version_that_is_removed_gives_the_name_back,
	what_is_run_by_hand_from_an_image_of_the_app_is_not_the_app,
	a_version_can_be_looked_at_by_the_name_of_its_container)
