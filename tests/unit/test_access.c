/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/random.h"
#include "agent/sessions.h"
#include "agent/tokens.h"
#include "base/fs.h"

static char folder[32];
static int dir_fd;
static struct err err;
static struct tokens t;
static struct db *db;

static const char *const migrations[] = {SESSIONS_SCHEMA};

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_access.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	dir_fd = fs_open_dir(AT_FDCWD, folder, &err);
	ck_assert_int_ge(db_open(":memory:", migrations, 1, &db, &err), 0);
}

static void teardown(void)
{
	db_close(db);
	(void)unlinkat(dir_fd, "token.admin", 0);
	(void)unlinkat(dir_fd, "token.viewer", 0);
	(void)close(dir_fd);
	(void)rmdir(folder);
}

START_TEST(first_start_makes_tokens_only_their_owner_can_read)
{
	struct stat st;

	ck_assert_int_eq(tokens_load(&t, dir_fd, &err), 0);
	ck_assert(t.fresh);
	ck_assert_uint_eq(strlen(t.admin), 48);
	ck_assert_str_ne(t.admin, t.viewer);
	ck_assert_int_eq(fstatat(dir_fd, "token.admin", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(later_starts_keep_the_tokens)
{
	struct tokens again;

	ck_assert_int_eq(tokens_load(&t, dir_fd, &err), 0);
	ck_assert_int_eq(tokens_load(&again, dir_fd, &err), 0);
	ck_assert(!again.fresh);
	ck_assert_str_eq(again.admin, t.admin);
	ck_assert_str_eq(again.viewer, t.viewer);
}
END_TEST

START_TEST(only_the_exact_token_opens)
{
	char wrong[TOKEN_SIZE];

	ck_assert_int_eq(tokens_load(&t, dir_fd, &err), 0);
	ck_assert_int_eq(tokens_check(&t, t.admin), ROLE_ADMIN);
	ck_assert_int_eq(tokens_check(&t, t.viewer), ROLE_VIEWER);
	ck_assert_int_eq(tokens_check(&t, ""), ROLE_NONE);
	memcpy(wrong, t.admin, sizeof(wrong));
	wrong[47] = wrong[47] == '0' ? '1' : '0';
	ck_assert_int_eq(tokens_check(&t, wrong), ROLE_NONE);
	wrong[47] = '\0';
	ck_assert_int_eq(tokens_check(&t, wrong), ROLE_NONE);
}
END_TEST

START_TEST(token_file_others_can_read_or_that_is_too_short_opens_nothing)
{
	ck_assert_int_eq(
		fs_write_atomic(dir_fd, "token.admin", "0123456789abcdef0123\n", 21, 0644, &err),
		0);
	ck_assert_int_eq(tokens_load(&t, dir_fd, &err), -EPERM);
	ck_assert_ptr_nonnull(strstr(err.msg, "chmod 600"));
	ck_assert_int_eq(tokens_check(&t, "0123456789abcdef0123"), ROLE_NONE);
	ck_assert_int_eq(fs_write_atomic(dir_fd, "token.admin", "short", 5, 0600, &err), 0);
	ck_assert_int_eq(tokens_load(&t, dir_fd, &err), -EBADMSG);
	ck_assert_int_eq(tokens_check(&t, "short"), ROLE_NONE);
	ck_assert_int_eq(
		fs_write_atomic(dir_fd, "token.admin", "0123456789abcdef0123\n", 21, 0600, &err),
		0);
	ck_assert_int_eq(tokens_load(&t, dir_fd, &err), 0);
	ck_assert_int_eq(tokens_check(&t, "0123456789abcdef0123"), ROLE_ADMIN);
}
END_TEST

START_TEST(rotation_closes_the_old_door)
{
	char old[TOKEN_SIZE];

	ck_assert_int_eq(tokens_load(&t, dir_fd, &err), 0);
	memcpy(old, t.admin, sizeof(old));
	ck_assert_int_eq(tokens_rotate(&t, ROLE_ADMIN, dir_fd, &err), 0);
	ck_assert_int_eq(tokens_check(&t, old), ROLE_NONE);
	ck_assert_int_eq(tokens_check(&t, t.admin), ROLE_ADMIN);
}
END_TEST

static enum role check(const char *id, int64_t now)
{
	enum role role = ROLE_ADMIN;

	ck_assert_int_eq(session_check(db, id, now, &role, &err), 0);
	return role;
}

START_TEST(session_lives_thirty_days_or_until_it_is_ended)
{
	char a[SESSION_ID_SIZE], b[SESSION_ID_SIZE];

	ck_assert_int_eq(session_new(db, ROLE_ADMIN, 1000, a, &err), 0);
	ck_assert_int_eq(session_new(db, ROLE_VIEWER, 1000, b, &err), 0);
	ck_assert_int_eq(check(a, 1000), ROLE_ADMIN);
	ck_assert_int_eq(check(b, 1000 + SESSION_SECONDS - 1), ROLE_VIEWER);
	ck_assert_int_eq(check(b, 1000 + SESSION_SECONDS), ROLE_NONE);
	ck_assert_int_eq(session_end(db, a, &err), 0);
	ck_assert_int_eq(check(a, 1001), ROLE_NONE);
	ck_assert_int_eq(check("", 1001), ROLE_NONE);
}
END_TEST

START_TEST(sessions_of_a_role_end_together_and_their_number_is_bounded)
{
	char first[SESSION_ID_SIZE], id[SESSION_ID_SIZE], viewer[SESSION_ID_SIZE];

	ck_assert_int_eq(session_new(db, ROLE_ADMIN, 1, first, &err), 0);
	for (int i = 0; i < SESSIONS_MAX; i++)
		ck_assert_int_eq(session_new(db, ROLE_ADMIN, 2 + i, id, &err), 0);
	ck_assert_int_eq(check(first, 2000), ROLE_NONE);
	ck_assert_int_eq(check(id, 2000), ROLE_ADMIN);
	ck_assert_int_eq(session_new(db, ROLE_VIEWER, 3000, viewer, &err), 0);
	ck_assert_int_eq(session_end_role(db, ROLE_ADMIN, &err), 0);
	ck_assert_int_eq(check(id, 3000), ROLE_NONE);
	ck_assert_int_eq(check(viewer, 3000), ROLE_VIEWER);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("access");
	TCase *c = tcase_create("access");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, first_start_makes_tokens_only_their_owner_can_read);
	tcase_add_test(c, later_starts_keep_the_tokens);
	tcase_add_test(c, only_the_exact_token_opens);
	tcase_add_test(c, token_file_others_can_read_or_that_is_too_short_opens_nothing);
	tcase_add_test(c, rotation_closes_the_old_door);
	tcase_add_test(c, session_lives_thirty_days_or_until_it_is_ended);
	tcase_add_test(c, sessions_of_a_role_end_together_and_their_number_is_bounded);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
