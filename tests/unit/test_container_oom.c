/* SPDX-License-Identifier: Apache-2.0
 *
 * Real OOM kills in a real cgroup: needs root and the memory controller.
 */
#include <sched.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "collectors/container_oom.h"
#include "tests/unit/recorded.h"
#include "tests/unit/turns.h"

enum { LIMIT = 8 << 20 };

static struct loop *loop;
static struct cgroup_tree tree;
static struct cgroup_reader reader;
static struct container_table table;
static struct container_oom *oom;
static struct container_item *item;
static char path[64];

static bool write_to(const char *name, const char *text)
{
	char file[128];
	int fd;
	bool ok;

	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	fd = openat(cgroup_tree_fd(&tree, CGROUP_MEMORY), file, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd);
	return ok;
}

static void open_tree(void)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

	cgroup_tree_init(&tree);
	ck_assert_int_eq(cgroup_tree_open(&tree, root, proc, sys, true, NULL), 0);
	cgroup_reader_init(&reader, &tree, proc, sys, 100);
	(void)close(root);
	(void)close(proc);
	(void)close(sys);
}

static bool make_cgroup(void)
{
	char limit[32];
	bool v2 = tree.mode == CGROUP_MODE_V2;

	(void)snprintf(path, sizeof(path), "agent-unit-%d", (int)getpid());
	(void)snprintf(limit, sizeof(limit), "%d", (int)LIMIT);
	if (cgroup_tree_fd(&tree, CGROUP_MEMORY) < 0 ||
		mkdirat(cgroup_tree_fd(&tree, CGROUP_MEMORY), path, 0755) < 0)
		return false;
	(void)write_to("memory.swap.max", "0");
	return write_to(v2 ? "memory.max" : "memory.limit_in_bytes", limit);
}

/* False, with the reason printed, when this machine cannot do it. */
static bool begin(void)
{
	open_tree();
	if (!make_cgroup()) {
		printf("skipped: no memory cgroup can be made here (needs root)\n");
		(void)unlinkat(cgroup_tree_fd(&tree, CGROUP_MEMORY), path, AT_REMOVEDIR);
		cgroup_tree_done(&tree);
		return false;
	}
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	oom = container_oom_new(loop, &reader, &table);
	item = container_table_add(&table, path);
	item->fresh = true;
	container_oom_watch(oom, item);
	ck_assert_ptr_nonnull(item->oom_watch);
	return true;
}

static void remove_cgroup(void)
{
	int64_t end_ms = turns_end_ms();

	/* The kernel takes its time to let go of what the killed process had. */
	while (unlinkat(cgroup_tree_fd(&tree, CGROUP_MEMORY), path, AT_REMOVEDIR) < 0) {
		ck_assert_int_eq(errno, EBUSY);
		ck_assert_int_lt(clock_mono_ms(), end_ms);
		(void)sched_yield();
	}
}

static void end(void)
{
	container_oom_finish(item);
	container_table_remove(&table, &reader, item);
	ck_assert_uint_eq(reader.kept, 0);
	container_oom_free(oom);
	loop_free(loop);
	cgroup_tree_done(&tree);
}

/* Starts a process in the cgroup that uses `size` bytes; returns its wait status. */
static int use_memory(size_t size)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		char *p;

		if (!write_to("cgroup.procs", "0"))
			_exit(2);
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (size_t i = 0; i < size; i += 4096)
			p[i] = 1;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void settle(void)
{
	TURN_UNTIL(loop, !container_oom_is_undecided(item, clock_mono_ns()));
	container_oom_finish(item);
}

START_TEST(trap_a_kill_is_counted_although_its_cgroup_is_gone)
{
	int status;

	if (!begin())
		return;
	status = use_memory(8 * LIMIT);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	TURN_UNTIL(loop, container_oom_pending(item) > 0);
	remove_cgroup();
	turn_idle(loop);
	container_oom_ended(item);
	settle();
	ck_assert_double_eq(container_oom_pending(item), 1);
	end();
}
END_TEST

/* Announced, and gone before this program came to look. */
START_TEST(trap_a_kill_is_counted_when_only_its_announcement_is_left)
{
	int status;

	if (!begin())
		return;
	status = use_memory(8 * LIMIT);
	ck_assert(WIFSIGNALED(status));
	remove_cgroup();
	container_oom_ended(item);
	settle();
	/* v2 does not say what it announced: there the engine tells. */
	ck_assert_double_eq(container_oom_pending(item), tree.mode == CGROUP_MODE_V2 ? 0 : 1);
	end();
}
END_TEST

START_TEST(the_end_of_a_cgroup_is_no_kill)
{
	if (!begin())
		return;
	ck_assert_int_eq(use_memory(LIMIT / 4), 0);
	turn_idle(loop);
	remove_cgroup();
	turn_idle(loop);
	container_oom_ended(item);
	settle();
	ck_assert_double_eq(container_oom_pending(item), 0);
	end();
}
END_TEST

RUN_TESTS("container_oom", trap_a_kill_is_counted_although_its_cgroup_is_gone,
	trap_a_kill_is_counted_when_only_its_announcement_is_left, the_end_of_a_cgroup_is_no_kill)
