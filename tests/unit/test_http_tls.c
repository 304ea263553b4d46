/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_client.h"
#include "tests/unit/http_answer.h"
#include "tests/unit/tls_server.h"

static struct tls_server secure;

static void get_from(struct answer *a, const char *host, const char *ca_file)
{
	char url[100];

	(void)snprintf(url, sizeof(url), "https://%s:%d/", host, secure.port);
	launch(a, (struct http_request_options){.url = url, .ca_file = ca_file});
	TURN_UNTIL(loop, a->count);
}

static void begin(void)
{
	start_server();
	tls_make_certificate("own", "IP:127.0.0.1");
	secure = tls_server_start("own");
}

static void finish(void)
{
	tls_server_stop(&secure);
	stop_server();
}

START_TEST(an_authority_of_ones_own_is_trusted_when_it_is_given)
{
	struct answer a = {0};

	get_from(&a, "127.0.0.1", scratch_path("own.pem"));
	ck_assert_msg(a.error == 0, "%s", a.message);
	ck_assert_int_eq(a.status, 200);
}
END_TEST

START_TEST(it_is_not_trusted_otherwise)
{
	struct answer with = {0}, without = {0};

	/* A connection that was made with other certificates is not used again. */
	get_from(&with, "127.0.0.1", scratch_path("own.pem"));
	ck_assert_int_eq(with.error, 0);
	get_from(&without, "127.0.0.1", NULL);
	ck_assert_int_eq(without.error, -EPROTO);
	ck_assert_int_eq(without.status, 0);
	ck_assert_ptr_nonnull(strstr(without.message, "certificate"));
}
END_TEST

START_TEST(only_the_given_authority_is_trusted)
{
	struct answer a = {0};

	tls_make_certificate("other", "IP:127.0.0.1");
	get_from(&a, "127.0.0.1", scratch_path("other.pem"));
	ck_assert_int_eq(a.error, -EPROTO);
}
END_TEST

START_TEST(the_name_must_be_that_of_the_certificate)
{
	struct answer a = {0};

	get_from(&a, "localhost", scratch_path("own.pem"));
	ck_assert_int_eq(a.error, -EPROTO);
}
END_TEST

START_TEST(a_file_that_is_not_there_trusts_nobody)
{
	struct answer a = {0};

	get_from(&a, "127.0.0.1", scratch_path("none.pem"));
	ck_assert_int_eq(a.error, -EPROTO);
	ck_assert_ptr_nonnull(strstr(a.message, "none.pem"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_tls");
	TCase *tc = tcase_create("http_tls");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, begin, finish);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_authority_of_ones_own_is_trusted_when_it_is_given);
	tcase_add_test(tc, it_is_not_trusted_otherwise);
	tcase_add_test(tc, only_the_given_authority_is_trusted);
	tcase_add_test(tc, the_name_must_be_that_of_the_certificate);
	tcase_add_test(tc, a_file_that_is_not_there_trusts_nobody);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
