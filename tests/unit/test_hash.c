/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/hash.h"

START_TEST(sha256_is_that_of_the_standard)
{
	char hex[HASH_SHA256_HEX_SIZE];

	hash_sha256_hex(hex, "abc", 3); /* FIPS 180-4, example 1 */
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_sha256_hex(hex, "", 0);
	ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(sha256_of_pieces_is_that_of_the_whole)
{
	char whole[HASH_SHA256_HEX_SIZE], hex[HASH_SHA256_HEX_SIZE], data[1000];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	hash_sha256_hex(whole, data, sizeof(data));
	for (size_t piece = 1; piece < 200; piece += 31) {
		struct hash_sha256 *h = hash_sha256_new();

		for (size_t at = 0; at < sizeof(data); at += piece)
			hash_sha256_update(h, data + at,
				at + piece < sizeof(data) ? piece : sizeof(data) - at);
		hash_sha256_final(h, hex);
		hash_sha256_free(h);
		ck_assert_str_eq(hex, whole);
	}
	hash_sha256_free(NULL);
}
END_TEST

START_TEST(sha256_of_no_pieces_is_that_of_nothing)
{
	char hex[HASH_SHA256_HEX_SIZE];
	_cleanup_(hash_sha256_free_p) struct hash_sha256 *h = hash_sha256_new();

	hash_sha256_final(h, hex);
	ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

/* RFC 4231, test cases 2 and 6: a short key, and one that is longer than a block. */
START_TEST(hmac_is_that_of_the_standard)
{
	char hex[HASH_SHA256_HEX_SIZE], key[131];
	const char *text = "what do ya want for nothing?";
	const char *text6 = "Test Using Larger Than Block-Size Key - Hash Key First";

	hash_hmac_sha256_hex(hex, "Jefe", 4, text, strlen(text));
	ck_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hash_hmac_sha256_hex(hex, key, sizeof(key), text6, strlen(text6));
	ck_assert_str_eq(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(an_empty_key_is_not_the_key_of_the_call_before)
{
	char a[HASH_SHA256_HEX_SIZE], b[HASH_SHA256_HEX_SIZE];

	hash_hmac_sha256_hex(a, "", 0, "x", 1);
	hash_hmac_sha256_hex(b, "key", 3, "x", 1);
	ck_assert_str_ne(a, b);
	hash_hmac_sha256_hex(b, NULL, 0, "x", 1);
	ck_assert_str_eq(a, b);
}
END_TEST

/* The example of GitHub's documentation of webhooks. */
START_TEST(hmac_of_pieces_is_that_of_the_whole)
{
	const char *key = "It's a Secret to Everybody", *text = "Hello, World!";
	char hex[HASH_SHA256_HEX_SIZE];

	for (size_t piece = 1; piece <= strlen(text); piece++) {
		struct hash_hmac *h = hash_hmac_sha256_new(key, strlen(key));

		for (size_t at = 0; at < strlen(text); at += piece)
			hash_hmac_update(h, text + at, strnlen(text + at, piece));
		hash_hmac_final(h, hex);
		hash_hmac_free(h);
		ck_assert_str_eq(
			hex, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
	}
	hash_hmac_free(NULL);
}
END_TEST

START_TEST(hmac_of_pieces_takes_any_key)
{
	static const size_t lengths[] = {0, 1, 63, 64, 65, 1000};
	char key[1000], whole[HASH_SHA256_HEX_SIZE], hex[HASH_SHA256_HEX_SIZE];

	memset(key, 'k', sizeof(key));
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		_cleanup_(hash_hmac_free_p) struct hash_hmac *h =
			hash_hmac_sha256_new(lengths[i] ? key : NULL, lengths[i]);

		hash_hmac_update(h, "x", 1);
		hash_hmac_final(h, hex);
		hash_hmac_sha256_hex(whole, key, lengths[i], "x", 1);
		ck_assert_str_eq(hex, whole);
	}
}
END_TEST

START_TEST(equal_is_equal_to_the_last_byte)
{
	ck_assert(hash_equal("abc", "abc", 3));
	ck_assert(!hash_equal("abc", "abd", 3));
	ck_assert(!hash_equal("abc", "xbc", 3));
	ck_assert(hash_equal("abc", "abd", 2));
	ck_assert(hash_equal_text("", ""));
	ck_assert(hash_equal_text("secret", "secret"));
	ck_assert(!hash_equal_text("secret", "secre"));
	ck_assert(!hash_equal_text("secret", "secrets"));
	ck_assert(!hash_equal_text("secret", ""));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hash");
	TCase *c = tcase_create("hash");
	SRunner *sr;
	int failed;

	tcase_add_test(c, sha256_is_that_of_the_standard);
	tcase_add_test(c, sha256_of_pieces_is_that_of_the_whole);
	tcase_add_test(c, sha256_of_no_pieces_is_that_of_nothing);
	tcase_add_test(c, hmac_is_that_of_the_standard);
	tcase_add_test(c, an_empty_key_is_not_the_key_of_the_call_before);
	tcase_add_test(c, hmac_of_pieces_is_that_of_the_whole);
	tcase_add_test(c, hmac_of_pieces_takes_any_key);
	tcase_add_test(c, equal_is_equal_to_the_last_byte);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
