/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "collectors/cgroup_watch.h"
#include "tests/unit/recorded.h"
#include "tests/unit/turns.h"

#define ID_A "a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718a1b2c3d4e5f60718"
#define ID_N "1111111111111111111111111111111111111111111111111111111111111111"
#define TREE "sys/fs/cgroup/"
#define SCOPE "system.slice/docker-" ID_N ".scope"

static struct loop *loop;
static struct cgroup_tree tree;
static struct cgroup_watch *watch;

/* What was told, by path. */
static struct {
	char path[400];
	bool fresh, gone;
	unsigned times;
} told[64];
static size_t n_told;

static size_t index_of(const char *path)
{
	size_t i = 0;

	while (i < n_told && strcmp(told[i].path, path) != 0)
		i++;
	return i;
}

static void take(const char *path, bool fresh, bool gone)
{
	size_t i = index_of(path);

	ck_assert_uint_lt(i, ARRAY_LEN(told));
	if (i == n_told)
		n_told++;
	(void)snprintf(told[i].path, sizeof(told[i].path), "%s", path);
	told[i].fresh = fresh;
	told[i].gone = gone;
	told[i].times++;
}

static void found(void *user, const char *path, const struct cgroup_name *name, bool fresh)
{
	(void)user;
	(void)name;
	take(path, fresh, false);
}

static void gone(void *user, const char *path)
{
	(void)user;
	take(path, false, true);
}

static bool was_told(const char *path)
{
	return index_of(path) < n_told;
}

static void begin(bool with_loop)
{
	const struct cgroup_watch_events events = {.found = found, .gone = gone};
	int root, proc, sys;

	n_told = 0;
	memset(told, 0, sizeof(told));
	scratch_make();
	recorded_copy("cgroup-v2-docker");
	root = recorded_dir(".");
	proc = recorded_dir("proc");
	sys = recorded_dir("sys");
	cgroup_tree_init(&tree);
	ck_assert_int_eq(cgroup_tree_open(&tree, root, proc, sys, false, NULL), 0);
	(void)close(root);
	(void)close(proc);
	(void)close(sys);
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(
		cgroup_watch_new(with_loop ? loop : NULL, &tree, &events, &watch, NULL), 0);
}

static void end(void)
{
	cgroup_watch_free(watch);
	cgroup_tree_done(&tree);
	loop_free(loop);
	scratch_remove();
}

static void make(const char *path)
{
	char full[300];

	(void)snprintf(full, sizeof(full), TREE "%.250s", path);
	ck_assert_int_eq(mkdir(scratch_path(full), 0700), 0);
}

static void remove_made(const char *path)
{
	char full[300];

	(void)snprintf(full, sizeof(full), TREE "%.250s", path);
	ck_assert_int_eq(rmdir(scratch_path(full)), 0);
}

START_TEST(the_first_poll_walks_the_tree)
{
	begin(true);
	ck_assert(cgroup_watch_poll(watch));
	ck_assert(was_told("system.slice/nginx.service"));
	ck_assert(was_told("system.slice/docker-" ID_A ".scope"));
	ck_assert_uint_eq(n_told, 4);
	ck_assert(!told[0].fresh);
	ck_assert(!cgroup_watch_poll(watch));
	ck_assert_ptr_null(cgroup_watch_trouble(watch));
	end();
}
END_TEST

START_TEST(what_appears_and_vanishes_is_told_at_once)
{
	begin(true);
	ck_assert(cgroup_watch_poll(watch));
	make(SCOPE);
	TURN_UNTIL(loop, was_told(SCOPE));
	ck_assert(told[index_of(SCOPE)].fresh);
	remove_made(SCOPE);
	TURN_UNTIL(loop, told[index_of(SCOPE)].gone);
	ck_assert(!cgroup_watch_poll(watch));
	end();
}
END_TEST

START_TEST(folders_that_appear_are_watched_too)
{
	begin(true);
	ck_assert(cgroup_watch_poll(watch));
	make("shop.slice");
	make("shop.slice/shop-a.slice");
	turn_idle(loop);
	make("shop.slice/shop-a.slice/job.service");
	TURN_UNTIL(loop, was_told("shop.slice/shop-a.slice/job.service"));
	/* The numbers of watches that ended are not mixed up with those of later ones. */
	remove_made("shop.slice/shop-a.slice/job.service");
	remove_made("shop.slice/shop-a.slice");
	make("shop.slice/shop-b.slice");
	turn_idle(loop);
	make("shop.slice/shop-b.slice/job.service");
	TURN_UNTIL(loop, was_told("shop.slice/shop-b.slice/job.service"));
	end();
}
END_TEST

/* C.4, traps 1 and 3. */
START_TEST(trap_nothing_below_a_container_is_told_or_watched)
{
	begin(true);
	ck_assert(cgroup_watch_poll(watch));
	make(SCOPE);
	make(SCOPE "/docker");
	make(SCOPE "/docker/" ID_A);
	make("system.slice/var-lib-x.mount");
	TURN_UNTIL(loop, was_told(SCOPE));
	make(SCOPE "/system.slice");
	turn_idle(loop);
	ck_assert(cgroup_watch_poll(watch) == false);
	ck_assert(!was_told(SCOPE "/docker/" ID_A));
	ck_assert(!was_told(SCOPE "/system.slice"));
	ck_assert(!was_told("system.slice/var-lib-x.mount"));
	end();
}
END_TEST

START_TEST(a_poll_sees_what_happened_just_before)
{
	begin(true);
	ck_assert(cgroup_watch_poll(watch));
	make(SCOPE);
	ck_assert(!cgroup_watch_poll(watch));
	ck_assert(was_told(SCOPE));
	end();
}
END_TEST

START_TEST(without_a_loop_every_poll_walks)
{
	begin(false);
	ck_assert(cgroup_watch_poll(watch));
	make(SCOPE);
	ck_assert(cgroup_watch_poll(watch));
	ck_assert(was_told(SCOPE));
	ck_assert(!told[index_of(SCOPE)].fresh);
	ck_assert_uint_eq(told[index_of("system.slice/nginx.service")].times, 2);
	end();
}
END_TEST

static unsigned max_queued(void)
{
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	unsigned n = 16384;

	if (f) {
		ck_assert_int_eq(fscanf(f, "%u", &n), 1);
		(void)fclose(f);
	}
	return n;
}

/* An empty tree in memory: thousands of folders on a busy disk take long. */
static char memory_dir[64];

static void begin_in_memory(void)
{
	const struct cgroup_watch_events events = {.found = found, .gone = gone};

	n_told = 0;
	memset(told, 0, sizeof(told));
	(void)snprintf(memory_dir, sizeof(memory_dir), "/dev/shm/agent-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(memory_dir));
	cgroup_tree_init(&tree);
	tree.mode = CGROUP_MODE_V2;
	tree.dirs[CGROUP_UNIFIED] = open(memory_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(cgroup_watch_new(loop, &tree, &events, &watch, NULL), 0);
	ck_assert(cgroup_watch_poll(watch));
}

static void end_in_memory(void)
{
	ck_assert_int_eq(unlinkat(tree.dirs[CGROUP_UNIFIED], "new.service", AT_REMOVEDIR), 0);
	(void)rmdir(memory_dir);
	cgroup_watch_free(watch);
	cgroup_tree_done(&tree);
	loop_free(loop);
}

static void make_and_remove(void)
{
	ck_assert_int_eq(mkdirat(tree.dirs[CGROUP_UNIFIED], "x.slice", 0700), 0);
	(void)cgroup_watch_poll(watch);
	ck_assert_int_eq(unlinkat(tree.dirs[CGROUP_UNIFIED], "x.slice", AT_REMOVEDIR), 0);
	(void)cgroup_watch_poll(watch);
}

START_TEST(an_overflowed_queue_is_made_up_for_by_a_walk)
{
	unsigned n = max_queued() / 2 + 10;
	unsigned polls = 0;

	begin_in_memory();
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(mkdirat(tree.dirs[CGROUP_UNIFIED], "x.slice", 0700), 0);
		ck_assert_int_eq(unlinkat(tree.dirs[CGROUP_UNIFIED], "x.slice", AT_REMOVEDIR), 0);
	}
	/* Its event is lost. */
	ck_assert_int_eq(mkdirat(tree.dirs[CGROUP_UNIFIED], "new.service", 0700), 0);
	while (!was_told("new.service") && polls++ < n)
		(void)cgroup_watch_poll(watch);
	ck_assert(was_told("new.service"));
	ck_assert(!told[index_of("new.service")].fresh);
	end_in_memory();
}
END_TEST

START_TEST(folders_that_vanish_use_up_no_watches)
{
	begin_in_memory();
	for (unsigned i = 0; i < CGROUP_WATCHES_MAX + 10; i++)
		make_and_remove();
	ck_assert_int_eq(mkdirat(tree.dirs[CGROUP_UNIFIED], "new.service", 0700), 0);
	(void)cgroup_watch_poll(watch);
	ck_assert(was_told("new.service"));
	ck_assert_ptr_null(cgroup_watch_trouble(watch));
	end_in_memory();
}
END_TEST

RUN_TESTS("cgroup_watch", the_first_poll_walks_the_tree, what_appears_and_vanishes_is_told_at_once,
	folders_that_appear_are_watched_too, trap_nothing_below_a_container_is_told_or_watched,
	a_poll_sees_what_happened_just_before, without_a_loop_every_poll_walks,
	an_overflowed_queue_is_made_up_for_by_a_walk, folders_that_vanish_use_up_no_watches)
