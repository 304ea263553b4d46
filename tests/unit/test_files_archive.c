/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/files_archive.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "backup/pax.h"
#include "backup/stop.h"
#include "scratch.h"

static struct err e;
static char warnings[8192];

static void on_warning(void *user, const char *text)
{
	size_t n = strlen(warnings);

	(void)user;
	(void)snprintf(warnings + n, sizeof(warnings) - n, "%s\n", text);
}

static void make(void)
{
	scratch_make();
	stop_install();
	warnings[0] = '\0';
	ck_assert_int_eq(mkdir(scratch_path("tree"), 0755), 0);
	ck_assert_int_eq(mkdir(scratch_path("out"), 0700), 0);
}

static struct source *begin(const char *const *exclude, size_t n)
{
	struct files_walk_options o = {.root = scratch_path("tree"),
		.exclude = exclude,
		.n_exclude = n,
		.warn = on_warning};
	struct source *s = NULL;

	ck_assert_msg(files_archive_source(&o, &s, &e) == 0, "%s", e.msg);
	return s;
}

/* The rest of it, through the checker too: both must have counted the same. */
static void take(struct source *s, struct buf *archive, struct counts *counts)
{
	struct counts checked = {0};
	struct sink *check = NULL;
	static char bytes[100000];
	ssize_t n;

	ck_assert_int_eq(pax_check_new(&check, &e), 0);
	while ((n = source_read(s, bytes, sizeof(bytes), &e)) > 0) {
		buf_add(archive, bytes, (size_t)n);
		ck_assert_msg(sink_write(check, bytes, (size_t)n, &e) == 0, "%s", e.msg);
	}
	ck_assert_msg(n == 0, "%s", e.msg);
	ck_assert_int_eq(source_finish(s, &e), 0);
	files_archive_counts(s, counts);
	source_free(s);
	ck_assert_msg(sink_finish(check, &e) == 0, "%s", e.msg);
	pax_check_counts(check, &checked);
	sink_free(check);
	ck_assert_msg(counts_compare(counts, &checked, &e) == 0, "%s", e.msg);
}

static int extract(const struct buf *archive)
{
	struct files_extract o = {.folder = scratch_path("out"), .warn = on_warning};
	struct sink *t = NULL;
	int r = files_archive_target(&o, &t, &e);

	ck_assert_int_eq(r, 0);
	for (size_t i = 0; i < archive->len && r == 0; i += 7777)
		r = sink_write(t, archive->data + i,
			archive->len - i < 7777 ? archive->len - i : 7777, &e);
	if (r == 0)
		r = sink_finish(t, &e);
	sink_free(t);
	return r;
}

static void round_trip(struct counts *counts)
{
	struct buf archive = BUF_INIT(64 << 20);

	take(begin(NULL, 0), &archive, counts);
	ck_assert_msg(extract(&archive) == 0, "%s", e.msg);
	buf_done(&archive);
}

static struct stat stat_of(const char *name)
{
	struct stat st;

	ck_assert_msg(lstat(scratch_path(name), &st) == 0, "%s: %s", name, strerror(errno));
	return st;
}

static void same_file(const char *a, const char *b)
{
	static char x[300000], y[300000];
	struct stat p = stat_of(a), q = stat_of(b);

	ck_assert_uint_eq(p.st_mode, q.st_mode);
	ck_assert_int_eq(p.st_mtim.tv_sec, q.st_mtim.tv_sec);
	ck_assert_int_eq(p.st_mtim.tv_nsec, q.st_mtim.tv_nsec);
	ck_assert_uint_eq(p.st_uid, q.st_uid);
	ck_assert_uint_eq(p.st_gid, q.st_gid);
	ck_assert_int_eq(p.st_size, q.st_size);
	if (!S_ISREG(p.st_mode) || p.st_size > (off_t)sizeof(x))
		return;
	ck_assert_uint_eq(scratch_read(a, x, sizeof(x)), scratch_read(b, y, sizeof(y)));
	ck_assert_int_eq(memcmp(x, y, (size_t)p.st_size), 0);
}

START_TEST(files_come_back_as_they_were)
{
	struct counts counts = {0};
	static char big[250001];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 31 >> 3);
	scratch_write("tree/big", big, sizeof(big));
	scratch_write("tree/empty", "", 0);
	ck_assert_int_eq(chmod(scratch_path("tree/big"), 04751), 0);
	ck_assert_int_eq(mkdir(scratch_path("tree/sub"), 0711), 0);
	scratch_write("tree/sub/x", "x", 1);
	ck_assert_int_eq(chmod(scratch_path("tree/sub"), 0511), 0); /* no right to write */
	ck_assert_int_eq(symlink("../nowhere", scratch_path("tree/link")), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(lchown(scratch_path("tree/empty"), 12345, 2200000), 0);
		ck_assert_int_eq(lchown(scratch_path("tree/link"), 12345, 54321), 0);
	}
	round_trip(&counts);
	same_file("tree", "out");
	same_file("tree/big", "out/big");
	same_file("tree/empty", "out/empty");
	same_file("tree/sub", "out/sub");
	same_file("tree/sub/x", "out/sub/x");
	same_file("tree/link", "out/link");
	ck_assert_str_eq(warnings, "");
	ck_assert_int_eq(counts_get(&counts, "files"), 3);
	ck_assert_int_eq(counts_get(&counts, "folders"), 2);
	ck_assert_int_eq(counts_get(&counts, "links"), 1);
	ck_assert_int_eq(counts_get(&counts, "bytes"), (int64_t)sizeof(big) + 1);
}
END_TEST

START_TEST(several_names_of_a_file_stay_one_file)
{
	struct counts counts = {0};

	scratch_write("tree/a", "data", 4);
	ck_assert_int_eq(link(scratch_path("tree/a"), scratch_path("tree/b")), 0);
	ck_assert_int_eq(mkdir(scratch_path("tree/d"), 0755), 0);
	ck_assert_int_eq(link(scratch_path("tree/a"), scratch_path("tree/d/c")), 0);
	round_trip(&counts);
	ck_assert_uint_eq(stat_of("out/a").st_ino, stat_of("out/b").st_ino);
	ck_assert_uint_eq(stat_of("out/a").st_ino, stat_of("out/d/c").st_ino);
	ck_assert_int_eq(counts_get(&counts, "files"), 1);
	ck_assert_int_eq(counts_get(&counts, "links"), 2);
	ck_assert_int_eq(counts_get(&counts, "bytes"), 4);
}
END_TEST

START_TEST(holes_stay_holes)
{
	struct counts counts = {0};
	struct buf archive = BUF_INIT(64 << 20);
	int fd = open(scratch_path("tree/sparse"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char bytes[7] = "";

	ck_assert_int_eq(pwrite(fd, "begin", 5, 0), 5);
	ck_assert_int_eq(pwrite(fd, "middle", 6, 500 << 20), 6);
	ck_assert_int_eq(ftruncate(fd, 900 << 20), 0);
	(void)close(fd);
	take(begin(NULL, 0), &archive, &counts);
	ck_assert_uint_lt(archive.len, 1 << 20);
	ck_assert_msg(extract(&archive) == 0, "%s", e.msg);
	buf_done(&archive);
	same_file("tree/sparse", "out/sparse");
	ck_assert_int_lt(stat_of("out/sparse").st_blocks, 4096);
	ck_assert_int_eq(counts_get(&counts, "bytes"), 900 << 20);
	fd = open(scratch_path("out/sparse"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, bytes, 6, 500 << 20), 6);
	ck_assert_str_eq(bytes, "middle");
	(void)close(fd);
}
END_TEST

START_TEST(attributes_come_back)
{
	struct counts counts = {0};
	char value[16] = "";

	scratch_write("tree/f", "", 0);
	if (setxattr(scratch_path("tree/f"), "user.note", "a\0b", 3, 0) < 0) {
		printf("skipped: no extended attributes in /tmp\n");
		return;
	}
	round_trip(&counts);
	ck_assert_int_eq(getxattr(scratch_path("out/f"), "user.note", value, sizeof(value)), 3);
	ck_assert_int_eq(memcmp(value, "a\0b", 3), 0);
}
END_TEST

START_TEST(access_lists_come_back)
{
	char command[600], a[600], b[600];
	struct counts counts = {0};

	ck_assert_int_eq(mkdir(scratch_path("tree/d"), 0750), 0);
	(void)snprintf(command, sizeof(command),
		"setfacl -m u:12345:r--,d:u:12346:rwx '%s/tree/d' 2>/dev/null", scratch);
	if (system(command) != 0) {
		printf("skipped: no setfacl, or no access lists in /tmp\n");
		return;
	}
	round_trip(&counts);
	for (int i = 0; i < 2; i++) {
		FILE *f;

		(void)snprintf(command, sizeof(command), "cd '%s/%s' && getfacl -n d", scratch,
			i ? "out" : "tree");
		f = popen(command, "r");
		ck_assert_uint_gt(fread(i ? b : a, 1, sizeof(a) - 1, f), 50);
		(void)pclose(f);
	}
	ck_assert_int_eq(strncmp(a, b, 50), 0);
}
END_TEST

START_TEST(names_of_any_bytes_and_length_are_kept)
{
	static const char *const names[] = {"tree/new\nline", "tree/\xff\xfe raw",
		"tree/gr\xc3\xbc\xc3\x9f", "tree/-rf *", "tree/ "};
	char deep[400];
	struct counts counts = {0};
	size_t n;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		scratch_write(names[i], "x", 1);
	(void)snprintf(deep, sizeof(deep), "tree/%0250d", 7);
	scratch_write(deep, "long", 4);
	round_trip(&counts);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char out[64];

		(void)snprintf(out, sizeof(out), "out%s", names[i] + 4);
		same_file(names[i], out);
	}
	n = strlen(deep);
	memmove(deep + 3, deep + 4, n - 3);
	memcpy(deep, "out", 3);
	ck_assert(scratch_has(deep));
}
END_TEST

START_TEST(a_deep_tree_comes_back)
{
	int fd = open(scratch_path("tree"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct counts counts = {0};

	for (int i = 0; i < 400; i++) {
		int next;

		ck_assert_int_eq(mkdirat(fd, "a-folder-with-a-name", 0755), 0);
		next = openat(fd, "a-folder-with-a-name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		(void)close(fd);
		fd = next;
	}
	(void)close(fd);
	round_trip(&counts); /* 8,400 bytes of path: more than one system call takes */
	ck_assert_int_eq(counts_get(&counts, "folders"), 401);
	/* What follows removes it. */
	{
		char command[200];

		(void)snprintf(
			command, sizeof(command), "rm -r '%s/tree' '%s/out'", scratch, scratch);
		ck_assert_int_eq(system(command), 0);
	}
}
END_TEST

START_TEST(what_is_no_file_is_left_out_and_told)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct counts counts = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", scratch_path("tree/sock"));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	(void)close(fd);
	ck_assert_int_eq(mkfifo(scratch_path("tree/fifo"), 0600), 0);
	round_trip(&counts);
	ck_assert_str_eq(warnings, "sock: it is a socket: left out\n");
	ck_assert(S_ISFIFO(stat_of("out/fifo").st_mode));
	ck_assert(!scratch_has("out/sock"));
}
END_TEST

START_TEST(excluded_paths_are_left_out)
{
	static const char *const exclude[] = {"cache", "*.tmp", "keep/*"};
	struct buf archive = BUF_INIT(1 << 20);
	struct counts counts = {0};

	ck_assert_int_eq(mkdir(scratch_path("tree/cache"), 0755), 0);
	ck_assert_int_eq(mkdir(scratch_path("tree/keep"), 0755), 0);
	scratch_write("tree/cache/x", "x", 1);
	scratch_write("tree/keep/y", "y", 1);
	scratch_write("tree/keep.tmp", "z", 1);
	scratch_write("tree/cached", "w", 1);
	take(begin(exclude, 3), &archive, &counts);
	ck_assert_int_eq(extract(&archive), 0);
	buf_done(&archive);
	ck_assert(!scratch_has("out/cache"));
	ck_assert(scratch_has("out/keep"));
	ck_assert(!scratch_has("out/keep/y"));
	ck_assert(!scratch_has("out/keep.tmp"));
	ck_assert(scratch_has("out/cached"));
}
END_TEST

START_TEST(a_file_that_shrinks_or_changes_meanwhile_is_told)
{
	static char big[600000];
	struct buf archive = BUF_INIT(8 << 20);
	struct source *s = begin(NULL, 0);
	struct counts counts = {0};
	int fd;

	memset(big, 'b', sizeof(big));
	scratch_write("tree/shrinks", big, sizeof(big));
	/* Up to the first bytes of the file: its header is out, and the next piece is not read yet. */
	while (archive.len < 100000) {
		char byte[5000];
		ssize_t n = source_read(s, byte, sizeof(byte), &e);

		ck_assert_int_gt(n, 0);
		buf_add(&archive, byte, (size_t)n);
	}
	fd = open(scratch_path("tree/shrinks"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, 300000), 0);
	(void)close(fd);
	for (;;) {
		static char bytes[100000];
		ssize_t n = source_read(s, bytes, sizeof(bytes), &e);

		ck_assert_int_ge(n, 0);
		if (!n)
			break;
		buf_add(&archive, bytes, (size_t)n);
	}
	ck_assert_int_eq(source_finish(s, &e), 0);
	files_archive_counts(s, &counts);
	source_free(s);
	ck_assert_str_eq(
		warnings, "shrinks: it became shorter while it was read; the rest is zeroes\n");
	ck_assert_int_eq(extract(&archive), 0);
	ck_assert_int_eq(stat_of("out/shrinks").st_size, 600000);
	buf_done(&archive);
}
END_TEST

START_TEST(a_cut_archive_is_a_failure)
{
	struct buf archive = BUF_INIT(1 << 20);
	struct counts counts = {0};
	static char bytes[50000];

	scratch_write("tree/file", bytes, sizeof(bytes));
	take(begin(NULL, 0), &archive, &counts);
	archive.len -= 10000;
	ck_assert_int_eq(extract(&archive), -EIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "extract: "));
	buf_done(&archive);
}
END_TEST

/* With leak detection it is also seen that nothing stays behind. */
START_TEST(one_that_is_given_up_is_no_success)
{
	static char bytes[2000000];
	struct source *s;

	scratch_write("tree/file", bytes, sizeof(bytes));
	s = begin(NULL, 0);
	for (int i = 0; i < 6; i++)
		ck_assert_int_gt(source_read(s, bytes, 100000, &e), 0);
	ck_assert_int_eq(source_finish(s, &e), -EIO);
	source_free(s);
}
END_TEST

START_TEST(gnu_tar_opens_it)
{
	struct buf archive = BUF_INIT(1 << 20);
	struct counts counts = {0};
	char command[300];

	scratch_write("tree/gr\xc3\xbc\xc3\x9f", "x", 1);
	scratch_write("tree/plain", "x", 1);
	take(begin(NULL, 0), &archive, &counts);
	scratch_write("a.tar", archive.data, archive.len);
	(void)snprintf(command, sizeof(command),
		"cd '%s/out' && tar xf ../a.tar 2>../said && test ! -s ../said", scratch);
	ck_assert_int_eq(system(command), 0);
	same_file("tree/plain", "out/plain");
	same_file("tree/gr\xc3\xbc\xc3\x9f", "out/gr\xc3\xbc\xc3\x9f");
	buf_done(&archive);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("files_archive");
	TCase *tc = tcase_create("files_archive");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, make, scratch_remove);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, files_come_back_as_they_were);
	tcase_add_test(tc, several_names_of_a_file_stay_one_file);
	tcase_add_test(tc, holes_stay_holes);
	tcase_add_test(tc, attributes_come_back);
	tcase_add_test(tc, access_lists_come_back);
	tcase_add_test(tc, names_of_any_bytes_and_length_are_kept);
	tcase_add_test(tc, a_deep_tree_comes_back);
	tcase_add_test(tc, what_is_no_file_is_left_out_and_told);
	tcase_add_test(tc, excluded_paths_are_left_out);
	tcase_add_test(tc, a_file_that_shrinks_or_changes_meanwhile_is_told);
	tcase_add_test(tc, a_cut_archive_is_a_failure);
	tcase_add_test(tc, one_that_is_given_up_is_no_success);
	tcase_add_test(tc, gnu_tar_opens_it);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
