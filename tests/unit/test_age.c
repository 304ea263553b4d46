/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/age.h"
#include "streams.h"

#define CHUNK ((size_t)64 * 1024)
#define BIG (3 * CHUNK + 100)
static unsigned char big[BIG];
static char identity[AGE_IDENTITY_SIZE], recipient[AGE_RECIPIENT_SIZE];
static char other_identity[AGE_IDENTITY_SIZE], other_recipient[AGE_RECIPIENT_SIZE];

static void keys(void)
{
	ck_assert_int_eq(age_keygen(identity, recipient, NULL), 0);
	ck_assert_int_eq(age_keygen(other_identity, other_recipient, NULL), 0);
}

static void encrypt_for(const struct age_encrypt *o, size_t n, size_t piece, struct memory_sink *to)
{
	struct sink *s;
	struct err e = {""};

	memory_sink_init(to);
	ck_assert_msg(age_encryptor_new(o, &to->sink, &s, &e) == 0, "%s", e.msg);
	for (size_t at = 0; at < n; at += piece)
		ck_assert_int_eq(sink_write(s, big + at, n - at < piece ? n - at : piece, &e), 0);
	ck_assert_int_eq(sink_finish(s, &e), 0);
	sink_free(s);
	ck_assert(!to->is_finished);
}

static void encrypt(size_t n, struct memory_sink *to)
{
	const char *const to_whom[] = {recipient};
	const struct age_encrypt o = {to_whom, 1, NULL};

	encrypt_for(&o, n, 7777, to);
}

static int decrypt_as(const struct age_decrypt *o, const void *data, size_t n, size_t piece,
	struct buf *out, struct err *e)
{
	struct memory_reader from;
	_cleanup_(reader_free_p) struct reader *r = NULL;
	int ret;

	memory_reader_init(&from, data, n, piece);
	buf_clear(out);
	ret = age_decryptor_new(o, &from.reader, &r, e);
	return ret < 0 ? ret : read_all(r, 5000, out, e);
}

static int decrypt(const void *data, size_t n, struct buf *out, struct err *e)
{
	const struct age_decrypt o = {identity, NULL};

	return decrypt_as(&o, data, n, 3000, out, e);
}

START_TEST(what_goes_in_comes_out)
{
	const size_t sizes[] = {0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, BIG};
	const size_t pieces[] = {1000, CHUNK, CHUNK + 1, BIG};
	const char *const to_whom[] = {recipient};
	const struct age_encrypt o = {to_whom, 1, NULL};
	struct buf out = BUF_INIT(2 * BIG);
	struct err e = {""};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t j = 0; j < ARRAY_LEN(pieces); j++) {
			struct memory_sink enc;

			encrypt_for(&o, sizes[i], pieces[j], &enc);
			ck_assert_msg(
				decrypt(enc.got.data, enc.got.len, &out, &e) == 0, "%s", e.msg);
			ck_assert_uint_eq(out.len, sizes[i]);
			ck_assert(out.len == 0 || memcmp(out.data, big, out.len) == 0);
			buf_done(&enc.got);
		}
	buf_done(&out);
}
END_TEST

START_TEST(every_changed_bit_is_noticed)
{
	struct memory_sink enc;
	struct buf out = BUF_INIT(2 * BIG);

	encrypt(50, &enc);
	for (size_t i = 0; i < enc.got.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			int r;

			enc.got.data[i] = (char)(enc.got.data[i] ^ 1 << bit);
			r = decrypt(enc.got.data, enc.got.len, &out, NULL);
			/* A share or wrapped key that was changed is that of somebody else. */
			ck_assert_msg(r == -EBADMSG || r == -EKEYREJECTED, "bit %u of byte %zu: %d",
				bit, i, r);
			ck_assert_uint_eq(out.len, 0);
			enc.got.data[i] = (char)(enc.got.data[i] ^ 1 << bit);
		}
	ck_assert_int_eq(decrypt(enc.got.data, enc.got.len, &out, NULL), 0);
	buf_done(&enc.got);
	buf_done(&out);
}
END_TEST

START_TEST(a_file_that_is_cut_is_refused)
{
	const size_t sizes[] = {0, 50, CHUNK, 2 * CHUNK, BIG};
	struct buf out = BUF_INIT(2 * BIG);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct memory_sink enc;
		size_t head;

		encrypt(sizes[i], &enc);
		head = enc.got.len - sizes[i] -
		       16 * (sizes[i] ? (sizes[i] + CHUNK - 1) / CHUNK : 1);
		for (size_t cut = 0; cut < enc.got.len;) {
			int r = decrypt(enc.got.data, cut, &out, NULL);

			ck_assert_msg(r == -EBADMSG, "%zu cut at %zu of %zu: %d", sizes[i], cut,
				enc.got.len, r);
			/* All of the header and the tags; each border of chunks; places between. */
			if (cut < head + 20 || cut + 20 > enc.got.len ||
				(cut - head + 2) % (CHUNK + 16) < 19)
				cut++;
			else if ((cut - head) % (CHUNK + 16) < 20000)
				cut += 20000;
			else
				cut = head + ((cut - head) / (CHUNK + 16) + 1) * (CHUNK + 16) - 2;
		}
		buf_done(&enc.got);
	}
	buf_done(&out);
}
END_TEST

START_TEST(bytes_behind_the_end_are_refused)
{
	const size_t sizes[] = {0, 50, CHUNK - 1, CHUNK, BIG};
	static const char zeros[40];
	struct buf out = BUF_INIT(2 * BIG);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t n = 1; n <= sizeof(zeros); n++) {
			struct memory_sink enc;

			encrypt(sizes[i], &enc);
			buf_add(&enc.got, zeros, n);
			ck_assert_int_eq(decrypt(enc.got.data, enc.got.len, &out, NULL), -EBADMSG);
			buf_done(&enc.got);
		}
	buf_done(&out);
}
END_TEST

/* Chunks in another order, twice, or left out. */
START_TEST(chunks_cannot_be_moved)
{
	struct memory_sink enc;
	struct buf out = BUF_INIT(2 * BIG), moved = BUF_INIT(2 * BIG);
	const size_t sealed = CHUNK + 16;
	size_t head;

	encrypt(BIG, &enc);
	head = enc.got.len - BIG - (size_t)4 * 16;
	buf_add(&moved, enc.got.data, head);
	buf_add(&moved, enc.got.data + head + sealed, sealed);
	buf_add(&moved, enc.got.data + head, sealed);
	buf_add(&moved, enc.got.data + head + 2 * sealed, enc.got.len - head - 2 * sealed);
	ck_assert_int_eq(decrypt(moved.data, moved.len, &out, NULL), -EBADMSG);
	ck_assert_uint_eq(out.len, 0);
	buf_clear(&moved);
	buf_add(&moved, enc.got.data, head + sealed);
	buf_add(&moved, enc.got.data + head, enc.got.len - head);
	ck_assert_int_eq(decrypt(moved.data, moved.len, &out, NULL), -EBADMSG);
	ck_assert_uint_eq(out.len, CHUNK);
	buf_clear(&moved);
	buf_add(&moved, enc.got.data, head);
	buf_add(&moved, enc.got.data + head + sealed, enc.got.len - head - sealed);
	ck_assert_int_eq(decrypt(moved.data, moved.len, &out, NULL), -EBADMSG);
	buf_done(&enc.got);
	buf_done(&moved);
	buf_done(&out);
}
END_TEST

START_TEST(each_of_several_recipients_can_open_it)
{
	const char *const to_whom[] = {recipient, other_recipient};
	const struct age_encrypt o = {to_whom, 2, NULL};
	const struct age_decrypt as[] = {{identity, NULL}, {other_identity, "not needed"}};
	struct buf out = BUF_INIT(BIG);
	struct memory_sink enc;
	char third[AGE_IDENTITY_SIZE], unused[AGE_RECIPIENT_SIZE];
	struct err e = {""};

	encrypt_for(&o, 100, 100, &enc);
	for (size_t i = 0; i < ARRAY_LEN(as); i++) {
		ck_assert_int_eq(decrypt_as(&as[i], enc.got.data, enc.got.len, 1, &out, &e), 0);
		ck_assert(out.len == 100 && memcmp(out.data, big, 100) == 0);
	}
	ck_assert_int_eq(age_keygen(third, unused, NULL), 0);
	ck_assert_int_eq(decrypt_as(&(struct age_decrypt){third, NULL}, enc.got.data, enc.got.len,
				 100, &out, &e),
		-EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(e.msg, "private key"));
	ck_assert_int_eq(decrypt_as(&(struct age_decrypt){NULL, "secret"}, enc.got.data,
				 enc.got.len, 100, &out, &e),
		-EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(e.msg, "private key"));
	buf_done(&enc.got);
	buf_done(&out);
}
END_TEST

START_TEST(a_short_passphrase_is_refused)
{
	struct err e = {""};

	ck_assert_int_eq(age_passphrase_check("elevenchars", &e), -EINVAL);
	ck_assert_str_eq(e.msg, "the passphrase has 11 characters: take 12 or more");
	ck_assert_int_eq(age_passphrase_check("twelve chars", &e), 0);
}
END_TEST

START_TEST(with_the_passphrase_it_opens_and_without_it_says_so)
{
	const struct age_encrypt o = {NULL, 0, "correct horse"};
	struct buf out = BUF_INIT(BIG);
	struct memory_sink enc;
	struct err e = {""};

	encrypt_for(&o, 100, 100, &enc);
	ck_assert_int_eq(decrypt_as(&(struct age_decrypt){NULL, "correct horse"}, enc.got.data,
				 enc.got.len, 100, &out, &e),
		0);
	ck_assert(out.len == 100 && memcmp(out.data, big, 100) == 0);
	ck_assert_int_eq(decrypt_as(&(struct age_decrypt){NULL, "wrong horse"}, enc.got.data,
				 enc.got.len, 100, &out, &e),
		-EKEYREJECTED);
	ck_assert_str_eq(e.msg, "the passphrase is wrong");
	ck_assert_int_eq(decrypt_as(&(struct age_decrypt){identity, NULL}, enc.got.data,
				 enc.got.len, 100, &out, &e),
		-EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(e.msg, "a passphrase is needed"));
	buf_done(&enc.got);
	buf_done(&out);
}
END_TEST

START_TEST(identity_files_have_comments_and_several_keys)
{
	char text[1000];
	struct memory_sink enc;
	struct buf out = BUF_INIT(BIG);
	struct err e = {""};
	struct age_decrypt as = {text, NULL};

	encrypt(10, &enc);
	(void)snprintf(text, sizeof(text), "# created: today\r\n# public key: %s\n\n%s\n%s  \r\n",
		recipient, other_identity, identity);
	ck_assert_int_eq(decrypt_as(&as, enc.got.data, enc.got.len, 100, &out, &e), 0);
	(void)snprintf(text, sizeof(text), "# one\n%.70sQ\n", identity);
	ck_assert_int_eq(decrypt_as(&as, enc.got.data, enc.got.len, 100, &out, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "line 2"));
	ck_assert_ptr_null(strstr(e.msg, identity + 20));
	(void)snprintf(text, sizeof(text), "# only words\n");
	ck_assert_int_eq(decrypt_as(&as, enc.got.data, enc.got.len, 100, &out, &e), -EINVAL);
	buf_done(&enc.got);
	buf_done(&out);
}
END_TEST

START_TEST(armor_is_named)
{
	static const char text[] =
		"-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+\n";
	struct buf out = BUF_INIT(BIG);
	struct err e = {""};

	ck_assert_int_eq(decrypt(text, sizeof(text) - 1, &out, &e), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, "armor"));
	buf_done(&out);
}
END_TEST

START_TEST(nobody_too_many_or_both_are_refused)
{
	const char *to_whom[AGE_RECIPIENTS_MAX + 1];
	struct memory_sink to;
	struct sink *s;

	memory_sink_init(&to);
	for (size_t i = 0; i < ARRAY_LEN(to_whom); i++)
		to_whom[i] = recipient;
	ck_assert_int_eq(
		age_encryptor_new(&(struct age_encrypt){NULL, 0, NULL}, &to.sink, &s, NULL),
		-EINVAL);
	ck_assert_int_eq(
		age_encryptor_new(&(struct age_encrypt){to_whom, 1, "x"}, &to.sink, &s, NULL),
		-EINVAL);
	ck_assert_int_eq(
		age_encryptor_new(&(struct age_encrypt){to_whom, AGE_RECIPIENTS_MAX + 1, NULL},
			&to.sink, &s, NULL),
		-EINVAL);
	ck_assert_int_eq(
		age_encryptor_new(&(struct age_encrypt){NULL, 0, ""}, &to.sink, &s, NULL), -EINVAL);
	ck_assert_uint_eq(to.got.len, 0);
	ck_assert_int_eq(age_encryptor_new(&(struct age_encrypt){to_whom, AGE_RECIPIENTS_MAX, NULL},
				 &to.sink, &s, NULL),
		0);
	sink_free(s);
	buf_done(&to.got);
}
END_TEST

START_TEST(an_encryptor_that_is_given_up_leaves_no_valid_file)
{
	const size_t sizes[] = {0, 10, CHUNK, BIG};
	const char *const to_whom[] = {recipient};
	const struct age_encrypt o = {to_whom, 1, NULL};
	struct buf out = BUF_INIT(2 * BIG);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct memory_sink to;
		struct sink *s;

		memory_sink_init(&to);
		ck_assert_int_eq(age_encryptor_new(&o, &to.sink, &s, NULL), 0);
		ck_assert_int_eq(sink_write(s, big, sizes[i], NULL), 0);
		sink_free(s);
		ck_assert_int_eq(decrypt(to.got.data, to.got.len, &out, NULL), -EBADMSG);
		buf_done(&to.got);
	}
	buf_done(&out);
}
END_TEST

START_TEST(errors_of_the_neighbours_come_back)
{
	const char *const to_whom[] = {recipient};
	const struct age_encrypt o = {to_whom, 1, NULL};
	struct memory_sink to, enc;
	struct memory_reader from;
	struct reader *r;
	struct sink *s;
	struct buf out = BUF_INIT(2 * BIG);
	struct err e = {""};

	memory_sink_init(&to);
	to.fail_after = CHUNK;
	ck_assert_int_eq(age_encryptor_new(&o, &to.sink, &s, &e), 0);
	ck_assert_int_eq(sink_write(s, big, BIG, &e), -ENOSPC);
	sink_free(s);
	encrypt(BIG, &enc);
	memory_reader_init(&from, enc.got.data, CHUNK, 1000);
	from.fails_at_end = true;
	ck_assert_int_eq(
		age_decryptor_new(&(struct age_decrypt){identity, NULL}, &from.reader, &r, &e), 0);
	ck_assert_int_eq(read_all(r, 1000, &out, &e), -ECONNRESET);
	ck_assert_str_eq(e.msg, "connection lost");
	reader_free(r);
	buf_done(&to.got);
	buf_done(&enc.got);
	buf_done(&out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("age");
	TCase *c = tcase_create("age");
	SRunner *sr;
	int failed;

	fill_noise(big, BIG, 11);
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, keys, NULL);
	tcase_add_test(c, what_goes_in_comes_out);
	tcase_add_test(c, every_changed_bit_is_noticed);
	tcase_add_test(c, a_file_that_is_cut_is_refused);
	tcase_add_test(c, bytes_behind_the_end_are_refused);
	tcase_add_test(c, chunks_cannot_be_moved);
	tcase_add_test(c, each_of_several_recipients_can_open_it);
	tcase_add_test(c, a_short_passphrase_is_refused);
	tcase_add_test(c, with_the_passphrase_it_opens_and_without_it_says_so);
	tcase_add_test(c, identity_files_have_comments_and_several_keys);
	tcase_add_test(c, armor_is_named);
	tcase_add_test(c, nobody_too_many_or_both_are_refused);
	tcase_add_test(c, an_encryptor_that_is_given_up_leaves_no_valid_file);
	tcase_add_test(c, errors_of_the_neighbours_come_back);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
