/* SPDX-License-Identifier: Apache-2.0
 *
 * What passes is counted, hashed, slowed down, and on the way back compared.
 */
#include "backup/stage.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "backup/stop.h"
#include "base/cleanup.h"

/* A sink and a reader over one piece of memory. */
struct memory {
	struct sink sink;
	struct reader reader;
	char bytes[4096];
	size_t n, at;
	int fails;
};

#define MEMORY_OF(member, p)                                                                       \
	((struct memory *)(void *)((char *)(p)-offsetof(struct memory, member)))

static int memory_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct memory *m = MEMORY_OF(sink, s);

	if (m->fails)
		return err_set(e, m->fails, "full");
	memcpy(m->bytes + m->n, data, n);
	m->n += n;
	return 0;
}

static ssize_t memory_read(struct reader *r, void *to, size_t n, struct err *e)
{
	struct memory *m = MEMORY_OF(reader, r);

	(void)e;
	n = n < m->n - m->at ? n : m->n - m->at;
	memcpy(to, m->bytes + m->at, n);
	m->at += n;
	return (ssize_t)n;
}

static const struct sink_ops memory_sink = {memory_write, NULL, NULL};
static const struct reader_ops memory_reader = {memory_read, NULL};
static struct memory memory, other;
static struct metered passed;
static struct err e;

#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void setup(void)
{
	memory = other =
		(struct memory){.sink = {&memory_sink}, .reader = {&memory_reader}, .fails = 0};
	stop_install();
}

START_TEST(bytes_are_counted_hashed_and_handed_on)
{
	struct sink *s = meter_sink(&passed, NULL, &other.sink, &memory.sink);

	ck_assert_int_eq(sink_write(s, "a", 1, &e), 0);
	ck_assert_int_eq(sink_write(s, "bc", 2, &e), 0);
	ck_assert_int_eq(sink_finish(s, &e), 0);
	sink_free(s);
	ck_assert_int_eq(passed.bytes, 3);
	ck_assert_str_eq(passed.sha256, ABC_SHA256);
	ck_assert_mem_eq(memory.bytes, "abc", 3);
	ck_assert_mem_eq(other.bytes, "abc", 3);
}
END_TEST

START_TEST(a_failure_of_the_next_stage_is_told)
{
	struct sink *s = meter_sink(&passed, NULL, NULL, &memory.sink);

	memory.fails = ENOSPC;
	ck_assert_int_eq(sink_write(s, "abc", 3, &e), -ENOSPC);
	sink_free(s);
}
END_TEST

/* Reads all; the result of the last read. */
static ssize_t read_back(const char *bytes, const struct metered *want)
{
	struct reader *r;
	char c[2];
	ssize_t n;

	setup();
	memory.n = strlen(bytes);
	memcpy(memory.bytes, bytes, memory.n);
	r = meter_reader(&passed, NULL, &memory.reader, want, "shop.zst");
	do
		n = reader_read(r, c, sizeof(c), &e);
	while (n > 0);
	if (n == 0)
		ck_assert_int_eq(reader_read(r, c, sizeof(c), &e), 0);
	reader_free(r);
	return n;
}

START_TEST(the_end_is_an_end_only_when_all_was_right)
{
	const struct metered want = {3, ABC_SHA256};

	ck_assert_int_eq(read_back("abc", &want), 0);
	ck_assert_int_eq(read_back("abd", &want), -EBADMSG);
	ck_assert_msg(strstr(e.msg, "shop.zst") && strstr(e.msg, ABC_SHA256), "%s", e.msg);
	ck_assert_int_eq(read_back("ab", &want), -EBADMSG);
	ck_assert_int_eq(read_back("abcd", &want), -EBADMSG);
	ck_assert_msg(strstr(e.msg, "4 bytes"), "%s", e.msg);
}
END_TEST

/* Pieces of n bytes until the time is over; how many bytes passed. */
static int64_t bytes_within(struct pace *p, size_t n, double *now_ms, double until_ms)
{
	int64_t bytes = 0;

	for (;;) {
		*now_ms += pace_pass(p, n, *now_ms);
		if (*now_ms > until_ms)
			return bytes;
		bytes += (int64_t)n;
	}
}

START_TEST(the_rate_is_kept_whatever_the_pieces)
{
	static const size_t pieces[] = {1, 1000, 65536, 262144};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct pace p = {.bytes_per_s = 1000000};
		double now_ms = 5000;
		int64_t bytes = bytes_within(&p, pieces[i], &now_ms, 15000);

		/* Ten seconds, and the burst at the beginning. */
		ck_assert_int_le(bytes, 10100000);
		ck_assert_int_ge(bytes, 10000000 - (int64_t)pieces[i]);
	}
}
END_TEST

START_TEST(a_pause_of_the_dump_is_no_credit)
{
	struct pace p = {.bytes_per_s = 1000000};
	double now_ms = 1000;

	(void)bytes_within(&p, 10000, &now_ms, 2000);
	now_ms = 3600000;
	ck_assert_int_le(bytes_within(&p, 10000, &now_ms, 3601000), 1110000);
}
END_TEST

START_TEST(what_is_too_large_for_a_second_waits_for_its_time)
{
	struct pace p = {.bytes_per_s = 1024};

	ck_assert_double_eq_tol(pace_pass(&p, 131072, 1000), 128000 - PACE_BURST_MS, 0.001);
	ck_assert_double_eq_tol(pace_pass(&p, 1024, 2000), 128000 - PACE_BURST_MS, 0.001);
}
END_TEST

START_TEST(a_slow_stage_can_be_stopped)
{
	struct throttle *t = NULL;
	struct net *net = NULL;

	ck_assert_int_eq(net_new(&net, &e), 0);
	ck_assert_int_eq(throttle_new(1, net, &t, &e), 0);
	ck_assert_int_eq(raise(SIGTERM), 0);
	ck_assert_int_eq(throttle_pass(t, 1000000, &e), -ECANCELED);
	throttle_free(t);
	net_free(net);
}
END_TEST

START_TEST(without_a_limit_there_is_no_throttle)
{
	struct throttle *t = (struct throttle *)&memory;

	ck_assert_int_eq(throttle_new(0, NULL, &t, &e), 0);
	ck_assert_ptr_null(t);
	ck_assert_int_eq(throttle_pass(t, 1 << 30, &e), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stage");
	TCase *tc = tcase_create("stage");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, bytes_are_counted_hashed_and_handed_on);
	tcase_add_test(tc, a_failure_of_the_next_stage_is_told);
	tcase_add_test(tc, the_end_is_an_end_only_when_all_was_right);
	tcase_add_test(tc, the_rate_is_kept_whatever_the_pieces);
	tcase_add_test(tc, a_pause_of_the_dump_is_no_credit);
	tcase_add_test(tc, what_is_too_large_for_a_second_waits_for_its_time);
	tcase_add_test(tc, a_slow_stage_can_be_stopped);
	tcase_add_test(tc, without_a_limit_there_is_no_throttle);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
