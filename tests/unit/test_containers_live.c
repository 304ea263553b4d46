/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers that come and go between samples, on a recorded tree watched by inotify.
 */
#include "base/cleanup.h"
#include "tests/unit/containers_case.h"
#include "tests/unit/engine_server.h"
#include "tests/unit/turns.h"

#define NEW_SCOPE SCOPE(ID_E)

static struct loop *loop;

static void begin(const char *fixture)
{
	containers_case_begin(fixture);
	containers_free(containers);
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	containers_options.live = true;
	ck_assert_int_eq(containers_new(loop, NULL, &containers_options, recorded.problems,
				 &containers, &recorded_error),
		0);
}

static void end(void)
{
	containers_case_end();
	loop_free(loop);
}

static void sample(void)
{
	turn_idle(loop);
	registry_begin(recorded.registry);
	recorded.now_ns = clock_mono_ns();
	recorded.wall_ms = clock_wall_ms();
	ck_assert_int_eq(containers_sample(containers, &recorded, &recorded_error), 0);
	registry_sweep(recorded.registry, NULL, NULL);
}

static void write_events(unsigned kills)
{
	char text[100];

	(void)snprintf(
		text, sizeof(text), "low 0\nhigh 0\nmax 9\noom %u\noom_kill %u\n", kills, kills);
	recorded_write(NEW_SCOPE "/memory.events", text);
}

/* Docker writes config.v2.json before it makes the cgroup. The files of a real cgroup come with
 * it; here they are made before its folder is moved to its place. */
static void start(unsigned usec)
{
	char text[200];

	recorded_edit(DOCKER_FILE(ID_E), "\"Running\":false", "\"Running\":true");
	ck_assert_int_eq(mkdir(scratch_path(NEW_SCOPE), 0700), 0);
	(void)snprintf(text, sizeof(text), "usage_usec %u\nuser_usec 0\nsystem_usec 0\n", usec);
	recorded_write(NEW_SCOPE "/cpu.stat", text);
	write_events(0);
	turn_idle(loop);
}

static void stop(void)
{
	containers_case_remove(NEW_SCOPE);
	turn_idle(loop);
}

START_TEST(a_container_made_while_watching_has_rates_at_once)
{
	double cores;

	begin("cgroup-v2-docker");
	sample();
	ck_assert(isnan(container_value("shop-web", CGROUP_cpu_used_percent)));
	start(1);
	sample();
	cores = container_value("old-job", CGROUP_cpu_used_percent);
	ck_assert_double_gt(cores, 0);
	ck_assert_double_eq(container_value("old-job", CGROUP_running), 1);
	ck_assert_str_eq(container_label("old-job", "state"), "running");
	end();
}
END_TEST

/* C.4, trap 2. */
START_TEST(trap_an_oom_kill_between_samples_is_shown_once)
{
	begin("cgroup-v2-docker");
	sample();
	start(1000);
	sample();
	ck_assert_double_eq(container_value("old-job", CGROUP_oom_kills), 0);
	write_events(1);
	turn_idle(loop);
	stop();
	sample();
	ck_assert_double_eq(container_value("old-job", CGROUP_oom_kills), 1);
	ck_assert_double_eq(container_value("old-job", CGROUP_running), 0);
	ck_assert_str_eq(container_label("old-job", "state"), "exited");
	sample();
	ck_assert(isnan(container_value("old-job", CGROUP_oom_kills)));
	ck_assert_double_eq(container_value("old-job", CGROUP_running), 0);
	end();
}
END_TEST

/* C.4, trap 2: it never was in any sample, and its engine has forgotten it (--rm). */
START_TEST(trap_an_oom_kill_of_a_container_no_sample_saw_is_shown)
{
	begin("cgroup-v2-docker");
	sample();
	start(1000);
	write_events(2);
	turn_idle(loop);
	stop();
	containers_case_remove("var/lib/docker/containers/" ID_E);
	sample();
	ck_assert_double_eq(container_value("old-job", CGROUP_oom_kills), 2);
	sample();
	ck_assert_ptr_null(recorded_find(&class_container, "old-job"));
	end();
}
END_TEST

/* C.4, trap 2: the count went with the cgroup, but the engine saw the kill. */
START_TEST(trap_an_oom_kill_only_the_engine_saw_is_shown)
{
	begin("cgroup-v2-docker");
	sample();
	start(1000);
	sample();
	recorded_edit(DOCKER_FILE(ID_E), "\"OOMKilled\":false", "\"OOMKilled\":true");
	stop();
	sample();
	ck_assert_double_eq(container_value("old-job", CGROUP_oom_kills), 1);
	sample();
	ck_assert(isnan(container_value("old-job", CGROUP_oom_kills)));
	end();
}
END_TEST

/* C.4, traps 2 and 8: killed, and started again by its restart policy before the next sample. */
START_TEST(trap_an_oom_kill_before_a_restart_is_counted)
{
	begin("cgroup-v2-docker");
	sample();
	start(1000);
	sample();
	write_events(1);
	turn_idle(loop);
	stop();
	recorded_edit(DOCKER_FILE(ID_E), "\"Running\":true", "\"Running\":false");
	recorded_edit(DOCKER_FILE(ID_E), "\"RestartCount\":0", "\"RestartCount\":1");
	start(500);
	sample();
	ck_assert_double_eq(container_value("old-job", CGROUP_running), 1);
	ck_assert_double_eq(container_value("old-job", CGROUP_oom_kills), 1);
	ck_assert_double_eq(container_value("old-job", CGROUP_restarts), 1);
	sample();
	ck_assert_double_eq(container_value("old-job", CGROUP_oom_kills), 0);
	ck_assert_double_eq(container_value("old-job", CGROUP_restarts), 0);
	end();
}
END_TEST

/* C.4, trap 2: killed, and replaced by a new container of the same name before the next sample. */
START_TEST(trap_an_oom_kill_before_a_replacement_is_counted_for_the_successor)
{
	begin("cgroup-v2-docker");
	sample();
	recorded_write(SCOPE(ID_A) "/memory.events", "oom 3\noom_kill 3\n");
	turn_idle(loop);
	containers_case_remove(SCOPE(ID_A));
	turn_idle(loop);
	recorded_edit(DOCKER_FILE(ID_E), "\"Labels\":{}",
		"\"Labels\":{\"com.docker.compose.project\":\"shop\","
		"\"com.docker.compose.service\":\"web\"}");
	start(1000);
	sample();
	ck_assert_str_eq(container_label("shop-web", "container_id"), ID_E);
	ck_assert_double_eq(container_value("shop-web", CGROUP_running), 1);
	ck_assert_double_eq(container_value("shop-web", CGROUP_oom_kills), 1);
	sample();
	ck_assert_double_eq(container_value("shop-web", CGROUP_oom_kills), 0);
	end();
}
END_TEST

static const char *inspect_db(const char *id)
{
	static char text[400];

	(void)snprintf(text, sizeof(text),
		"{\"Id\":\"%s\",\"Name\":\"/"
		"db\",\"RestartCount\":0,\"State\":{\"Status\":\"running\"},"
		"\"Config\":{\"Labels\":{\"agent.name\":\"shop-db\"}}}",
		id);
	return text;
}

static bool is_shown(const char *key)
{
	sample();
	return recorded_find(&class_container, key) != NULL;
}

/* Podman's files know the container as "db"; its label is known to the engine alone. */
START_TEST(a_container_is_not_shown_under_a_name_it_soon_loses)
{
	static const char *sockets[1];
	struct http_client *http;

	containers_case_begin("cgroup-v2-podman");
	containers_free(containers);
	memset(&engine_server, 0, sizeof(engine_server));
	engine_server.version = "{\"Components\":[{\"Name\":\"Podman Engine\"}]}";
	engine_server.list = "[{\"Id\":\"" ID_A "\",\"Names\":[\"/db\"],\"State\":\"running\","
			     "\"Labels\":{\"agent.name\":\"shop-db\"}}]";
	engine_server.inspect = inspect_db;
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(http_client_new(loop, &http, NULL), 0);
	sockets[0] = scratch_path("engine.sock");
	engine_server_start(loop, sockets[0], true);
	containers_options.live = true;
	containers_options.sockets = sockets;
	containers_options.n_sockets = 1;
	ck_assert_int_eq(containers_new(loop, http, &containers_options, recorded.problems,
				 &containers, &recorded_error),
		0);
	/* Before the engine could answer. */
	registry_begin(recorded.registry);
	ck_assert_int_eq(containers_sample(containers, &recorded, NULL), 0);
	ck_assert_ptr_null(recorded_find(&class_container, "db"));
	TURN_UNTIL(loop, is_shown("shop-db"));
	ck_assert_ptr_null(recorded_find(&class_container, "db"));
	containers_case_end();
	engine_server_stop();
	http_client_free(http);
	loop_free(loop);
}
END_TEST

START_TEST(a_container_that_came_and_went_leaves_nothing)
{
	begin("cgroup-v2-docker");
	sample();
	for (int i = 0; i < 20; i++) {
		start(1000);
		recorded_edit(DOCKER_FILE(ID_E), "\"Running\":true", "\"Running\":false");
		stop();
	}
	containers_case_remove("var/lib/docker/containers/" ID_E);
	sample();
	ck_assert_ptr_null(recorded_find(&class_container, "old-job"));
	ck_assert_uint_eq(recorded_count(&class_container), 3);
	ck_assert_uint_eq(problems_count(recorded.problems), 0);
	end();
}
END_TEST

RUN_TESTS("containers_live", a_container_made_while_watching_has_rates_at_once,
	trap_an_oom_kill_between_samples_is_shown_once,
	trap_an_oom_kill_of_a_container_no_sample_saw_is_shown,
	trap_an_oom_kill_only_the_engine_saw_is_shown, trap_an_oom_kill_before_a_restart_is_counted,
	trap_an_oom_kill_before_a_replacement_is_counted_for_the_successor,
	a_container_is_not_shown_under_a_name_it_soon_loses,
	a_container_that_came_and_went_leaves_nothing)
