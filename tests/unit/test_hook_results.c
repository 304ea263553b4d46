/* SPDX-License-Identifier: Apache-2.0
 *
 * What hooks answer, and how they lie.
 */
#include "deploy-hooks/hook.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static const char digest[] =
	"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static struct deploy d;
static struct err e;

static int answer(const char *stage, const char *text)
{
	e.msg[0] = '\0';
	return hook_results(hook_stage_find(stage), text, strlen(text), &d, &e);
}

static void empty(void)
{
	memset(&d, 0, sizeof(d));
	d.downtime_ms = -1;
}

START_TEST(a_stage_sets_what_is_its)
{
	char text[300];

	(void)snprintf(text, sizeof(text),
		"image=registry.example:5000/shop/web:1a2b3c-7\ndigest=%s\n", digest);
	ck_assert_int_eq(answer("build", text), 0);
	ck_assert_str_eq(d.new.image, "registry.example:5000/shop/web:1a2b3c-7");
	ck_assert_str_eq(d.new.digest, digest);
	ck_assert_int_eq(
		answer("start", "container=shop-7\naddress=172.17.0.3:8080\ndowntime_ms=12"), 0);
	ck_assert_str_eq(d.new.container, "shop-7");
	ck_assert_str_eq(d.new.address, "172.17.0.3:8080");
	ck_assert_int_eq(d.downtime_ms, 12);
	ck_assert_int_eq(answer("fetch", "commit=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
					 "author=Zoë \"Z\" O'Neil\nsubject=a = b; $(id)\n"),
		0);
	ck_assert_str_eq(d.commit, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	ck_assert_str_eq(d.author, "Zoë \"Z\" O'Neil");
	ck_assert_str_eq(d.subject, "a = b; $(id)");
	/* Nothing of before is lost by what does not speak of it. */
	ck_assert_str_eq(d.new.digest, digest);
}
END_TEST

START_TEST(nothing_is_an_answer)
{
	ck_assert_int_eq(answer("release", ""), 0);
	ck_assert_int_eq(answer("release", "\n\n# a remark\n"), 0);
	ck_assert_int_eq(answer("post-deploy", ""), 0);
}
END_TEST

START_TEST(the_last_of_a_key_counts)
{
	ck_assert_int_eq(answer("build", "image=a\nimage=b\n"), 0);
	ck_assert_str_eq(d.new.image, "b");
}
END_TEST

START_TEST(a_stage_sets_nothing_that_is_not_its)
{
	static const char *const bad[][2] = {{"release", "image=x\n"}, {"fetch", "image=x\n"},
		{"post-deploy", "image=x\n"}, {"build", "container=x\n"}, {"build", "state=done\n"},
		{"build", "imag=x\n"}, {"build", "=x\n"}, {"build", "image digest=x\n"},
		{"build", " image=x\n"}, {"start", "serves=new\n"}};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(answer(bad[i][0], bad[i][1]) == -EBADMSG, "%s", bad[i][1]);
		ck_assert_ptr_nonnull(strstr(e.msg, "line 1"));
	}
	ck_assert_str_eq(d.new.image, "");
}
END_TEST

START_TEST(values_have_their_form)
{
	static const char *const bad[] = {"image=", "image=-it", "image=a b", "image=$(id)",
		"image=a;b", "image='a'", "digest=", "digest=latest", "digest=sha256:xyz",
		"digest=sha256:ab", "container=", "container=--privileged", "container=a/b",
		"container=../x", "address=", "address=8080", "address=:80", "address=1.2.3.4:0",
		"address=1.2.3.4:65536", "address=1.2.3.4:80:90", "address=1.2.3.4:80 ",
		"address=[::1:80", "address=[]:", "address=-x:80", "downtime_ms=", "downtime_ms=-1",
		"downtime_ms=1s", "downtime_ms=99999999999999999999", "image"};
	static const char *const good[] = {"image=/nix/store/abc-shop-1.0",
		"container=shop@12.service", "address=[fd00::3]:8080", "address=localhost:1",
		"image=a@sha256:12", "downtime_ms=0"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(answer("start", bad[i]) == -EBADMSG, "%s", bad[i]);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(answer("start", good[i]) == 0, "%s: %s", good[i], e.msg);
	ck_assert_int_eq(answer("fetch", "commit=HEAD\n"), -EBADMSG);
	ck_assert_int_eq(
		answer("fetch", "commit=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), -EBADMSG);
}
END_TEST

START_TEST(a_mistake_in_the_last_line_leaves_nothing_of_the_first)
{
	ck_assert_int_eq(answer("build", "image=a\ndigest=x\n"), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, "line 2"));
	ck_assert_str_eq(d.new.image, "");
}
END_TEST

START_TEST(control_characters_are_refused)
{
	static const char nul[] = "image=a\0b\n";

	ck_assert_int_eq(
		hook_results(hook_stage_find("build"), nul, sizeof(nul) - 1, &d, &e), -EBADMSG);
	ck_assert_int_eq(answer("build", "image=a\r\n"), -EBADMSG);
	ck_assert_int_eq(answer("fetch", "subject=\033]0;x\a\n"), -EBADMSG);
	ck_assert_int_eq(answer("fetch", "subject=\xff\n"), -EBADMSG);
	ck_assert_int_eq(answer("fetch", "subject=\xc3"), -EBADMSG);
	ck_assert_str_eq(d.subject, "");
}
END_TEST

START_TEST(too_much_is_refused)
{
	static char text[HOOK_OUTPUT_MAX + 2];

	memset(text, '\n', sizeof(text) - 1);
	ck_assert_int_eq(answer("build", text), -EBADMSG);
	text[HOOK_OUTPUT_MAX] = '\0';
	ck_assert_int_eq(answer("build", text), 0);
}
END_TEST

START_TEST(what_is_too_long_is_cut_only_where_people_read_it)
{
	char text[2000];

	memset(text, 'a', sizeof(text));
	memcpy(text, "image=", 6);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(answer("build", text), -EBADMSG);
	memcpy(text, "subject=", 8);
	ck_assert_int_eq(answer("fetch", text), 0);
	ck_assert_uint_eq(strlen(d.subject), sizeof(d.subject) - 1);
}
END_TEST

static int seen_of(const char *text)
{
	enum recovery_seen seen = RECOVERY_SEEN;
	int r = hook_status(text, strlen(text), &seen, &e);

	return r < 0 ? r : (int)seen;
}

START_TEST(status_says_who_serves)
{
	ck_assert_int_eq(seen_of("serves=old\n"), RECOVERY_OLD);
	ck_assert_int_eq(seen_of("serves=new"), RECOVERY_NEW);
	ck_assert_int_eq(seen_of("serves=neither\n"), RECOVERY_NEITHER);
	ck_assert_int_eq(seen_of("serves=unknown\n"), RECOVERY_UNKNOWN);
	ck_assert_int_eq(seen_of(""), RECOVERY_UNKNOWN);
	ck_assert_int_eq(seen_of("serves=newer\n"), -EBADMSG);
	ck_assert_int_eq(seen_of("image=x\n"), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hook_results");
	TCase *c = tcase_create("hook_results");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, empty, NULL);
	tcase_add_test(c, a_stage_sets_what_is_its);
	tcase_add_test(c, nothing_is_an_answer);
	tcase_add_test(c, the_last_of_a_key_counts);
	tcase_add_test(c, a_stage_sets_nothing_that_is_not_its);
	tcase_add_test(c, values_have_their_form);
	tcase_add_test(c, a_mistake_in_the_last_line_leaves_nothing_of_the_first);
	tcase_add_test(c, control_characters_are_refused);
	tcase_add_test(c, too_much_is_refused);
	tcase_add_test(c, what_is_too_long_is_cut_only_where_people_read_it);
	tcase_add_test(c, status_says_who_serves);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
