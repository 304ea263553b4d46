/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/age_keys.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "backup/age.h"

START_TEST(wrong_recipients_are_refused_with_the_reason)
{
	/* The last one is the point of order 1. */
	static const char *const wrong[] = {"", "age1", "AGE1QQQ", "age1ql3z7hjy54pw3hyww5a",
		"AGE1QL3Z7HJY54PW3HYWW5AYYFG7ZQGVC7W3J2ELW8ZMRJ2KG5SFN9AQMCAC8P",
		"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q",
		"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3J2elw8zmrj2kg5sfn9aqmcac8p",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG",
		"age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqs3290gq"};
	char identity[AGE_IDENTITY_SIZE], recipient[AGE_RECIPIENT_SIZE];
	struct err e = {""};

	ck_assert_int_eq(
		age_recipient_check(
			"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", &e),
		0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		e.msg[0] = '\0';
		ck_assert_msg(age_recipient_check(wrong[i], &e) == -EINVAL, "%s", wrong[i]);
		ck_assert_str_ne(e.msg, "");
	}
	ck_assert_int_eq(age_keygen(identity, recipient, NULL), 0);
	ck_assert_int_eq(age_recipient_check(identity, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "private key"));
	ck_assert_ptr_null(strstr(e.msg, identity + 16));
}
END_TEST

static const struct {
	const char *text, *says;
} others[] = {
	{"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", "age plugin"},
	{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG me@here", "SSH key"},
	{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2e1w8zmrj2kg5sfn9aqmcac8p", "position 40"},
};

static const struct {
	const char *text, *says;
} other_identities[] = {
	{"AGE-PLUGIN-YUBIKEY-1QGQ8QRSZQGGQ8QR", "age plugin"},
	{"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA", "SSH key"},
	{"age-encryption.org/v1\n-> scrypt", "encrypted itself"},
	{"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl", "encrypted itself"},
	{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", "public key"},
};

START_TEST(other_kinds_of_keys_are_refused_by_name)
{
	struct err e = {""};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		ck_assert_int_eq(age_recipient_check(others[i].text, &e), -EINVAL);
		ck_assert_msg(strstr(e.msg, others[i].says) != NULL, "%s", e.msg);
	}
	for (size_t i = 0; i < ARRAY_LEN(other_identities); i++) {
		struct age_identities *ids = NULL;

		ck_assert_int_eq(age_identities_parse(other_identities[i].text, &ids, &e), -EINVAL);
		ck_assert_msg(strstr(e.msg, other_identities[i].says) != NULL, "%s", e.msg);
	}
}
END_TEST

static Suite *keys_suite(void)
{
	Suite *s = suite_create("age_keys");
	TCase *tc = tcase_create("age_keys");

	tcase_add_test(tc, wrong_recipients_are_refused_with_the_reason);
	tcase_add_test(tc, other_kinds_of_keys_are_refused_by_name);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(keys_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
