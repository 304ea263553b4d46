/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "collectors/filesystem.h"
#include "tests/unit/recorded.h"

static char copy[4096];

static int parse(const char *text, struct mount_line *out)
{
	(void)snprintf(copy, sizeof(copy), "%s", text);
	return mount_parse_line(copy, out, &recorded_error);
}

START_TEST(lines_are_parsed)
{
	struct mount_line l;

	ck_assert_int_eq(
		parse("36 35 98:0 /part /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root "
		      "rw,errors=continue",
			&l),
		0);
	ck_assert_uint_eq(l.major, 98);
	ck_assert_str_eq(l.root, "/part");
	ck_assert_str_eq(l.point, "/mnt2");
	ck_assert_str_eq(l.options, "rw,noatime");
	ck_assert_str_eq(l.type, "ext3");
	ck_assert_str_eq(l.source, "/dev/root");
	ck_assert_str_eq(l.super_options, "rw,errors=continue");
	ck_assert_int_eq(
		parse("1 0 8:1 / /a\\040b\\134c\\011d\\9\\04 rw - ext4 s\\040t rw", &l), 0);
	ck_assert_str_eq(l.point, "/a b\\c\td\\9\\04");
	ck_assert_str_eq(l.source, "s t");
	ck_assert_int_eq(parse("1 0 8:1 / / rw - tmpfs none", &l), 0);
	ck_assert_str_eq(l.super_options, "");
}
END_TEST

START_TEST(mistakes_are_named)
{
	struct mount_line l;

	ck_assert_int_eq(parse("x", &l), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "the mount's number is not a number");
	ck_assert_int_eq(parse("1 2 8-1 / / rw - ext4 a rw", &l), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "field 3 is not a device number");
	ck_assert_int_eq(parse("1 2 8:1 / / rw shared:1 ext4 a rw", &l), -EINVAL);
	ck_assert_str_eq(recorded_error.msg, "the separator \"-\" is missing");
	ck_assert_int_eq(parse("1 2 8:1 / / rw - ext4", &l), -EINVAL);
	ck_assert_int_eq(parse("1 2 99999999999:1 / / rw - ext4 a rw", &l), -EINVAL);
}
END_TEST

static bool is_there(const char *point)
{
	return recorded_find(&class_filesystem, point) != NULL;
}

START_TEST(each_real_filesystem_is_there_once)
{
	static const char *const yes[] = {"/", "/boot", "/boot/efi", "/srv", "/tmp",
		"/media/my usb_stick", "/mnt/nas/scratch", "/tank", "/tank/db", "/log"};

	recorded_begin("host-v2", &collector_filesystem);
	/* A part of a filesystem, at a shorter path than the whole. */
	recorded_edit("proc/self/mountinfo", "50 28 0:60 / /tank rw",
		"60 28 9:0 /x /w rw - xfs /dev/md0 rw\n50 28 0:60 / /tank rw");
	ck_assert_int_eq(recorded_sample(100), 0);
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		ck_assert_msg(is_there(yes[i]), "%s", yes[i]);
	/* No pseudo, image, container or network filesystem; no bind mount; one of two btrfs
	 * subvolumes. */
	ck_assert_uint_eq(recorded_count(&class_filesystem), sizeof(yes) / sizeof(*yes));
	recorded_end();
}
END_TEST

START_TEST(labels_and_read_only)
{
	const struct entity *e;

	recorded_begin("host-v2", &collector_filesystem);
	ck_assert_int_eq(recorded_sample(100), 0);
	e = recorded_find(&class_filesystem, "/srv");
	ck_assert_str_eq(entity_label_get(e, "device"), "/dev/md0");
	ck_assert_str_eq(entity_label_get(e, "fstype"), "xfs");
	ck_assert_str_eq(entity_label_get(e, "mountpoint"), "/srv");
	ck_near(entity_value(e, FILESYSTEM_read_only), 0);
	e = recorded_find(&class_filesystem, "/media/my usb_stick");
	ck_near(entity_value(e, FILESYSTEM_read_only), 1);
	ck_assert_double_nan(entity_value(e, FILESYSTEM_size_bytes));
	ck_assert_str_eq(
		e->missing[FILESYSTEM_size_bytes], "only a mounted filesystem can be asked");
	recorded_end();
}
END_TEST

START_TEST(patterns_choose_mount_points)
{
	static const char *const list[] = {"!/boot*", "/dev/shm", "/mnt/nas"};

	recorded_begin("host-v2", &collector_filesystem);
	recorded_options.filesystems = (struct patterns){list, 3};
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert(!is_there("/boot"));
	ck_assert(!is_there("/boot/efi"));
	ck_assert(is_there("/dev/shm"));
	ck_assert(is_there("/srv"));
	ck_assert(!is_there("/mnt/nas")); /* network filesystems are not asked for */
	recorded_end();
}
END_TEST

START_TEST(what_is_mounted_over_is_not_there)
{
	recorded_begin("host-v2", &collector_filesystem);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_edit("proc/self/mountinfo", "50 28 0:60 / /tank rw",
		"60 28 8:99 / /boot rw - ext4 /dev/sdz1 rw\n"
		"61 28 0:99 / /srv rw - proc proc rw\n50 28 0:60 / /tank rw");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_str_eq(
		entity_label_get(recorded_find(&class_filesystem, "/boot"), "device"), "/dev/sdz1");
	/* Its device can still be reached by the bind mount. */
	ck_assert(!is_there("/srv"));
	ck_assert(is_there("/var/www"));
	recorded_end();
}
END_TEST

START_TEST(a_bad_line_is_named_and_the_others_are_read)
{
	char want[200];

	recorded_begin("host-v2", &collector_filesystem);
	recorded_edit("proc/self/mountinfo", "39 28 9:0 / /srv rw", "39 28 9/0 / /srv rw");
	ck_assert_int_eq(recorded_sample(100), -EINVAL);
	(void)snprintf(want, sizeof(want),
		"%s/proc/self/mountinfo: line 17: field 3 is not a device number", scratch);
	ck_assert_str_eq(recorded_error.msg, want);
	ck_assert(is_there("/"));
	ck_assert(is_there("/log"));
	recorded_end();
}
END_TEST

START_TEST(an_unreadable_table_is_named)
{
	recorded_begin("host-v2", &collector_filesystem);
	ck_assert_int_eq(unlink(scratch_path("proc/self/mountinfo")), 0);
	ck_assert_int_eq(recorded_sample(100), -ENOENT);
	ck_assert_ptr_nonnull(
		strstr(recorded_error.msg, "/proc/self/mountinfo: No such file or directory"));
	recorded_end();
}
END_TEST

static int fixed_usage(int root_fd, const char *path, struct fs_usage *out)
{
	(void)root_fd;
	if (strcmp(path, "/boot") == 0)
		return -EACCES;
	*out = (struct fs_usage){.size_bytes = 1000,
		.free_bytes = 250,
		.available_bytes = 200,
		.inodes = strcmp(path, "/log") == 0 ? 0 : 50,
		.inodes_free = 10,
		.read_only = true};
	if (strcmp(path, "/tank") == 0)
		out->size_bytes = 0;
	return 0;
}

START_TEST(shares_are_those_of_df)
{
	const struct entity *e;

	recorded_begin("host-v2", &collector_filesystem);
	((struct filesystem_state *)recorded_state)->usage = fixed_usage;
	ck_assert_int_eq(recorded_sample(100), 0);
	e = recorded_find(&class_filesystem, "/");
	ck_near(entity_value(e, FILESYSTEM_size_bytes), 1000);
	ck_near(entity_value(e, FILESYSTEM_free_bytes), 250);
	ck_near(entity_value(e, FILESYSTEM_available_bytes), 200);
	ck_near(entity_value(e, FILESYSTEM_used_bytes), 750);
	ck_near(entity_value(e, FILESYSTEM_used_percent), 100 * 750 / 950.0);
	ck_near(entity_value(e, FILESYSTEM_inodes_used_percent), 80);
	ck_near(entity_value(e, FILESYSTEM_read_only), 1);
	e = recorded_find(&class_filesystem, "/log");
	ck_assert_double_nan(entity_value(e, FILESYSTEM_inodes_used_percent));
	ck_assert_str_eq(e->missing[FILESYSTEM_inodes_used_percent], "inodes are made as needed");
	e = recorded_find(&class_filesystem, "/boot");
	ck_assert_double_nan(entity_value(e, FILESYSTEM_used_percent));
	ck_assert_str_eq(
		e->missing[FILESYSTEM_used_percent], "no permission to look at the mount point");
	ck_assert(!is_there("/tank")); /* without a size it is a pseudo filesystem */
	recorded_end();
}
END_TEST

START_TEST(the_root_of_this_machine)
{
	struct statvfs s;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int was_proc, was_root;
	const struct entity *e;

	recorded_begin("host-v2", &collector_filesystem);
	was_proc = recorded.proc_fd;
	was_root = recorded.root_fd;
	recorded.live = true;
	recorded.proc_fd = proc;
	recorded.root_fd = root;
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_int_eq(recorded_sample(120), 0); /* without reading the table again */
	ck_assert_int_eq(statvfs("/", &s), 0);
	e = recorded_find(&class_filesystem, "/");
	ck_assert_ptr_nonnull(e);
	ck_near(entity_value(e, FILESYSTEM_size_bytes), (double)s.f_blocks * (double)s.f_frsize);
	ck_assert_double_gt(entity_value(e, FILESYSTEM_used_percent), 0);
	ck_assert_double_le(entity_value(e, FILESYSTEM_used_percent), 100);
	recorded.proc_fd = was_proc;
	recorded.root_fd = was_root;
	recorded_end();
	(void)close(proc);
	(void)close(root);
}
END_TEST

/* A server that is dead until the test writes into the FIFO "server". */
static int dead_nas(int root_fd, const char *path, struct fs_usage *out)
{
	if (strncmp(path, "/mnt/nas", strlen("/mnt/nas")) == 0) {
		int fd = openat(root_fd, "server", O_RDONLY | O_CLOEXEC);

		(void)close(fd);
	}
	return fixed_usage(root_fd, path, out);
}

static struct filesystem_state *begin_with_dead_nas(void)
{
	struct filesystem_state *s;

	recorded_begin("host-v2", &collector_filesystem);
	ck_assert_int_eq(mkfifo(scratch_path("server"), 0600), 0);
	recorded_options.network_filesystems = true;
	s = recorded_state;
	s->usage = dead_nas;
	return s;
}

static struct fs_probe *probe_of(struct filesystem_state *s, const char *point)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].mount.point, point) == 0)
			return &s->list[i].probe;
	ck_abort_msg("%s is not watched", point);
}

/* Waits for a process that will answer: the samples of a test are microseconds apart. */
static void await(const struct fs_probe *p)
{
	struct pollfd ready = {.fd = p->fd_plus_1 - 1, .events = POLLIN};
	siginfo_t info;

	ck_assert_int_eq(poll(&ready, 1, 10000), 1);
	ck_assert_int_eq(waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOWAIT), 0);
}

static const struct problem *find_problem(const char *key)
{
	for (size_t i = 0; i < problems_count(recorded.problems); i++)
		if (strcmp(problems_at(recorded.problems, i)->key, key) == 0)
			return problems_at(recorded.problems, i);
	return NULL;
}

START_TEST(a_dead_server_does_not_stop_the_others)
{
	struct filesystem_state *s = begin_with_dead_nas();
	int64_t began = clock_mono_ms();
	pid_t first;

	ck_assert_int_eq(recorded_sample(100), 0);
	ck_near(recorded_value(&class_filesystem, "/", FILESYSTEM_used_bytes), 750);
	ck_assert_double_nan(recorded_value(&class_filesystem, "/mnt/nas", FILESYSTEM_used_bytes));
	ck_assert_ptr_null(find_problem("filesystem.0:50"));
	first = probe_of(s, "/mnt/nas")->pid;
	ck_assert_int_gt(first, 0);
	for (int i = 1; i < 20; i++) {
		if (probe_of(s, "/mnt/photos")->fd_plus_1)
			await(probe_of(s, "/mnt/photos"));
		ck_assert_int_eq(recorded_sample(100 + 20 * i), 0);
	}
	/* Still the one question, however long it takes, and a message that names the mount. */
	ck_assert_int_eq(probe_of(s, "/mnt/nas")->pid, first);
	ck_near(recorded_value(&class_filesystem, "/mnt/photos", FILESYSTEM_used_bytes), 750);
	ck_near(recorded_value(&class_filesystem, "/", FILESYSTEM_used_bytes), 750);
	ck_assert_ptr_nonnull(find_problem("filesystem.0:50"));
	ck_assert_ptr_nonnull(strstr(find_problem("filesystem.0:50")->text,
		"/mnt/nas (nas.example.net:/export, nfs4) has not answered for 380 s"));
	/* A local disk below the dead mount is as unreachable. */
	ck_assert_ptr_nonnull(find_problem("filesystem.254:3"));
	ck_assert_ptr_null(find_problem("filesystem.0:51"));
	ck_assert_int_lt(clock_mono_ms() - began, 5000);
	recorded_end();
}
END_TEST

START_TEST(a_server_that_comes_back)
{
	struct filesystem_state *s = begin_with_dead_nas();
	int fd;

	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_ptr_nonnull(find_problem("filesystem.0:50"));
	fd = open(scratch_path("server"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	await(probe_of(s, "/mnt/nas"));
	ck_assert_int_eq(recorded_sample(140), 0);
	ck_assert_ptr_null(find_problem("filesystem.0:50"));
	ck_near(recorded_value(&class_filesystem, "/mnt/nas", FILESYSTEM_used_bytes), 750);
	(void)close(fd);
	recorded_end();
}
END_TEST

START_TEST(an_answer_is_shown_until_it_is_old)
{
	struct filesystem_state *s = begin_with_dead_nas();

	ck_assert_int_eq(recorded_sample(100), 0);
	await(probe_of(s, "/mnt/photos"));
	ck_assert_int_eq(recorded_sample(101), 0);
	ck_assert_int_eq(recorded_sample(159), 0);
	ck_assert_int_eq(probe_of(s, "/mnt/photos")->fd_plus_1, 0); /* not due yet */
	ck_near(recorded_value(&class_filesystem, "/mnt/photos", FILESYSTEM_used_bytes), 750);
	/* From now on nothing answers there either. */
	probe_of(s, "/mnt/photos")->asked_ns = 10000 * SECOND_NS;
	ck_assert_int_eq(recorded_sample(280), 0);
	ck_near(recorded_value(&class_filesystem, "/mnt/photos", FILESYSTEM_used_bytes), 750);
	ck_assert_int_eq(recorded_sample(282), 0);
	ck_assert_double_nan(
		recorded_value(&class_filesystem, "/mnt/photos", FILESYSTEM_used_bytes));
	recorded_end();
}
END_TEST

START_TEST(no_process_and_no_problem_outlives_its_mount)
{
	struct filesystem_state *s = begin_with_dead_nas();
	siginfo_t info;
	pid_t hanging;

	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_ptr_nonnull(find_problem("filesystem.0:50"));
	hanging = probe_of(s, "/mnt/nas")->pid;
	recorded_write("proc/self/mountinfo", "28 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
	ck_assert_int_eq(recorded_sample(140), 0);
	ck_assert_uint_eq(problems_count(recorded.problems), 0);
	/* It dies, and is buried by a later sample. */
	if (waitid(P_PID, (id_t)hanging, &info, WEXITED | WNOWAIT) == 0)
		ck_assert_int_eq(recorded_sample(160), 0);
	ck_assert_int_eq(waitpid(hanging, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	recorded_end();
}
END_TEST

START_TEST(the_end_of_the_collector_ends_its_processes)
{
	struct filesystem_state *s = begin_with_dead_nas();
	pid_t hanging;

	ck_assert_int_eq(recorded_sample(100), 0);
	hanging = probe_of(s, "/mnt/nas")->pid;
	recorded_collector->done(recorded_state);
	ck_assert_int_eq(waitpid(hanging, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	memset(recorded_state, 0, recorded_collector->state_size);
	recorded_end();
}
END_TEST

static int report_descriptors(int root_fd, const char *path, struct fs_usage *out)
{
	(void)path;
	*out = (struct fs_usage){.size_bytes = 1};
	for (int fd = 0; fd < 256; fd++)
		out->inodes += fcntl(fd, F_GETFD) >= 0;
	out->read_only = fcntl(root_fd, F_GETFD) >= 0;
	return 0;
}

/* A process that may hang for days must not hold the daemon's sockets and locks. */
START_TEST(a_process_holds_nothing_of_its_parent)
{
	struct fs_probe p = {0};
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int other = open("/dev/null", O_RDONLY); /* not even close-on-exec */

	ck_assert_int_eq(fs_probe_ask(&p, report_descriptors, root, "/", 1, &recorded_error), 0);
	await(&p);
	fs_probe_look(&p, 2);
	ck_assert_int_eq(p.result, 0);
	ck_assert_uint_eq(p.usage.inodes, 2); /* the folder and its pipe */
	ck_assert(p.usage.read_only);
	ck_assert(fs_probe_abandon(&p, 10000));
	ck_assert(!fs_probe_is_busy(&p));
	(void)close(other);
	(void)close(root);
}
END_TEST

static int die(int root_fd, const char *path, struct fs_usage *out)
{
	(void)root_fd;
	(void)path;
	(void)out;
	_exit(3);
}

START_TEST(a_process_that_dies_is_an_error_not_a_wait)
{
	struct fs_probe p = {0};
	siginfo_t info;

	ck_assert_int_eq(fs_probe_ask(&p, die, AT_FDCWD, "/", 1, &recorded_error), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)p.pid, &info, WEXITED | WNOWAIT), 0);
	fs_probe_look(&p, 2);
	ck_assert_int_eq(p.result, -EIO);
	ck_assert(!fs_probe_is_busy(&p));
}
END_TEST

RUN_TESTS("filesystem", lines_are_parsed, mistakes_are_named, each_real_filesystem_is_there_once,
	labels_and_read_only, patterns_choose_mount_points, what_is_mounted_over_is_not_there,
	a_bad_line_is_named_and_the_others_are_read, an_unreadable_table_is_named,
	shares_are_those_of_df, the_root_of_this_machine, a_dead_server_does_not_stop_the_others,
	a_server_that_comes_back, an_answer_is_shown_until_it_is_old,
	no_process_and_no_problem_outlives_its_mount, the_end_of_the_collector_ends_its_processes,
	a_process_holds_nothing_of_its_parent, a_process_that_dies_is_an_error_not_a_wait)
