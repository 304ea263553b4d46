/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/engine_redis.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/engine_case.h"

#define MARK "0123456789abcdef0123456789abcdef01234567"

static void make_call(void)
{
	call_new("redis");
}

/* --- the program's output */

/* A program that prints `text` in pieces. */
struct printer {
	struct source source;
	const char *text;
	size_t left, piece;
	bool fails, read_end;
};

/* Readable, as a pipe is, until its end was read. */
static int printer_fd(struct source *s)
{
	return ((struct printer *)s)->read_end ? 99 : 7;
}

static ssize_t printer_read(struct source *s, void *to, size_t n, struct err *why)
{
	struct printer *p = (struct printer *)s;

	(void)why;
	n = n < p->piece ? n : p->piece;
	n = n < p->left ? n : p->left;
	memcpy(to, p->text, n);
	p->read_end = p->left == 0;
	p->text += n;
	p->left -= n;
	return (ssize_t)n;
}

static int printer_finish(struct source *s, struct err *why)
{
	return ((struct printer *)s)->fails
		       ? err_set(why, EREMOTEIO, "redis-cli: exit status 1: NOAUTH")
		       : 0;
}

static void printer_free(struct source *s)
{
	(void)s;
}

static const struct source_ops printer_ops = {
	printer_fd, printer_read, printer_finish, printer_free};

static void check_dump(const char *printed, size_t n, const char *want, size_t want_n)
{
	static const size_t pieces[] = {1, 2, 7, 39, 40, 41, 100000};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct printer p = {{&printer_ops}, printed, n, pieces[i], false, false};
		struct source *s = redis_dump_source(&p.source);
		struct buf got = BUF_INIT(1000000);
		char piece[64];
		ssize_t r;

		/* Nobody may wait for a descriptor that gets readable no more. */
		for (;;) {
			ck_assert_int_ne(source_fd(s), 99);
			r = source_read(s, piece, sizeof(piece), &e);
			if (r <= 0)
				break;
			buf_add(&got, piece, (size_t)r);
		}
		ck_assert_int_eq(r, 0);
		ck_assert_int_eq(source_finish(s, &e), 0);
		ck_assert_uint_eq(got.len, want_n);
		ck_assert_int_eq(memcmp(buf_str(&got), want, want_n), 0);
		buf_done(&got);
		source_free(s);
	}
}

#define DUMP                                                                                       \
	"REDIS0010 keys\nand\nvalues \xff"                                                         \
	"12345678"

START_TEST(the_mark_behind_a_dump_is_cut_off)
{
	check_dump(DUMP MARK, sizeof(DUMP MARK) - 1, DUMP, sizeof(DUMP) - 1);
}
END_TEST

START_TEST(a_dump_without_a_mark_stays_whole)
{
	check_dump(DUMP, sizeof(DUMP) - 1, DUMP, sizeof(DUMP) - 1);
}
END_TEST

START_TEST(lines_of_old_programs_are_left_out)
{
	static const char printed[] = "sending REPLCONF capa eof\nSYNC sent to master\n" DUMP MARK;

	check_dump(printed, sizeof(printed) - 1, DUMP, sizeof(DUMP) - 1);
}
END_TEST

START_TEST(valkeys_own_format_is_known)
{
	check_dump("VALKEY080 x" MARK, 51, "VALKEY080 x", 11);
}
END_TEST

/* What is no dump is given on as it is, for the format's check to refuse. */
START_TEST(row_01_an_error_is_not_taken_for_a_dump)
{
	static const char printed[] = "SYNC with master failed: -NOPERM no\n";

	check_dump(printed, sizeof(printed) - 1, printed, sizeof(printed) - 1);
}
END_TEST

START_TEST(a_failure_of_the_program_has_a_cure)
{
	struct printer p = {{&printer_ops}, "", 0, 1, true, false};
	struct source *s = redis_dump_source(&p.source);

	ck_assert_int_eq(source_finish(s, &e), -EREMOTEIO);
	ck_assert_str_eq(e.msg, "redis-cli: exit status 1: NOAUTH; check user and password_file");
	source_free(s);
}
END_TEST

/* --- versions and answers */

static void check_version(const char *text, const char *version, int number)
{
	char have[32];

	ck_assert_int_eq(redis_tool_version(text, have, &e), 0);
	ck_assert_str_eq(have, version);
	ck_assert_int_eq(redis_version_number(have), number);
}

START_TEST(versions_are_read)
{
	char version[32];

	check_version("redis-cli 7.0.15\n", "7.0.15", 70015);
	check_version(
		"Redis server v=6.2.14 sha=00000000:0 malloc=jemalloc-5.2.1", "6.2.14", 60214);
	check_version("Valkey server v=8.0.1 sha=0:0", "8.0.1", 80001);
	check_version("valkey-cli 8.1", "8.1", 80100);
	ck_assert_int_eq(redis_tool_version("not found", version, &e), -EBADMSG);
	ck_assert_int_eq(redis_tool_version("v=", version, &e), -EBADMSG);
	ck_assert_int_eq(redis_tool_version("redis-cli 700.1.1", version, &e), -EBADMSG);
	ck_assert_int_eq(redis_version_number("x"), 0);
}
END_TEST

static struct redis_info info_of(const char *text)
{
	struct redis_info i;

	buf_init(&i.text, REDIS_ANSWER_MAX);
	buf_adds(&i.text, text);
	return i;
}

START_TEST(info_is_read)
{
	struct redis_info i = info_of("# Server\r\nredis_version:7.0.15\r\nloading:0\r\n"
				      "role:master\r\n# Keyspace\r\n"
				      "db0:keys=12,expires=3,avg_ttl=0\r\n"
				      "db15:keys=2,expires=2,avg_ttl=9,subexpiry=0\r\n");
	struct redis_keys keys;
	char version[64];

	redis_info_keys(&i, &keys);
	ck_assert_int_eq(keys.keys, 14);
	ck_assert_int_eq(keys.lasting, 9);
	ck_assert_int_eq(keys.databases, 2);
	ck_assert(redis_info_is(&i, "role", "master"));
	ck_assert(!redis_info_is(&i, "ole", "master"));
	ck_assert_int_eq(redis_info_number(&i, "loading"), 0);
	ck_assert_int_eq(redis_info_number(&i, "redis_version"), -1);
	ck_assert_int_eq(redis_info_number(&i, "absent"), -1);
	redis_info_version(&i, version, sizeof(version));
	ck_assert_str_eq(version, "7.0.15");
	redis_info_done(&i);
}
END_TEST

/* Valkey says a version of Redis too, that it is compatible with. */
START_TEST(valkey_says_its_own_version)
{
	struct redis_info i = info_of("# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\n"
				      "valkey_version:8.0.1\r\n");
	char version[64];

	redis_info_version(&i, version, sizeof(version));
	ck_assert_str_eq(version, "Valkey 8.0.1");
	redis_info_done(&i);
}
END_TEST

START_TEST(refusals_have_a_cure)
{
	ck_assert_int_eq(
		redis_refused("CONFIG SET masterauth", "NOPERM this user has no permissions\n", &e),
		-EACCES);
	ck_assert_str_eq(e.msg,
		"CONFIG: NOPERM this user has no permissions; give the user the right to do that "
		"(ACL SETUSER)");
	ck_assert_int_eq(redis_refused("INFO", "", &e), -EREMOTEIO);
	ck_assert_str_eq(e.msg, "INFO: no answer");
	ck_assert_ptr_null(redis_cure("something else"));
	ck_assert_ptr_nonnull(redis_server_cure("# Can't handle RDB format version 99"));
	ck_assert_ptr_null(redis_server_cure("killed"));
}
END_TEST

/* --- commands */

static void check_connection(const char *want_argv, const char *want_env)
{
	struct args argv = {NULL, 0}, env = {NULL, 0};

	redis_connection(&call, &argv, &env);
	ck_assert_str_eq(joined(&argv), want_argv);
	ck_assert_str_eq(joined(&env), want_env);
	args_done(&argv);
	args_done(&env);
}

START_TEST(row_32_the_password_is_in_no_argument)
{
	static const char *tls[] = {"--tls", NULL};

	check_connection("-h 127.0.0.1 -p 6379 --no-auth-warning", "LC_ALL=C");
	call.password = "hush";
	job.user = "backup";
	job.host = "10.0.0.5";
	job.port = 7000;
	job.arguments = (struct job_list){tls, 1};
	check_connection("-h 10.0.0.5 -p 7000 --user backup --no-auth-warning --tls",
		"LC_ALL=C REDISCLI_AUTH=hush");
	job.host = NULL;
	job.socket = "/run/redis/s";
	check_connection("-s /run/redis/s --user backup --no-auth-warning --tls",
		"LC_ALL=C REDISCLI_AUTH=hush");
}
END_TEST

START_TEST(a_throw_away_server_is_reached_as_the_call_says)
{
	static const char *tls[] = {"--tls", NULL};

	job.user = "backup";
	job.socket = "/run/redis/s";
	job.arguments = (struct job_list){tls, 1};
	call.host = "127.0.0.1";
	call.login = "default";
	call.password = "throw-away";
	call.port = 61001;
	call.drill = &call;
	check_connection("-h 127.0.0.1 -p 61001 --user default --no-auth-warning",
		"LC_ALL=C REDISCLI_AUTH=throw-away");
}
END_TEST

static void check_modules(const char *text, const char *want)
{
	struct args a = {NULL, 0};

	redis_modules_add(&a, text);
	ck_assert_str_eq(joined(&a), want);
	args_done(&a);
}

START_TEST(modules_are_loaded_as_the_server_has_them)
{
	check_modules("", "");
	check_modules("\n", "");
	check_modules("name\nbf\nver\n20612\npath\n/m/bf.so\nargs\n\n", "--loadmodule /m/bf.so");
	check_modules("name\nbf\nver\n1\npath\n/m/bf.so\nargs\nERROR_RATE\n0.1\n"
		      "name\njson\nver\n2\npath\n/m/json.so\nargs\n\n",
		"--loadmodule /m/bf.so ERROR_RATE 0.1 --loadmodule /m/json.so");
	check_modules("name\nvectorset\nver\n1\npath\n\nargs\n\n", "");
	check_modules("name\nold\nver\n1\n", "");
	check_modules("ERR unknown command 'MODULE'\n", "");
}
END_TEST

static void check_job(int want, const char *words)
{
	e.msg[0] = '\0';
	ck_assert_int_eq(engine_redis.check_job(&job, &e), want);
	ck_assert_msg(strstr(e.msg, words) != NULL, "%s", e.msg);
}

START_TEST(options_that_do_not_fit)
{
	static const char *names[] = {"3", NULL};

	check_job(0, "");
	job.socket = "/run/redis/s";
	check_job(0, "");
	job.port = 6379;
	check_job(-EINVAL, "socket: ");
	job.socket = NULL;
	job.user = "backup";
	check_job(-EINVAL, "user: needs password_file");
	job.password_file = "/etc/agent/redis.password";
	check_job(0, "");
	job.database = (struct job_list){names, 1};
	check_job(-EINVAL, "database: ");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine_redis");
	TCase *t = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, make_call, call_done);
	tcase_add_test(t, the_mark_behind_a_dump_is_cut_off);
	tcase_add_test(t, a_dump_without_a_mark_stays_whole);
	tcase_add_test(t, lines_of_old_programs_are_left_out);
	tcase_add_test(t, valkeys_own_format_is_known);
	tcase_add_test(t, row_01_an_error_is_not_taken_for_a_dump);
	tcase_add_test(t, a_failure_of_the_program_has_a_cure);
	tcase_add_test(t, versions_are_read);
	tcase_add_test(t, info_is_read);
	tcase_add_test(t, valkey_says_its_own_version);
	tcase_add_test(t, refusals_have_a_cure);
	tcase_add_test(t, row_32_the_password_is_in_no_argument);
	tcase_add_test(t, a_throw_away_server_is_reached_as_the_call_says);
	tcase_add_test(t, modules_are_loaded_as_the_server_has_them);
	tcase_add_test(t, options_that_do_not_fit);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
