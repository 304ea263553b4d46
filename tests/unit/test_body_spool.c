/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/body_spool.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/descriptors.h"
#include "tests/unit/scratch.h"

enum { PIECE = 10007 };

static struct body_spools spools;
static struct body_spool *spool;
static struct peer_key near, far;
static char folder[128];
static int before;

static void setup(void)
{
	scratch_make();
	(void)snprintf(folder, sizeof(folder), "%s", scratch);
	body_spools_init(&spools, folder);
	ck_assert(peer_key_parse("10.0.0.1", &near) && peer_key_parse("203.0.113.1", &far));
	before = count_descriptors();
	spool = body_spool_new(&spools, &near);
}

static void teardown(void)
{
	body_spool_free(spool);
	ck_assert_int_eq(count_descriptors(), before);
	ck_assert_uint_eq(spools.n, 0);
	body_spools_done(&spools);
	scratch_remove();
}

static char byte_at(size_t i)
{
	return (char)('a' + i % 23);
}

/* Bytes that tell where they stand, in pieces of no round size. */
static bool fill(struct body_spool *s, size_t n)
{
	char piece[PIECE];
	bool goes_on = true;

	for (size_t at = 0; at < n && goes_on; at += PIECE) {
		size_t take = n - at < PIECE ? n - at : PIECE;

		for (size_t i = 0; i < take; i++)
			piece[i] = byte_at(at + i);
		goes_on = body_spool_add(s, piece, take);
	}
	return goes_on;
}

static void expect(size_t n)
{
	char piece[PIECE + 1];
	struct err e;
	struct stat st;
	size_t at = 0, wrong = 0;
	ssize_t got;
	int fd = body_spool_open(spool, &e);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)n);
	ck_assert_uint_eq(st.st_nlink, 0); /* it has no name */
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* Both ways of reading do not disturb each other. */
	while ((got = body_spool_read(spool, piece, sizeof(piece), &e)) > 0) {
		char same[PIECE + 1];

		ck_assert_int_eq(pread(fd, same, (size_t)got, (off_t)at), got);
		ck_assert_mem_eq(same, piece, (size_t)got);
		for (ssize_t i = 0; i < got; i++)
			wrong += piece[i] != byte_at(at + (size_t)i);
		at += (size_t)got;
	}
	ck_assert_int_eq(got, 0);
	ck_assert_uint_eq(at, n);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_int_eq(close(fd), 0);
}

static const size_t sizes[] = {0, 1, BODY_SPOOL_MEMORY_MAX, BODY_SPOOL_MEMORY_MAX + 1,
	3 * BODY_SPOOL_MEMORY_MAX, BODY_SPOOL_MAX};

START_TEST(what_comes_in_goes_out)
{
	ck_assert(fill(spool, sizes[_i]));
	ck_assert_int_eq(body_spool_state(spool), BODY_SPOOL_FINE);
	ck_assert_uint_eq(body_spool_size(spool), sizes[_i]);
	ck_assert_int_eq(body_spool_is_file(spool), sizes[_i] > BODY_SPOOL_MEMORY_MAX);
	expect(sizes[_i]);
}
END_TEST

static int count_name(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)ftw;
	return type == FTW_F;
}

START_TEST(the_file_has_no_name)
{
	ck_assert(fill(spool, 2 * BODY_SPOOL_MEMORY_MAX));
	ck_assert(body_spool_is_file(spool));
	ck_assert_int_eq(nftw(scratch, count_name, 4, FTW_PHYS), 0);
}
END_TEST

START_TEST(too_much_is_passed_over_and_in_the_end_cut)
{
	ck_assert(fill(spool, BODY_SPOOL_MAX + 1));
	ck_assert_int_eq(body_spool_state(spool), BODY_SPOOL_TOO_LARGE);
	ck_assert_uint_eq(spools.n, 0); /* its file is gone already */
	ck_assert(fill(spool, BODY_SPOOL_MAX - 1));
	ck_assert(!fill(spool, 1));
}
END_TEST

/* Others may go on once one has gone. */
START_TEST(so_many_files_and_no_more)
{
	struct body_spool *all[BODY_SPOOL_FILES_MAX];

	for (int i = 0; i < BODY_SPOOL_FILES_MAX; i++) {
		all[i] = body_spool_new(&spools, &near);
		ck_assert(fill(all[i], BODY_SPOOL_MEMORY_MAX + 1));
		ck_assert_int_eq(body_spool_state(all[i]), BODY_SPOOL_FINE);
	}
	ck_assert(fill(spool, BODY_SPOOL_MEMORY_MAX + 1));
	ck_assert_int_eq(body_spool_state(spool), BODY_SPOOL_BUSY);
	body_spool_free(all[0]);
	all[0] = body_spool_new(&spools, &near);
	ck_assert(fill(all[0], BODY_SPOOL_MEMORY_MAX + 1));
	ck_assert_int_eq(body_spool_state(all[0]), BODY_SPOOL_FINE);
	for (int i = 0; i < BODY_SPOOL_FILES_MAX; i++)
		body_spool_free(all[i]);
}
END_TEST

START_TEST(one_client_does_not_get_all_of_them)
{
	struct body_spool *all[BODY_SPOOL_FILES_PER_CLIENT + 1];

	for (int i = 0; i <= BODY_SPOOL_FILES_PER_CLIENT; i++) {
		all[i] = body_spool_new(&spools, &far);
		ck_assert(fill(all[i], BODY_SPOOL_MEMORY_MAX + 1));
		ck_assert_int_eq(body_spool_state(all[i]),
			i < BODY_SPOOL_FILES_PER_CLIENT ? BODY_SPOOL_FINE : BODY_SPOOL_BUSY);
	}
	for (int i = 0; i <= BODY_SPOOL_FILES_PER_CLIENT; i++)
		body_spool_free(all[i]);
}
END_TEST

START_TEST(without_the_folder_it_is_kept_in_memory)
{
	body_spools_done(&spools);
	body_spools_init(&spools, "/nonexistent");
	ck_assert(fill(spool, 3 * BODY_SPOOL_MEMORY_MAX));
	ck_assert_int_eq(body_spool_state(spool), BODY_SPOOL_FINE);
	expect(3 * BODY_SPOOL_MEMORY_MAX);
}
END_TEST

START_TEST(a_full_disk_is_a_failure_of_this_one)
{
	struct rlimit limit = {2 * BODY_SPOOL_MEMORY_MAX, RLIM_INFINITY};

	/* A file may not get larger, as on a disk that is full. */
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert(fill(spool, 4 * BODY_SPOOL_MEMORY_MAX));
	ck_assert_int_eq(body_spool_state(spool), BODY_SPOOL_FAILED);
	ck_assert_uint_eq(spools.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("body_spool");
	TCase *tc = tcase_create("body_spool");
	SRunner *runner = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, what_comes_in_goes_out, 0, 6);
	tcase_add_test(tc, the_file_has_no_name);
	tcase_add_test(tc, too_much_is_passed_over_and_in_the_end_cut);
	tcase_add_test(tc, so_many_files_and_no_more);
	tcase_add_test(tc, one_client_does_not_get_all_of_them);
	tcase_add_test(tc, without_the_folder_it_is_kept_in_memory);
	tcase_add_test(tc, a_full_disk_is_a_failure_of_this_one);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
