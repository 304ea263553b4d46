/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets against deliveries. Signatures that are not computed here are of the senders' own documentation.
 */
#include "deploy-hooks/verify.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base64.h"
#include "base/hash.h"
#include "tests/unit/descriptors.h"

static const char github_secret[] = "It's a Secret to Everybody";
static const char github_body[] = "Hello, World!";
static const char github_hex[] = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/* The example of standardwebhooks.com's own libraries. */
static const char standard_secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char standard_body[] = "{\"test\": 2432232314}";
static const char standard_id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
enum { STANDARD_TIME = 1614265330 };
static const char standard_signature[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

static int body_of(const char *text, size_t n)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
	return fd;
}

static int judge(const struct proof *p, const char *body, size_t n, const char *a, const char *b,
	int64_t now_s)
{
	const char *secrets[] = {a, b};
	int before = count_descriptors(), fd = body_of(body, n), r;
	struct verify *v = NULL;
	struct err e = {""};

	r = verify_new(p, fd, secrets, b ? 2 : 1, &v, &e);
	if (r == 0)
		while ((r = verify_step(v, now_s, &e)) == 1)
			continue;
	if (r < 0)
		ck_assert_str_ne(e.msg, "");
	/* What was judged is judged for good. */
	if (v)
		ck_assert_int_lt(verify_step(v, now_s, &e), 0);
	verify_free(v);
	ck_assert_int_eq(count_descriptors(), before);
	return r;
}

static struct proof proof_of(enum proof_kind kind, const char *value)
{
	struct proof p = {.kind = kind};

	(void)snprintf(p.value, sizeof(p.value), "%s", value);
	return p;
}

static int judge_hex(const char *value)
{
	struct proof p = proof_of(PROOF_HMAC_SHA256, value);

	return judge(&p, github_body, strlen(github_body), github_secret, NULL, 0);
}

START_TEST(the_example_of_github_is_right)
{
	char upper[65];

	ck_assert_int_eq(judge_hex(github_hex), 0);
	for (size_t i = 0; i < sizeof(upper); i++)
		upper[i] = (char)(github_hex[i] >= 'a' ? github_hex[i] - 0x20 : github_hex[i]);
	ck_assert_int_eq(judge_hex(upper), 0);
}
END_TEST

START_TEST(a_byte_more_less_or_other_is_wrong)
{
	struct proof p = proof_of(PROOF_HMAC_SHA256, github_hex);
	char hex[65];

	for (size_t i = 0; i < 64; i++) {
		memcpy(hex, github_hex, sizeof(hex));
		hex[i] = hex[i] == '0' ? '1' : '0';
		ck_assert_int_eq(judge_hex(hex), -EACCES);
	}
	ck_assert_int_eq(judge(&p, "Hello, World", 12, github_secret, NULL, 0), -EACCES);
	ck_assert_int_eq(judge(&p, "Hello, World!\0", 14, github_secret, NULL, 0), -EACCES);
	ck_assert_int_eq(judge(&p, "", 0, github_secret, NULL, 0), -EACCES);
	ck_assert_int_eq(judge(&p, github_body, 13, "another", NULL, 0), -EACCES);
}
END_TEST

START_TEST(what_has_not_the_form_is_refused)
{
	char twice[200], prefixed[100], short_one[65] = "", other[65];

	(void)snprintf(twice, sizeof(twice), "%s,%s", github_hex, github_hex);
	(void)snprintf(prefixed, sizeof(prefixed), "sha1=%s", github_hex);
	(void)snprintf(short_one, sizeof(short_one), "%.63s", github_hex);
	(void)snprintf(other, sizeof(other), "%.63sg", github_hex);
	ck_assert_int_eq(judge_hex(""), -EACCES);
	ck_assert_int_eq(judge_hex(" "), -EACCES);
	ck_assert_int_eq(judge_hex(twice), -EACCES);
	ck_assert_int_eq(judge_hex(prefixed), -EACCES);
	ck_assert_int_eq(judge_hex(short_one), -EACCES);
	ck_assert_int_eq(judge_hex(other), -EACCES);
}
END_TEST

START_TEST(no_signature_and_sha1_are_refused)
{
	struct proof none = proof_of(PROOF_NONE, github_hex);
	struct proof sha1 = proof_of(PROOF_HMAC_SHA1, "0123456789012345678901234567890123456789");

	ck_assert_int_eq(judge(&none, github_body, 13, github_secret, NULL, 0), -EACCES);
	ck_assert_int_eq(judge(&sha1, github_body, 13, github_secret, NULL, 0), -EACCES);
}
END_TEST

START_TEST(without_a_secret_nobody_is_right)
{
	struct proof p = proof_of(PROOF_HMAC_SHA256, ""), token = proof_of(PROOF_TOKEN, "");
	const char *none[] = {""}, *many[] = {"a", "b", "c"};
	struct verify *v = NULL;

	hash_hmac_sha256_hex(p.value, "", 0, github_body, 13);
	ck_assert_int_eq(judge(&p, github_body, 13, "", NULL, 0), -EINVAL);
	ck_assert_int_eq(judge(&p, github_body, 13, github_secret, "", 0), -EINVAL);
	ck_assert_int_eq(judge(&token, github_body, 13, "", NULL, 0), -EINVAL);
	ck_assert_int_eq(verify_new(&p, body_of("", 0), none, 0, &v, NULL), -EINVAL);
	ck_assert_int_eq(verify_new(&p, body_of("", 0), many, 3, &v, NULL), -EINVAL);
	ck_assert_ptr_null(v);
}
END_TEST

START_TEST(two_secrets_are_both_good_while_one_is_replaced)
{
	struct proof p = proof_of(PROOF_HMAC_SHA256, github_hex),
		     token = proof_of(PROOF_TOKEN, "new");

	ck_assert_int_eq(judge(&p, github_body, 13, github_secret, "new", 0), 0);
	ck_assert_int_eq(judge(&p, github_body, 13, "new", github_secret, 0), 0);
	ck_assert_int_eq(judge(&p, github_body, 13, "new", "old", 0), -EACCES);
	ck_assert_int_eq(judge(&token, "", 0, "old", "new", 0), 0);
	ck_assert_int_eq(judge(&token, "", 0, "new", "old", 0), 0);
	ck_assert_int_eq(judge(&token, "", 0, "newer", "ne", 0), -EACCES);
}
END_TEST

START_TEST(a_token_is_the_secret_itself)
{
	struct proof token = proof_of(PROOF_TOKEN, "abc"), path = proof_of(PROOF_PATH, "abc");
	struct proof empty = proof_of(PROOF_TOKEN, "");

	ck_assert_int_eq(judge(&token, "x", 1, "abc", NULL, 0), 0);
	ck_assert_int_eq(judge(&path, "x", 1, "abc", NULL, 0), 0);
	ck_assert_int_eq(judge(&token, "x", 1, "abcd", NULL, 0), -EACCES);
	ck_assert_int_eq(judge(&token, "x", 1, "ABC", NULL, 0), -EACCES);
	ck_assert_int_eq(judge(&empty, "x", 1, "abc", NULL, 0), -EACCES);
}
END_TEST

static struct proof standard(const char *value)
{
	struct proof p = proof_of(PROOF_STANDARD, value);

	(void)snprintf(p.id, sizeof(p.id), "%s", standard_id);
	p.timestamp_s = STANDARD_TIME;
	return p;
}

static int judge_standard(const struct proof *p, int64_t now_s)
{
	return judge(p, standard_body, strlen(standard_body), standard_secret, NULL, now_s);
}

START_TEST(the_example_of_standard_webhooks_is_right)
{
	struct proof p = standard(standard_signature);

	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME), 0);
	p.id[0] = 'n';
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME), -EACCES);
	p = standard(standard_signature);
	p.timestamp_s++;
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME), -EACCES);
}
END_TEST

START_TEST(one_right_signature_of_several_will_do)
{
	struct proof p = standard("");
	const char *wrong = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

	(void)snprintf(p.value, sizeof(p.value), "v1a,Zm9v %s v2,%s  %s", wrong,
		standard_signature + 3, standard_signature);
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME), 0);
	p = standard(wrong);
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME), -EACCES);
}
END_TEST

START_TEST(standard_webhooks_without_the_form_are_refused)
{
	static const char *const values[] = {"", "v1", "v1,", "v1,Zm9v", "g0hM9SsE", " ",
		"v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O!=",
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=x"};
	struct proof p;

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		p = standard(values[i]);
		ck_assert_msg(judge_standard(&p, STANDARD_TIME) == -EACCES, "%s", values[i]);
	}
	p = standard(standard_signature);
	p.id[0] = '\0';
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME), -EACCES);
	p = standard(standard_signature);
	p.timestamp_s = 0;
	ck_assert_int_eq(judge_standard(&p, 0), -EACCES);
}
END_TEST

START_TEST(a_right_signature_lives_five_minutes)
{
	struct proof p = standard(standard_signature);

	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME + VERIFY_WINDOW_S), 0);
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME - VERIFY_WINDOW_S), 0);
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME + VERIFY_WINDOW_S + 1), -ETIME);
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME - VERIFY_WINDOW_S - 1), -ETIME);
	/* Who has not the secret is not told whether the time would do. */
	p = standard("v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME + 10000), -EACCES);
	p.timestamp_s = INT64_MAX;
	ck_assert_int_eq(judge_standard(&p, STANDARD_TIME), -EACCES);
}
END_TEST

START_TEST(a_secret_without_whsec_is_the_key_itself)
{
	struct proof p = standard("");
	const char *signed_text = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.x";
	struct buf text = BUF_INIT(100);
	char hex[65];
	unsigned char bytes[32];

	hash_hmac_sha256_hex(hex, "plain key", 9, signed_text, strlen(signed_text));
	for (size_t i = 0; i < 32; i++)
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2hhx", &bytes[i]), 1);
	base64_encode(&text, bytes, sizeof(bytes), 0);
	(void)snprintf(p.value, sizeof(p.value), "v1,%s", text.data);
	buf_done(&text);
	ck_assert_int_eq(judge(&p, "x", 1, "plain key", NULL, STANDARD_TIME), 0);
	ck_assert_int_eq(judge(&p, "x", 1, "whsec_not base64", NULL, STANDARD_TIME), -EINVAL);
	ck_assert_int_eq(judge(&p, "x", 1, "whsec_", NULL, STANDARD_TIME), -EINVAL);
}
END_TEST

START_TEST(a_large_body_is_hashed_in_slices)
{
	static char body[3 * VERIFY_SLICE_BYTES + 17];
	const char *secrets[] = {"k"};
	struct proof p = proof_of(PROOF_HMAC_SHA256, "");
	struct verify *v = NULL;
	int steps = 1;

	memset(body, 'b', sizeof(body));
	hash_hmac_sha256_hex(p.value, "k", 1, body, sizeof(body));
	ck_assert_int_eq(verify_new(&p, body_of(body, sizeof(body)), secrets, 1, &v, NULL), 0);
	while (verify_step(v, 0, NULL) == 1)
		steps++;
	ck_assert_int_eq(steps, 4);
	verify_free(v);
	ck_assert_int_eq(judge(&p, body, sizeof(body), "k", NULL, 0), 0);
	verify_free(NULL);
}
END_TEST

START_TEST(more_than_25_mib_is_too_much)
{
	struct proof p = proof_of(PROOF_HMAC_SHA256, github_hex);
	const char *secrets[] = {"k"};
	struct verify *v = NULL;
	int fd = body_of("", 0), r;

	ck_assert_int_eq(ftruncate(fd, DELIVERY_BODY_MAX + 1), 0);
	ck_assert_int_eq(verify_new(&p, fd, secrets, 1, &v, NULL), 0);
	while ((r = verify_step(v, 0, NULL)) == 1)
		continue;
	ck_assert_int_eq(r, -E2BIG);
	verify_free(v);
}
END_TEST

static int judge_form(const char *form, const char *signed_text)
{
	struct proof p = proof_of(PROOF_HMAC_SHA256, "");

	p.signs_field = true;
	hash_hmac_sha256_hex(p.value, "k", 1, signed_text, strlen(signed_text));
	return judge(&p, form, strlen(form), "k", NULL, 0);
}

START_TEST(gitea_signs_what_is_in_the_form)
{
	ck_assert_int_eq(judge_form("payload=%7B%22a%22%3A+1%7d", "{\"a\": 1}"), 0);
	ck_assert_int_eq(judge_form("x=1&payload=ab&y=%zz", "ab"), 0);
	ck_assert_int_eq(judge_form("payload=", ""), 0);
	/* Not the body as it came, nor the same with another field's text. */
	ck_assert_int_eq(judge_form("payload=a%62", "payload=a%62"), -EACCES);
	ck_assert_int_eq(judge_form("payloads=ab", "ab"), -EACCES);
	ck_assert_int_eq(judge_form("payload=ab&payload=cd", "ab"), -EACCES);
	ck_assert_int_eq(judge_form("pay%6Coad=cd&payload=ab", "ab"), -EACCES);
	ck_assert_int_eq(judge_form("payload=ab%4", "ab"), -EACCES);
	ck_assert_int_eq(judge_form("", ""), -EACCES);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("verify");
	TCase *c = tcase_create("verify");
	SRunner *sr;
	int failed;

	tcase_add_test(c, the_example_of_github_is_right);
	tcase_add_test(c, a_byte_more_less_or_other_is_wrong);
	tcase_add_test(c, what_has_not_the_form_is_refused);
	tcase_add_test(c, no_signature_and_sha1_are_refused);
	tcase_add_test(c, without_a_secret_nobody_is_right);
	tcase_add_test(c, two_secrets_are_both_good_while_one_is_replaced);
	tcase_add_test(c, a_token_is_the_secret_itself);
	tcase_add_test(c, the_example_of_standard_webhooks_is_right);
	tcase_add_test(c, one_right_signature_of_several_will_do);
	tcase_add_test(c, standard_webhooks_without_the_form_are_refused);
	tcase_add_test(c, a_right_signature_lives_five_minutes);
	tcase_add_test(c, a_secret_without_whsec_is_the_key_itself);
	tcase_add_test(c, a_large_body_is_hashed_in_slices);
	tcase_add_test(c, more_than_25_mib_is_too_much);
	tcase_add_test(c, gitea_signs_what_is_in_the_form);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
