/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/codec.h"
#include "base/fs.h"
#include "base/str.h"
#include "scratch.h"
#include "streams.h"

static const enum codec all[] = {CODEC_NONE, CODEC_GZIP, CODEC_LZ4, CODEC_XZ, CODEC_ZSTD};
static const enum codec real[] = {CODEC_GZIP, CODEC_LZ4, CODEC_XZ, CODEC_ZSTD};
#define BIG ((size_t)200 * 1000)
static unsigned char big[BIG];

static void encode(const struct codec_options *o, const void *data, size_t n, size_t piece,
	struct memory_sink *to)
{
	struct sink *s;
	struct err e = {""};

	memory_sink_init(to);
	ck_assert_msg(codec_encoder_new(o, &to->sink, &s, &e) == 0, "%s", e.msg);
	for (size_t at = 0; at < n; at += piece) {
		size_t k = n - at < piece ? n - at : piece;

		ck_assert_msg(sink_write(s, (const char *)data + at, k, &e) == 0, "%s", e.msg);
	}
	ck_assert_msg(sink_finish(s, &e) == 0, "%s", e.msg);
	sink_free(s);
	ck_assert(!to->is_finished); /* that is the run's business */
}

static int decode(
	enum codec c, const void *data, size_t n, size_t piece, struct buf *out, struct err *e)
{
	struct memory_reader from;
	_cleanup_(reader_free_p) struct reader *r = NULL;
	int ret;

	memory_reader_init(&from, data, n, piece);
	buf_clear(out);
	ret = codec_decoder_new(c, &from.reader, &r, e);
	return ret < 0 ? ret : read_all(r, 10000, out, e);
}

START_TEST(what_goes_in_comes_out)
{
	const struct codec_options o = {all[_i], 0, 1};
	const size_t sizes[] = {0, 1, 1000, 65536, BIG};
	struct buf out = BUF_INIT(2 * BIG);
	struct err e = {""};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct memory_sink enc;

		encode(&o, big, sizes[i], 33333, &enc);
		ck_assert_msg(decode(o.codec, enc.got.data, enc.got.len, 777, &out, &e) == 0, "%s",
			e.msg);
		ck_assert_uint_eq(out.len, sizes[i]);
		ck_assert(sizes[i] == 0 || memcmp(out.data, big, out.len) == 0);
		if (o.codec != CODEC_NONE && sizes[i] == BIG)
			ck_assert_uint_lt(enc.got.len, BIG);
		buf_done(&enc.got);
	}
	buf_done(&out);
}
END_TEST

static void run_program(const char *program, const char *option, const char *from, const char *to)
{
	char *argv[] = {(char *)program, (char *)option, NULL};
	posix_spawn_file_actions_t fa;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, from, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 1, to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(posix_spawnp(&pid, program, &fa, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&fa);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "%s %s failed", program, option);
}

static void write_file(const char *path, const void *data, size_t n)
{
	struct err e;

	ck_assert_int_eq(fs_write_atomic(AT_FDCWD, path, data, n, 0600, &e), 0);
}

START_TEST(the_usual_programs_read_it_and_are_read)
{
	const struct codec_options o = {real[_i], 0, 1};
	char *packed = str_format("%s/packed", scratch), *plain = str_format("%s/plain", scratch);
	struct buf file = BUF_INIT(2 * BIG), out = BUF_INIT(2 * BIG);
	struct memory_sink enc;
	struct err e = {""};

	encode(&o, big, BIG, 4096, &enc);
	write_file(packed, enc.got.data, enc.got.len);
	run_program(codec_name(o.codec), "-dc", packed, plain);
	ck_assert_int_eq(fs_read(AT_FDCWD, plain, &file, &e), 0);
	ck_assert_uint_eq(file.len, BIG);
	ck_assert(memcmp(file.data, big, BIG) == 0);
	run_program(codec_name(o.codec), "-c", plain, packed);
	ck_assert_int_eq(fs_read(AT_FDCWD, packed, &file, &e), 0);
	ck_assert_msg(decode(o.codec, file.data, file.len, 65536, &out, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.len, BIG);
	ck_assert(memcmp(out.data, big, BIG) == 0);
	buf_done(&enc.got);
	buf_done(&out);
	buf_done(&file);
	free(packed);
	free(plain);
}
END_TEST

/* Every place in a small stream, and places in one of several blocks. */
START_TEST(a_stream_that_is_cut_is_refused)
{
	const struct codec_options o = {real[_i], 0, 1};
	const size_t sizes[] = {0, 1, 200, BIG};
	struct buf out = BUF_INIT(2 * BIG);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct memory_sink enc;
		size_t step;

		encode(&o, big, sizes[i], 4096, &enc);
		step = sizes[i] == BIG ? enc.got.len / 7 : 1;
		for (size_t cut = 0; cut < enc.got.len; cut += step) {
			int r = decode(o.codec, enc.got.data, cut, 1000, &out, NULL);

			ck_assert_msg(r == -EBADMSG, "%s of %zu cut at %zu of %zu: %d",
				codec_name(o.codec), sizes[i], cut, enc.got.len, r);
		}
		buf_done(&enc.got);
	}
	buf_done(&out);
}
END_TEST

START_TEST(anything_behind_the_end_is_refused)
{
	const struct codec_options o = {real[_i], 0, 1};
	static const char junk[][32] = {"", "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "\x1f\x8b\x08",
		"\x04\x22\x4d\x18", "\3757zXZ", "\x28\xb5\x2f\xfd"};
	const size_t sizes[] = {0, 200, BIG};
	struct buf out = BUF_INIT(2 * BIG);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct memory_sink enc;
		const size_t by = sizes[i] == BIG ? 16 : 1;
		size_t len;

		encode(&o, big, sizes[i], 4096, &enc);
		len = enc.got.len;
		for (size_t j = 0; j < ARRAY_LEN(junk); j++)
			for (size_t n = by; n <= sizeof(junk[0]); n += by)
				for (size_t piece = len; piece <= len + n; piece += n) {
					int r;

					enc.got.len = len;
					buf_add(&enc.got, junk[j], n);
					r = decode(
						o.codec, enc.got.data, len + n, piece, &out, NULL);
					ck_assert_msg(r == -EBADMSG, "%s %zu + %zu of %zu: %d",
						codec_name(o.codec), sizes[i], n, j, r);
				}
		buf_done(&enc.got);
	}
	buf_done(&out);
}
END_TEST

START_TEST(finished_streams_may_follow_each_other)
{
	const struct codec_options o = {real[_i], 0, 1};
	struct memory_sink a, b, c;
	struct buf out = BUF_INIT(4 * BIG);
	struct err e = {""};
	size_t first;

	encode(&o, big, 1000, 4096, &a);
	encode(&o, big, o.codec == CODEC_LZ4 ? 1 : 0, 4096, &b); /* an empty one ends lz4 */
	encode(&o, big, BIG, 4096, &c);
	first = a.got.len;
	buf_add(&a.got, b.got.data, b.got.len);
	buf_add(&a.got, c.got.data, c.got.len);
	ck_assert_msg(decode(o.codec, a.got.data, a.got.len, 999, &out, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.len, 1000 + BIG + (o.codec == CODEC_LZ4));
	ck_assert(memcmp(out.data + out.len - BIG, big, BIG) == 0);
	ck_assert_int_eq(
		decode(o.codec, a.got.data, first + b.got.len + 5, 999, &out, NULL), -EBADMSG);
	buf_done(&a.got);
	buf_done(&b.got);
	buf_done(&c.got);
	buf_done(&out);
}
END_TEST

/* A backup of a folder of .gz files holds .gz files when it comes back. */
START_TEST(what_was_compressed_before_stays_so)
{
	const struct codec_options o = {real[_i], 0, 1};
	struct memory_sink once, twice;
	struct buf out = BUF_INIT(BIG);
	struct err e = {""};

	encode(&o, big, 5000, 5000, &once);
	encode(&o, once.got.data, once.got.len, 5000, &twice);
	ck_assert_msg(
		decode(o.codec, twice.got.data, twice.got.len, 9999, &out, &e) == 0, "%s", e.msg);
	ck_assert_uint_eq(out.len, once.got.len);
	ck_assert(memcmp(out.data, once.got.data, out.len) == 0);
	buf_done(&once.got);
	buf_done(&twice.got);
	buf_done(&out);
}
END_TEST

START_TEST(an_encoder_that_is_given_up_leaves_no_valid_stream)
{
	const struct codec_options o = {real[_i], 0, 1};
	const size_t sizes[] = {0, 10, BIG};
	struct buf out = BUF_INIT(2 * BIG);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct memory_sink to;
		struct sink *s;

		memory_sink_init(&to);
		ck_assert_int_eq(codec_encoder_new(&o, &to.sink, &s, NULL), 0);
		ck_assert_int_eq(sink_write(s, big, sizes[i], NULL), 0);
		sink_free(s);
		ck_assert_int_eq(
			decode(o.codec, to.got.data, to.got.len, 9999, &out, NULL), -EBADMSG);
		buf_done(&to.got);
	}
	buf_done(&out);
}
END_TEST

START_TEST(the_error_of_the_next_stage_comes_back)
{
	const struct codec_options o = {all[_i], 0, 1};
	struct memory_sink to;
	struct sink *s;
	struct err e = {""};
	int r = 0;

	memory_sink_init(&to);
	to.fail_after = 5000;
	ck_assert_int_eq(codec_encoder_new(&o, &to.sink, &s, &e), 0);
	for (int i = 0; i < 10 && r == 0; i++)
		r = sink_write(s, big, BIG, &e);
	if (r == 0)
		r = sink_finish(s, &e);
	ck_assert_int_eq(r, -ENOSPC);
	ck_assert_str_eq(e.msg, "the sink is full");
	sink_free(s);
	ck_assert_uint_le(to.got.len, 5000);
	buf_done(&to.got);
}
END_TEST

START_TEST(a_lost_connection_is_no_damage)
{
	const struct codec_options o = {all[_i], 0, 1};
	struct buf out = BUF_INIT(2 * BIG);
	struct memory_sink enc;
	struct err e = {""};

	encode(&o, big, BIG, 4096, &enc);
	for (size_t cut = 0; cut <= enc.got.len; cut += enc.got.len / 4) {
		struct memory_reader from;
		_cleanup_(reader_free_p) struct reader *r = NULL;
		int ret;

		memory_reader_init(&from, enc.got.data, cut, 1000);
		from.fails_at_end = true;
		ret = codec_decoder_new(o.codec, &from.reader, &r, &e);
		if (ret == 0)
			ret = read_all(r, 10000, &out, &e);
		ck_assert_int_eq(ret, -ECONNRESET);
		ck_assert_str_eq(e.msg, "connection lost");
	}
	buf_done(&enc.got);
	buf_done(&out);
}
END_TEST

START_TEST(levels_and_threads_give_the_same_bytes_back)
{
	struct buf out = BUF_INIT(2 * BIG);

	for (size_t i = 0; i < ARRAY_LEN(real); i++) {
		size_t len[2];
		int min, max, normal;

		codec_levels(real[i], &min, &max, &normal);
		ck_assert_int_eq(min, 1);
		ck_assert(normal >= min && normal <= max);
		for (int k = 0; k < 2; k++) {
			const struct codec_options o = {real[i], k == 0 ? min : max, 1 + k};
			struct memory_sink enc;

			encode(&o, big, BIG, BIG, &enc);
			len[k] = enc.got.len;
			ck_assert_int_eq(
				decode(o.codec, enc.got.data, len[k], 9999, &out, NULL), 0);
			ck_assert(out.len == BIG && memcmp(out.data, big, BIG) == 0);
			buf_done(&enc.got);
		}
		ck_assert_msg(len[1] < len[0], "%s: the level does nothing: %zu, %zu",
			codec_name(real[i]), len[0], len[1]);
	}
	buf_done(&out);
}
END_TEST

START_TEST(names)
{
	enum codec c;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		ck_assert_int_eq(codec_find(codec_name(all[i]), &c), 0);
		ck_assert_int_eq(c, all[i]);
	}
	ck_assert_int_eq(codec_find("bzip2", &c), -ENOENT);
	ck_assert_ptr_null(codec_name((enum codec)99));
	ck_assert_str_eq(codec_suffix(CODEC_ZSTD), ".zst");
	ck_assert_str_eq(codec_suffix(CODEC_NONE), "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("codec");
	TCase *c = tcase_create("codec");
	SRunner *sr;
	int failed;

	fill_noise(big, BIG, 7);
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, scratch_make, scratch_remove);
	tcase_add_loop_test(c, what_goes_in_comes_out, 0, ARRAY_LEN(all));
	tcase_add_loop_test(c, the_usual_programs_read_it_and_are_read, 0, ARRAY_LEN(real));
	tcase_add_loop_test(c, a_stream_that_is_cut_is_refused, 0, ARRAY_LEN(real));
	tcase_add_loop_test(c, anything_behind_the_end_is_refused, 0, ARRAY_LEN(real));
	tcase_add_loop_test(c, finished_streams_may_follow_each_other, 0, ARRAY_LEN(real));
	tcase_add_loop_test(c, what_was_compressed_before_stays_so, 0, ARRAY_LEN(real));
	tcase_add_loop_test(
		c, an_encoder_that_is_given_up_leaves_no_valid_stream, 0, ARRAY_LEN(real));
	tcase_add_loop_test(c, the_error_of_the_next_stage_comes_back, 0, ARRAY_LEN(all));
	tcase_add_loop_test(c, a_lost_connection_is_no_damage, 0, ARRAY_LEN(all));
	tcase_add_test(c, levels_and_threads_give_the_same_bytes_back);
	tcase_add_test(c, names);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
