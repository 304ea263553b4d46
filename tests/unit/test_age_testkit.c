/* SPDX-License-Identifier: Apache-2.0
 *
 * The test vectors of the age format itself (tests/fixtures/backup/age-testkit/README.md): what every program
 * that reads age files must open, and what it must refuse.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "backup/age.h"
#include "backup/codec.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/str.h"
#include "streams.h"

#define FOLDER "tests/fixtures/backup/age-testkit"
enum { VECTORS_MAX = 200, FILE_MAX = 64 * 1024, PAYLOAD_MAX = 32 * 1024 * 1024 };

static char *names[VECTORS_MAX];
static size_t n_names;

struct vector {
	const char *name;
	char expect[32], payload[HASH_SHA256_HEX_SIZE], passphrase[64];
	struct buf identities, file; /* file: the age file, decompressed */
};

static int add_name(void *user, int fd, const char *name)
{
	(void)user;
	(void)fd;
	if (!str_ends(name, ".md") && n_names < VECTORS_MAX)
		names[n_names++] = str_dup(name);
	return 0;
}

/* "KEY: VALUE" */
static void read_field(struct vector *v, const char *line, bool *is_gzip)
{
	const char *value = strstr(line, ": ");

	ck_assert_ptr_nonnull(value);
	value += 2;
	if (str_starts(line, "expect:"))
		(void)str_copy(v->expect, sizeof(v->expect), value);
	else if (str_starts(line, "payload:"))
		(void)str_copy(v->payload, sizeof(v->payload), value);
	else if (str_starts(line, "passphrase:"))
		(void)str_copy(v->passphrase, sizeof(v->passphrase), value);
	else if (str_starts(line, "identity:"))
		buf_addf(&v->identities, "%s\n", value);
	else if (str_starts(line, "compressed:"))
		*is_gzip = true;
}

static void decompress(const char *data, size_t n, struct buf *out)
{
	struct memory_reader from;
	_cleanup_(reader_free_p) struct reader *r = NULL;

	memory_reader_init(&from, data, n, n);
	ck_assert_int_eq(codec_decoder_new(CODEC_GZIP, &from.reader, &r, NULL), 0);
	ck_assert_int_eq(read_all(r, 65536, out, NULL), 0);
}

static void read_vector(struct vector *v, const char *name)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(FILE_MAX);
	_cleanup_(free_p) char *path = str_format(FOLDER "/%s", name);
	bool is_gzip = false;
	const char *at, *end;

	*v = (struct vector){.name = name};
	buf_init(&v->identities, 4096);
	buf_init(&v->file, PAYLOAD_MAX);
	ck_assert_int_eq(fs_read(AT_FDCWD, path, &text, NULL), 0);
	for (at = text.data; *at != '\n'; at = end + 1) {
		_cleanup_(free_p) char *line = NULL;

		end = strchr(at, '\n');
		ck_assert_ptr_nonnull(end);
		line = str_ndup(at, (size_t)(end - at));
		read_field(v, line, &is_gzip);
	}
	at++;
	if (is_gzip)
		decompress(at, text.len - (size_t)(at - text.data), &v->file);
	else
		buf_add(&v->file, at, text.len - (size_t)(at - text.data));
}

/* The first result that is no success; what came out before it is in `out`. */
static int open_vector(const struct vector *v, size_t piece, bool *header_is_good, struct buf *out)
{
	const struct age_decrypt o = {v->identities.len ? buf_str(&v->identities) : NULL,
		v->passphrase[0] ? v->passphrase : NULL};
	struct memory_reader from;
	_cleanup_(reader_free_p) struct reader *r = NULL;
	struct err e = {""};
	int ret;

	memory_reader_init(&from, buf_str(&v->file), v->file.len, piece);
	ret = age_decryptor_new(&o, &from.reader, &r, &e);
	*header_is_good = ret == 0;
	if (ret == 0)
		ret = read_all(r, 40000, out, &e);
	ck_assert_msg(ret == 0 || e.msg[0], "no reason is told");
	return ret;
}

static void check_result(const struct vector *v, int r, bool header_is_good)
{
	bool is_right;

	if (strcmp(v->expect, "success") == 0)
		is_right = r == 0;
	else if (strcmp(v->expect, "no match") == 0)
		is_right = r == -EKEYREJECTED;
	else if (strcmp(v->expect, "payload failure") == 0)
		is_right = r == -EBADMSG;
	else /* of the header, or its MAC; E2BIG: a passphrase that would cost gigabytes */
		is_right = !header_is_good && (r == -EBADMSG || r == -E2BIG);
	ck_assert_msg(is_right, "%s: %s expected, not %d", v->name, v->expect, r);
}

/* What stands behind a chunk is looked at before the chunk is handed out: of a file that fails, a chunk less may
 * come out than out of the reference program, but never anything else. */
static void check_payload(const struct vector *v, const struct buf *out)
{
	char hash[HASH_SHA256_HEX_SIZE];

	hash_sha256_hex(hash, buf_str(out), out->len);
	if (strcmp(hash, v->payload) == 0)
		return;
	ck_assert_msg(strcmp(v->expect, "success") != 0, "%s: other bytes came out", v->name);
	ck_assert_msg(out->len % (64 * 1024) == 0, "%s: a part of a chunk came out", v->name);
	ck_assert_msg(v->payload[0] || out->len == 0, "%s: something came out", v->name);
}

START_TEST(a_vector_has_the_result_it_must_have)
{
	const size_t pieces[] = {1 << 20, 1000};
	struct vector v;

	read_vector(&v, names[_i]);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct buf out = BUF_INIT(PAYLOAD_MAX);
		bool header_is_good = false;

		check_result(&v, open_vector(&v, pieces[i], &header_is_good, &out), header_is_good);
		check_payload(&v, &out);
		buf_done(&out);
	}
	buf_done(&v.identities);
	buf_done(&v.file);
}
END_TEST

START_TEST(the_vectors_are_there)
{
	ck_assert_uint_gt(n_names, 80);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("age_testkit");
	TCase *c = tcase_create("age_testkit");
	SRunner *sr;
	int failed;

	(void)fs_list(AT_FDCWD, FOLDER, add_name, NULL, NULL);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, the_vectors_are_there);
	tcase_add_loop_test(c, a_vector_has_the_result_it_must_have, 0, (int)n_names);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	for (size_t i = 0; i < n_names; i++)
		free(names[i]);
	return failed ? 1 : 0;
}
