/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/engine_api.h"
#include "collectors/runtime.h"
#include "tests/unit/engine_server.h"
#include "tests/unit/recorded.h"
#include "tests/unit/turns.h"

#define A "a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718"
#define B "b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7b0b1b2b3b4b5b6b7"
#define DOCKER "{\"Components\":[{\"Name\":\"Engine\"}],\"ApiVersion\":\"1.41\"}"
#define PODMAN "{\"Components\":[{\"Name\":\"Podman Engine\"}]}"
#define ENTRY(id, name)                                                                            \
	"{\"Id\":\"" id "\",\"Names\":[\"/" name "\"],\"Image\":\"i\",\"Labels\":{},"              \
	"\"State\":\"running\",\"Status\":\"Up 2 hours\"}"
#define EVENT(action, id)                                                                          \
	"{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" id "\"}}\n"

static struct loop *loop;
static struct http_client *http;
static struct runtime_store store;
static struct engine_api *api;
static unsigned restarts;

static const char *inspect(const char *id)
{
	static char text[500];

	(void)snprintf(text, sizeof(text),
		"{\"Id\":\"%s\",\"Name\":\"/"
		"%s\",\"RestartCount\":%u,\"State\":{\"Status\":\"running\","
		"\"StartedAt\":\"2026-11-21T04:00:00Z\",\"Pid\":7},\"Config\":{\"Image\":\"i\"}}",
		id, strcmp(id, A) == 0 ? "web" : "db", restarts);
	return text;
}

static void begin_with(bool listening)
{
	const struct engine_api_options o = {.socket = "engine.sock", .source = 1, .store = &store};
	struct engine_api_options with = o;

	scratch_make();
	memset(&engine_server, 0, sizeof(engine_server));
	engine_server.version = DOCKER;
	engine_server.list = "[" ENTRY(A, "web") "]";
	engine_server.inspect = inspect;
	restarts = 0;
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(http_client_new(loop, &http, NULL), 0);
	with.loop = loop;
	with.http = http;
	with.socket = scratch_path("engine.sock");
	engine_server_start(loop, with.socket, listening);
	api = engine_api_new(&with);
}

static void begin(void)
{
	begin_with(true);
	TURN_UNTIL(loop, engine_api_is_ready(api) && !engine_api_is_asking(api));
}

static void end(void)
{
	engine_api_free(api);
	engine_server_stop();
	http_client_free(http);
	loop_free(loop);
	runtime_store_done(&store);
	scratch_remove();
}

static const struct container_info *find(const char *id)
{
	return runtime_store_find(&store, id);
}

START_TEST(all_containers_are_known_after_the_first_list)
{
	begin();
	ck_assert_str_eq(find(A)->stable, "web");
	ck_assert_str_eq(find(A)->engine, "docker");
	ck_assert_double_eq(find(A)->restarts, 0);
	ck_assert_double_eq(find(A)->started_at, 1795233600);
	ck_assert_int_eq(find(A)->pid, 7);
	ck_assert_uint_eq(store.n, 1);
	ck_assert_str_eq(engine_api_trouble(api), "");
	ck_assert_str_eq(engine_api_engine(api), "docker");
	end();
}
END_TEST

START_TEST(events_tell_of_changes_at_once)
{
	begin();
	TURN_UNTIL(loop, engine_server.stream >= 0);
	engine_server_event(EVENT("start", B));
	TURN_UNTIL(loop, find(B) != NULL);
	ck_assert_str_eq(find(B)->stable, "db");
	restarts = 4;
	engine_server_event(EVENT("die", A));
	TURN_UNTIL(loop, find(A)->restarts == 4);
	engine_server_event(EVENT("destroy", B));
	TURN_UNTIL(loop, find(B) == NULL);
	end();
}
END_TEST

START_TEST(events_come_in_any_pieces)
{
	char big[70000];
	unsigned before;

	begin();
	TURN_UNTIL(loop, engine_server.stream >= 0);
	engine_server_event("{\"Type\":\"container\",\"Action\":\"sta");
	turn_idle(loop);
	engine_server_event("rt\",\"Actor\":{\"ID\":\"" B "\"}}\ngarbage\n\n[]\n");
	TURN_UNTIL(loop, find(B) != NULL);
	/* One that is too large is skipped, the next one is read. */
	before = engine_server.inspects;
	memset(big, ' ', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	engine_server_event(
		"{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"" A "\"}}");
	engine_server_event(big);
	turn_idle(loop);
	engine_server_event("\n" EVENT("destroy", B));
	TURN_UNTIL(loop, find(B) == NULL);
	turn_idle(loop);
	ck_assert_uint_eq(engine_server.inspects, before);
	ck_assert_str_eq(engine_api_trouble(api), "");
	end();
}
END_TEST

START_TEST(health_checks_raise_no_questions)
{
	unsigned before;

	begin();
	TURN_UNTIL(loop, engine_server.stream >= 0);
	before = engine_server.inspects;
	for (int i = 0; i < 10; i++)
		engine_server_event(EVENT("exec_create: /bin/check", A) EVENT("exec_start: x", A)
				EVENT("exec_die", A) EVENT("top", A));
	engine_server_event(EVENT("start", B));
	TURN_UNTIL(loop, find(B) != NULL);
	ck_assert_uint_eq(engine_server.inspects, before + 1);
	engine_server_event(EVENT("health_status: unhealthy", A));
	TURN_UNTIL(loop, engine_server.inspects == before + 2);
	end();
}
END_TEST

START_TEST(a_lost_stream_is_followed_by_a_new_list)
{
	begin();
	TURN_UNTIL(loop, engine_server.stream >= 0);
	engine_server.list = "[" ENTRY(B, "db") "]";
	engine_server_hang_up(engine_server.stream);
	TURN_UNTIL(loop, !engine_api_is_ready(api));
	ck_assert_ptr_nonnull(find(A)); /* what was known stays known meanwhile */
	TURN_UNTIL(loop, find(A) == NULL && find(B) != NULL);
	TURN_UNTIL(loop, engine_server.stream >= 0);
	ck_assert_uint_eq(engine_server.streams, 2);
	ck_assert_str_eq(engine_api_trouble(api), "");
	end();
}
END_TEST

START_TEST(a_socket_nobody_answers_at_is_a_trouble_with_its_name)
{
	begin_with(false);
	TURN_UNTIL(loop, *engine_api_trouble(api));
	ck_assert_ptr_nonnull(strstr(engine_api_trouble(api), "engine.sock does not answer: "));
	ck_assert(!engine_api_is_asking(api));
	engine_server_stop();
	ck_assert_int_eq(unlink(scratch_path("engine.sock")), 0);
	engine_server_start(loop, scratch_path("engine.sock"), true);
	TURN_UNTIL(loop, engine_api_is_ready(api));
	ck_assert_str_eq(engine_api_trouble(api), "");
	end();
}
END_TEST

START_TEST(a_socket_this_user_may_not_use_is_a_trouble_with_its_cure)
{
	const struct engine_api_options o = {.store = &store, .source = 1};
	struct engine_api_options with = o;
	bool root = geteuid() == 0;

	begin();
	engine_api_free(api);
	ck_assert_int_eq(chmod(scratch, 0755), 0);
	ck_assert_int_eq(chmod(scratch_path("engine.sock"), 0600), 0);
	/* Each test runs in a process of its own. */
	if (root)
		ck_assert_int_eq(setresuid(65534, 65534, 0), 0);
	else
		ck_assert_int_eq(chmod(scratch_path("engine.sock"), 0), 0);
	with.loop = loop;
	with.http = http;
	with.socket = scratch_path("engine.sock");
	api = engine_api_new(&with);
	ck_assert_ptr_nonnull(strstr(engine_api_trouble(api), "Permission denied"));
	ck_assert_ptr_nonnull(strstr(engine_api_trouble(api), "group"));
	if (root)
		ck_assert_int_eq(setresuid(0, 0, 0), 0);
	end();
}
END_TEST

START_TEST(a_missing_socket_is_no_trouble)
{
	struct engine_api_options with = {.store = &store, .source = 1, .socket = "/nonexistent/x"};

	begin();
	engine_api_free(api);
	with.loop = loop;
	with.http = http;
	api = engine_api_new(&with);
	turn_idle(loop);
	ck_assert_str_eq(engine_api_trouble(api), "");
	ck_assert(!engine_api_is_ready(api));
	ck_assert(!engine_api_is_asking(api));
	end();
}
END_TEST

START_TEST(a_broken_list_is_a_trouble)
{
	begin_with(true);
	engine_server.list = "{\"message\":\"no\"}";
	TURN_UNTIL(loop, *engine_api_trouble(api));
	ck_assert_ptr_nonnull(strstr(engine_api_trouble(api), "no JSON array"));
	engine_server.list = "[7,{\"Id\":\"../x\"}," ENTRY(A, "web") "]";
	TURN_UNTIL(loop, engine_api_is_ready(api));
	ck_assert_uint_eq(store.n, 1);
	end();
}
END_TEST

START_TEST(a_refusal_is_a_trouble)
{
	begin_with(true);
	engine_server.list_status = 500;
	TURN_UNTIL(loop, strstr(engine_api_trouble(api), "HTTP status 500"));
	ck_assert(!engine_api_is_ready(api));
	end();
}
END_TEST

START_TEST(podman_is_asked_and_not_followed)
{
	begin_with(true);
	engine_server.version = PODMAN;
	TURN_UNTIL(loop, engine_api_is_ready(api) && !engine_api_is_asking(api));
	ck_assert_str_eq(find(A)->engine, "podman");
	ck_assert_uint_eq(engine_server.streams, 0);
	engine_api_ask(api, B);
	TURN_UNTIL(loop, find(B) != NULL);
	end();
}
END_TEST

static const char *unknown(const char *id)
{
	(void)id;
	return NULL;
}

START_TEST(a_container_the_engine_does_not_know_is_forgotten)
{
	begin();
	engine_server.inspect = unknown;
	engine_api_ask(api, A);
	TURN_UNTIL(loop, find(A) == NULL);
	end();
}
END_TEST

/* Removed while it was being looked at: the event overtakes the answer. */
static const char *removed_meanwhile(const char *id)
{
	engine_server_event(EVENT("destroy", B));
	engine_server.inspect = unknown;
	return inspect(id);
}

START_TEST(an_answer_overtaken_by_the_removal_does_not_bring_it_back)
{
	begin();
	TURN_UNTIL(loop, engine_server.stream >= 0);
	engine_server.inspect = removed_meanwhile;
	engine_server_event(EVENT("die", B));
	TURN_UNTIL(loop, engine_server.inspect == unknown);
	turn_idle(loop);
	TURN_UNTIL(loop, !engine_api_is_asking(api));
	ck_assert_ptr_null(find(B));
	ck_assert_ptr_nonnull(find(A));
	end();
}
END_TEST

START_TEST(the_cgroup_is_believed_before_the_engine)
{
	begin();
	runtime_store_saw(&store, A, false);
	ck_assert_int_eq(find(A)->state, CONTAINER_EXITED);
	ck_assert(find(A)->doubtful);
	/* Asked again, the engine still says that it runs. */
	engine_api_ask(api, A);
	TURN_UNTIL(loop, !engine_api_is_asking(api));
	ck_assert_int_eq(find(A)->state, CONTAINER_EXITED);
	runtime_store_saw(&store, A, true);
	engine_api_ask(api, A);
	TURN_UNTIL(loop, find(A)->state == CONTAINER_RUNNING && !find(A)->doubtful);
	end();
}
END_TEST

START_TEST(an_engine_that_only_systemd_would_start_is_left_alone)
{
	struct cgroup_tree tree;

	scratch_make();
	ck_assert_int_eq(mkdir(scratch_path("system.slice"), 0700), 0);
	cgroup_tree_init(&tree);
	tree.mode = CGROUP_MODE_V2;
	tree.dirs[CGROUP_UNIFIED] = recorded_dir(".");
	ck_assert(engine_would_be_started(scratch_path("docker.sock"), &tree));
	ck_assert(!engine_would_be_started(scratch_path("podman.sock"), &tree));
	ck_assert(!engine_would_be_started(scratch_path("docker.sock"), NULL));
	recorded_write("docker.pid", "7");
	ck_assert(!engine_would_be_started(scratch_path("docker.sock"), &tree));
	ck_assert_int_eq(unlink(scratch_path("docker.pid")), 0);
	ck_assert_int_eq(mkdir(scratch_path("system.slice/snap.docker.dockerd.service"), 0700), 0);
	ck_assert(!engine_would_be_started(scratch_path("docker.sock"), &tree));
	cgroup_tree_done(&tree);
	scratch_remove();
}
END_TEST

START_TEST(events_are_parsed_strictly)
{
	char id[CONTAINER_ID_MAX + 1] = "x";
	bool removed = true;

#define PARSE(text) engine_event_parse(text, strlen(text), id, &removed, NULL)
	ck_assert_int_eq(PARSE(EVENT("start", A)), 0);
	ck_assert_str_eq(id, A);
	ck_assert(!removed);
	ck_assert_int_eq(PARSE(EVENT("destroy", A)), 0);
	ck_assert(removed);
	ck_assert_int_eq(PARSE(EVENT("starting", A)), 0);
	ck_assert_str_eq(id, "");
	ck_assert_int_eq(PARSE(EVENT("start", "../../x")), 0);
	ck_assert_str_eq(id, "");
	ck_assert_int_eq(
		PARSE("{\"Type\":\"network\",\"Action\":\"destroy\",\"Actor\":{\"ID\":\"ab\"}}"),
		0);
	ck_assert_str_eq(id, "");
	ck_assert_int_eq(PARSE("{\"Type\":\"conta"), -EINVAL);
	ck_assert_int_eq(PARSE("[]"), -EINVAL);
	ck_assert_int_eq(PARSE(""), -EINVAL);
	ck_assert_str_eq(engine_version_parse("x", 1), "docker");
}
END_TEST

RUN_TESTS("engine_api", all_containers_are_known_after_the_first_list,
	events_tell_of_changes_at_once, events_come_in_any_pieces, health_checks_raise_no_questions,
	a_lost_stream_is_followed_by_a_new_list,
	a_socket_nobody_answers_at_is_a_trouble_with_its_name,
	a_socket_this_user_may_not_use_is_a_trouble_with_its_cure, a_missing_socket_is_no_trouble,
	a_broken_list_is_a_trouble, a_refusal_is_a_trouble, podman_is_asked_and_not_followed,
	a_container_the_engine_does_not_know_is_forgotten,
	an_answer_overtaken_by_the_removal_does_not_bring_it_back,
	the_cgroup_is_believed_before_the_engine,
	an_engine_that_only_systemd_would_start_is_left_alone, events_are_parsed_strictly)
