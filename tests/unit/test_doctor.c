/* SPDX-License-Identifier: Apache-2.0
 *
 * Each check says what is wrong and how to mend it, and is content with what is right.
 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/doctor.h"
#include "agent/doctor_checks.h"
#include "agent/listen.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "tests/unit/scratch.h"

static struct config *config;
static struct doctor_context context;
static struct doctor_finding found;

static void setup(void)
{
	scratch_make();
	context = (struct doctor_context){.state_dir = scratch, .config_path = scratch};
}

static void teardown(void)
{
	config_free(config);
	config = NULL;
	scratch_remove();
}

/* The agent in force has this configuration. */
static void use(const char *text)
{
	struct mistakes m = {NULL, 0, 0};

	config_free(config);
	config = NULL;
	ck_assert_int_eq(
		config_from_memory(&options_all, "a.conf", text, strlen(text), &config, &m), 0);
	context.config = config;
}

static void good(void (*check)(const struct doctor_context *, struct doctor_finding *))
{
	memset(&found, 'x', sizeof(found));
	check(&context, &found);
	ck_assert_msg(found.state == DOCTOR_OK, "%.400s", found.text);
	ck_assert(found.text[0] && !found.cure[0]);
}

static void bad(void (*check)(const struct doctor_context *, struct doctor_finding *),
	enum doctor_state state, const char *part)
{
	memset(&found, 'x', sizeof(found));
	check(&context, &found);
	ck_assert_int_eq(found.state, state);
	ck_assert_msg(strstr(found.text, part) != NULL, "%.400s", found.text);
	ck_assert(found.cure[0] != '\0');
}

START_TEST(the_table_is_sorted_and_every_fault_has_a_cure)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
	json_t *all, *one;
	size_t i;

	use("listen = \"127.0.0.1:0\"");
	doctor_json(&context, &b);
	all = json_loads(buf_str(&b), 0, NULL);
	json_array_foreach(all, i, one)
	{
		const char *cure = json_string_value(json_object_get(one, "cure"));
		const char *state = json_string_value(json_object_get(one, "state"));

		ck_assert_str_eq(
			json_string_value(json_object_get(one, "name")), doctor_checks[i].name);
		ck_assert_msg(
			(*cure != '\0') == (strcmp(state, "ok") != 0), "%s", doctor_checks[i].name);
		ck_assert(i == 0 || strcmp(doctor_checks[i - 1].name, doctor_checks[i].name) < 0);
	}
	ck_assert_ptr_null(doctor_checks[i].name);
	ck_assert_uint_gt(i, 8);
	json_decref(all);
}
END_TEST

START_TEST(the_state_folder)
{
	use("");
	ck_assert_int_eq(chmod(scratch, 0700), 0);
	context.state_dir = scratch_path("none/here");
	good(doctor_state_folder);
	good(doctor_space);
	good(doctor_rrd);
	context.state_dir = scratch;
	ck_assert_int_eq(chmod(scratch, 0755), 0);
	bad(doctor_state_folder, DOCTOR_WARNING, "open to all");
	scratch_write("file", "x", 1);
	context.state_dir = scratch_path("file");
	bad(doctor_state_folder, DOCTOR_FAILED, "no folder");
	context.state_dir = scratch_path("file/deep");
	bad(doctor_state_folder, DOCTOR_FAILED, "cannot be made");
	context.state_dir = "/dev/shm";
	if (access("/dev/shm", W_OK) == 0)
		bad(doctor_state_folder, DOCTOR_WARNING, "open to all");
}
END_TEST

START_TEST(measurements_are_counted)
{
	use("");
	ck_assert_int_eq(mkdir(scratch_path("rrd"), 0755), 0);
	ck_assert_int_eq(mkdir(scratch_path("rrd/host"), 0755), 0);
	scratch_write("rrd/host/host.rrd", "", 0);
	scratch_write("rrd/host/other", "", 0);
	good(doctor_rrd);
	ck_assert(str_starts(found.text, "1 file in "));
}
END_TEST

START_TEST(a_port_that_is_taken)
{
	_cleanup_(free_p) char *text = NULL;
	char address[80];
	struct err e;
	int fd = listen_tcp("127.0.0.1:0", address, sizeof(address), &e);

	ck_assert_int_ge(fd, 0);
	text = str_format("listen = \"%s\"", address);
	use(text);
	bad(doctor_port, DOCTOR_FAILED, "in use");
	ck_assert_ptr_nonnull(strstr(found.cure, "ss -ltnp"));
	context.listening = address;
	good(doctor_port);
	context.listening = NULL;
	(void)close(fd);
	good(doctor_port);
	use("listen = \"192.0.2.1:4500\"");
	bad(doctor_port, DOCTOR_FAILED, "192.0.2.1");
}
END_TEST

START_TEST(the_configuration_on_disk)
{
	struct problems *running = problems_new(NULL, NULL);

	use("interval = \"10s\"");
	good(doctor_config);
	scratch_write("agent.conf", "zebra = 1\n", 10);
	bad(doctor_config, DOCTOR_FAILED, "1 mistake: ");
	scratch_write("agent.conf", "interval = \"30s\"\n", 17);
	good(doctor_config); /* without a running agent there is nothing to differ from */
	context.problems = running;
	bad(doctor_config, DOCTOR_WARNING, "interval, retention");
	use("interval = \"30s\"");
	good(doctor_config);
	problems_free(running);
}
END_TEST

START_TEST(problems_of_the_running_agent)
{
	struct problems *running = problems_new(NULL, NULL);

	use("");
	good(doctor_problems);
	context.problems = running;
	good(doctor_problems);
	problem_set(running, "a", "the disk is full");
	bad(doctor_problems, DOCTOR_WARNING, "the disk is full");
	problems_free(running);
}
END_TEST

static int listen_unix(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert(str_copy(a.sun_path, sizeof(a.sun_path), path));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

START_TEST(container_engines)
{
	_cleanup_(free_p) char *text =
		str_format("container_sockets = [\"%s\"]\ndocker_root = \"/nonexistent\"",
			scratch_path("sock"));
	_cleanup_(free_p) char *with_root =
		str_format("container_sockets = [\"%s\"]\ndocker_root = \"%s\"",
			scratch_path("sock"), scratch);
	int fd;

	use("container_sockets = []");
	good(doctor_engines);
	use(text);
	good(doctor_engines);
	use(with_root);
	bad(doctor_engines, DOCTOR_WARNING, "no engine answers");
	fd = listen_unix(scratch_path("sock"));
	good(doctor_engines);
	ck_assert_str_eq(found.text, scratch_path("sock"));
	(void)close(fd);
	bad(doctor_engines, DOCTOR_WARNING, "refused");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("doctor");
	TCase *t = tcase_create("doctor");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_table_is_sorted_and_every_fault_has_a_cure);
	tcase_add_test(t, the_state_folder);
	tcase_add_test(t, measurements_are_counted);
	tcase_add_test(t, a_port_that_is_taken);
	tcase_add_test(t, the_configuration_on_disk);
	tcase_add_test(t, problems_of_the_running_agent);
	tcase_add_test(t, container_engines);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
