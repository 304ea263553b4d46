/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "collectors/container_info.h"
#include "collectors/container_keys.h"
#include "tests/unit/recorded.h"

#define ID "a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718"

static struct container_info info;
static struct err e;

static const char *stable(const char *labels, const char *name)
{
	static char to[CONTAINER_TEXT_MAX + 1];
	json_t *l = json_loads(labels, 0, NULL);

	container_stable_name(to, sizeof(to), l, name);
	json_decref(l);
	return to;
}

#define COMPOSE(number, oneoff)                                                                    \
	"{\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\","         \
	"\"com.docker.compose.container-number\":\"" number "\","                                  \
	"\"com.docker.compose.oneoff\":\"" oneoff "\"}"

START_TEST(the_stable_name_outlives_the_container)
{
	ck_assert_str_eq(stable("{}", "web"), "web");
	ck_assert_str_eq(stable(COMPOSE("1", "False"), "shop-web-1"), "shop-web");
	ck_assert_str_eq(stable(COMPOSE("3", "False"), "shop-web-3"), "shop-web-3");
	ck_assert_str_eq(stable(COMPOSE("1", "True"), "shop-web-run-1f"), "shop-web-run-1f");
	ck_assert_str_eq(stable("{\"com.docker.swarm.service.name\":\"api\","
				"\"com.docker.swarm.task.name\":\"api.1.x7f\"}",
				 "api.1.x7f"),
		"api");
	ck_assert_str_eq(stable("{\"com.docker.swarm.service.name\":\"api\","
				"\"com.docker.swarm.task.name\":\"api.12.x7f\"}",
				 "api.12.x7f"),
		"api.12");
	/* A global service has its node in place of the slot. */
	ck_assert_str_eq(stable("{\"com.docker.swarm.service.name\":\"log\","
				"\"com.docker.swarm.task.name\":\"log.z9node.x7f\"}",
				 "log.z9node.x7f"),
		"log");
	ck_assert_str_eq(
		stable("{\"agent.name\":\"shop\",\"com.docker.swarm.service.name\":\"x\"}", "web"),
		"shop");
	ck_assert_str_eq(
		stable("{\"agent.name\":7,\"com.docker.compose.project\":\"shop\"}", "web"), "web");
}
END_TEST

#define VERSION "\"agent.app\":\"shop\",\"agent.deploy\":\"12\""
#define TASK(service, slot)                                                                        \
	",\"com.docker.swarm.service.name\":\"" service                                            \
	"\",\"com.docker.swarm.task.name\":\"" service "." slot ".x7f\""

/* Labels alone are inherited from the image by whatever is run from it. */
START_TEST(the_versions_of_an_app_have_its_name)
{
	static const char *const others[] = {"eager_pike", "shop-", "shop-1", "shop-122",
		"shop-12-x", "xshop-12", "shop-release-12"};

	ck_assert_str_eq(stable("{" VERSION "}", "shop-12"), "shop");
	ck_assert_str_eq(stable("{" VERSION TASK("shop-12", "1") "}", "shop-12.1.x7f"), "shop");
	ck_assert_str_eq(stable("{" VERSION TASK("shop-12", "2") "}", "shop-12.2.x7f"), "shop.2");
	ck_assert_str_eq(stable("{" VERSION ",\"com.docker.compose.project\":\"shop\","
				"\"com.docker.compose.service\":\"web\","
				"\"com.docker.compose.oneoff\":\"True\"}",
				 "shop-12"),
		"shop");
	ck_assert_str_eq(stable("{\"agent.name\":\"x\"," VERSION "}", "shop-12"), "x");
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		ck_assert_str_eq(stable("{" VERSION "}", others[i]), others[i]);
	ck_assert_str_eq(stable("{" VERSION TASK("api", "1") "}", "shop-12"), "api");
}
END_TEST

static const char *pod_name(const char *pod)
{
	static char to[CONTAINER_TEXT_MAX + 1];

	container_pod_stable_name(to, sizeof(to), "default", pod, "app");
	return to;
}

START_TEST(random_parts_of_pod_names_are_left_out)
{
	ck_assert_str_eq(pod_name("web-6d4cf56db6-x2zvl"), "default/web/app");
	ck_assert_str_eq(pod_name("node-exporter-x2zvl"), "default/node-exporter/app");
	ck_assert_str_eq(pod_name("postgres-0"), "default/postgres-0/app");
	ck_assert_str_eq(pod_name("web-aeiou"), "default/web-aeiou/app");
	ck_assert_str_eq(pod_name("x2zvl"), "default/x2zvl/app");
	ck_assert_str_eq(pod_name(""), "default//app");
}
END_TEST

static int inspect(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	int r = container_info_from_inspect(o, &info, &e);

	json_decref(o);
	return r;
}

START_TEST(inspect_tells_all)
{
	ck_assert_int_eq(
		inspect("{\"Id\":\"" ID "\",\"Name\":\"/shop_web_1\",\"RestartCount\":3,"
			"\"State\":{\"Status\":\"running\",\"Running\":true,\"OOMKilled\":false,"
			"\"Pid\":700,\"StartedAt\":\"2026-11-21T04:00:00.5Z\","
			"\"Health\":{\"Status\":\"unhealthy\"}},"
			"\"Config\":{\"Image\":\"shop/web:1.4\",\"Labels\":" COMPOSE(
				"1", "False") "},\"HostConfig\":{\"NetworkMode\":\"bridge\"}}"),
		0);
	ck_assert_str_eq(info.id, ID);
	ck_assert_str_eq(info.name, "shop_web_1");
	ck_assert_str_eq(info.stable, "shop-web");
	ck_assert_str_eq(info.project, "shop");
	ck_assert_str_eq(info.image, "shop/web:1.4");
	ck_assert_str_eq(info.network, "bridge");
	ck_assert_int_eq(info.state, CONTAINER_RUNNING);
	ck_assert_int_eq(info.health, HEALTH_UNHEALTHY);
	ck_assert_double_eq(info.restarts, 3);
	ck_assert_double_eq(info.started_at, 1795233600.5);
	ck_assert_int_eq(info.pid, 700);
	container_info_done(&info);
}
END_TEST

/* config.v2.json has "ID" and single bits in place of "Id" and a status. */
START_TEST(the_file_on_disk_is_read_too)
{
	ck_assert_int_eq(
		inspect("{\"ID\":\"" ID "\",\"Name\":\"/job\",\"RestartCount\":0,"
			"\"State\":{\"Running\":false,\"Paused\":false,\"Dead\":false,"
			"\"OOMKilled\":true,\"StartedAt\":\"2026-11-01T00:00:00Z\","
			"\"Health\":null},\"Config\":{\"Image\":\"busybox\",\"Labels\":{}}}"),
		0);
	ck_assert_int_eq(info.state, CONTAINER_EXITED);
	ck_assert_int_eq(info.health, HEALTH_NONE);
	ck_assert(info.oom_killed);
	container_info_done(&info);
	ck_assert_int_eq(
		inspect("{\"ID\":\"" ID "\",\"State\":{\"Running\":true,\"Paused\":true}}"), 0);
	ck_assert_int_eq(info.state, CONTAINER_PAUSED);
	container_info_done(&info);
	ck_assert_int_eq(inspect("{\"ID\":\"" ID "\",\"State\":{\"Running\":false,"
				 "\"StartedAt\":\"0001-01-01T00:00:00Z\"}}"),
		0);
	ck_assert_int_eq(info.state, CONTAINER_CREATED);
	container_info_done(&info);
}
END_TEST

START_TEST(an_element_of_the_list_tells_name_and_state)
{
	json_t *o = json_loads("{\"Id\":\"" ID "\",\"Names\":[\"/web\"],\"Image\":\"nginx\","
			       "\"Labels\":null,\"State\":\"exited\",\"Status\":\"Exited (0) 2 "
			       "days ago\",\"HostConfig\":{\"NetworkMode\":\"host\"}}",
		0, NULL);

	ck_assert_int_eq(container_info_from_list(o, &info, &e), 0);
	ck_assert_str_eq(info.stable, "web");
	ck_assert_int_eq(info.state, CONTAINER_EXITED);
	ck_assert_int_eq(info.health, HEALTH_UNKNOWN);
	ck_assert(isnan(info.restarts));
	container_info_done(&info);
	json_decref(o);
}
END_TEST

START_TEST(what_is_not_told_stays_known)
{
	struct container_info more;

	ck_assert_int_eq(inspect("{\"Id\":\"" ID "\",\"Name\":\"/web\",\"RestartCount\":3,"
				 "\"State\":{\"Status\":\"running\",\"Pid\":7}}"),
		0);
	container_info_init(&more);
	memcpy(more.id, ID, sizeof(ID));
	more.state = CONTAINER_EXITED;
	container_info_merge(&info, &more);
	ck_assert_str_eq(info.name, "web");
	ck_assert_double_eq(info.restarts, 3);
	ck_assert_int_eq(info.pid, 7);
	ck_assert_int_eq(info.state, CONTAINER_EXITED);
	container_info_done(&info);
}
END_TEST

START_TEST(hostile_json_is_refused_or_cut)
{
	char text[2000];

	ck_assert_int_eq(inspect("[]"), -EINVAL);
	ck_assert_int_eq(inspect("{}"), -EINVAL);
	ck_assert_int_eq(inspect("{\"Id\":\"../../etc\"}"), -EINVAL);
	ck_assert_int_eq(inspect("{\"Id\":\"" ID ID "\"}"), -EINVAL);
	ck_assert_int_eq(inspect("{\"Id\":\"" ID "\",\"Name\":[],\"State\":7,\"Config\":[1],"
				 "\"RestartCount\":\"x\"}"),
		0);
	ck_assert_int_eq(info.state, CONTAINER_STATE_UNKNOWN);
	ck_assert_ptr_null(info.stable);
	container_info_done(&info);
	(void)snprintf(text, sizeof(text), "{\"Id\":\"" ID "\",\"Name\":\"%01000d\"}", 0);
	ck_assert_int_eq(inspect(text), 0);
	ck_assert_uint_eq(strlen(info.name), CONTAINER_TEXT_MAX);
	container_info_done(&info);
}
END_TEST

START_TEST(podman_and_kubernetes_files_name_containers)
{
	json_t *o =
		json_loads("[{\"id\":\"ff\"},{\"id\":\"" ID "\",\"names\":[\"db\"],\"metadata\":"
			   "\"{\\\"image-name\\\":\\\"postgres:15\\\",\\\"name\\\":\\\"db\\\"}\"}]",
			0, NULL);

	ck_assert_int_eq(container_info_from_podman(o, ID, &info, &e), 0);
	ck_assert_str_eq(info.stable, "db");
	ck_assert_str_eq(info.image, "postgres:15");
	ck_assert_str_eq(info.engine, "podman");
	container_info_done(&info);
	ck_assert_int_eq(container_info_from_podman(o, "aa", &info, &e), -ENOENT);
	json_decref(o);
	o = json_loads("{\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\","
		       "\"io.kubernetes.cri.sandbox-name\":\"web-6d4cf56db6-x2zvl\","
		       "\"io.kubernetes.cri.sandbox-namespace\":\"default\","
		       "\"io.kubernetes.cri.image-name\":\"shop/web:2\"}}",
		0, NULL);
	ck_assert_int_eq(container_info_from_oci(o, ID, &info, &e), 0);
	ck_assert_str_eq(info.stable, "default/web/app");
	ck_assert_str_eq(info.pod, "web-6d4cf56db6-x2zvl");
	ck_assert_str_eq(info.pod_namespace, "default");
	container_info_done(&info);
	json_decref(o);
	o = json_loads("{}", 0, NULL);
	ck_assert_int_eq(container_info_from_oci(o, ID, &info, &e), -ENOENT);
	json_decref(o);
}
END_TEST

START_TEST(times_are_read_in_every_form)
{
	ck_assert_double_eq(container_time("1970-01-01T00:00:01Z"), 1);
	ck_near(container_time("2026-11-21T05:06:07.123456789Z"), 1795237567.123456789);
	ck_assert_double_eq(container_time("2026-11-21T07:06:07+02:00"), 1795237567);
	ck_assert_double_eq(container_time("2026-11-20T23:36:07-05:30"), 1795237567);
	ck_assert(isnan(container_time("0001-01-01T00:00:00Z")));
	ck_assert(isnan(container_time("")));
	ck_assert(isnan(container_time("2026-11-21")));
	ck_assert(isnan(container_time("2026-11-21T05:06:07")));
	ck_assert(isnan(container_time("2026-11-21T05:06:07Zx")));
}
END_TEST

START_TEST(of_one_name_the_newest_live_container_owns_it)
{
	struct container_claim c[] = {
		{.stable = "web", .started_at = 300, .kind = CLAIM_STOPPED},
		{.stable = "web", .started_at = 100, .kind = CLAIM_LIVE},
		{.stable = "web", .started_at = 200, .kind = CLAIM_LIVE},
		{.stable = "db", .started_at = NAN, .kind = CLAIM_LIVE},
		{.stable = "old", .started_at = 10, .kind = CLAIM_STOPPED},
		{.stable = "old", .started_at = NAN, .kind = CLAIM_STOPPED},
	};

	container_keys_settle(c, ARRAY_LEN(c));
	ck_assert_str_eq(c[0].stable, "db");
	ck_assert(c[0].owner);
	ck_assert(c[1].owner && c[1].started_at == 10 && !c[2].owner);
	ck_assert_str_eq(c[3].stable, "web");
	ck_assert(c[3].owner && c[3].kind == CLAIM_LIVE && c[3].started_at == 200);
	ck_assert(!c[4].owner && !c[5].owner);
	container_keys_settle(c, 0);
}
END_TEST

RUN_TESTS("container_info", the_stable_name_outlives_the_container,
	the_versions_of_an_app_have_its_name, random_parts_of_pod_names_are_left_out,
	inspect_tells_all, the_file_on_disk_is_read_too,
	an_element_of_the_list_tells_name_and_state, what_is_not_told_stays_known,
	hostile_json_is_refused_or_cut, podman_and_kubernetes_files_name_containers,
	times_are_read_in_every_form, of_one_name_the_newest_live_container_owns_it)
